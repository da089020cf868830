package oracle

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Key names one customer of one tenant.
type Key struct{ Tenant, Customer uuid.UUID }

// String returns the key as the report shows it.
func (k Key) String() string { return fmt.Sprintf("customer %s of tenant %s", k.Customer, k.Tenant) }

// Event is what one operation did to one customer: a line of the journal.
type Event struct {
	Line      int64
	Operation int64
	Kind      Kind
	Key       Key
	Began     int64
	Done      int64 // math.MaxInt64 while it is not known to have ended
	Change    Change
	Result
}

// String describes the event without values that are not the oracle's own.
func (e Event) String() string {
	text := fmt.Sprintf("line %d, %s, %s", e.Line, e.Kind, e.Outcome)
	if e.Kind == Add {
		text += fmt.Sprintf(" (%+d)", e.Change.Cents)
	}
	return text
}

// History is what happened to each customer, in the order of the beginnings.
type History map[Key][]Event

// NewHistory returns the history that the events make.
func NewHistory(events []Event) History {
	h := History{}
	for _, e := range events {
		h[e.Key] = append(h[e.Key], e)
	}
	for _, of := range h {
		slices.SortFunc(of, func(a, b Event) int { return cmp.Or(cmp.Compare(a.Began, b.Began), cmp.Compare(a.Line, b.Line)) })
	}
	return h
}

// Keys returns the customers that appear in it, in no order.
func (h History) Keys() []Key { return slices.Collect(maps.Keys(h)) }

// Load reads the journal of all processes.
func Load(ctx context.Context, pool *pgxpool.Pool) (History, error) {
	rows, err := pool.Query(ctx, `
		select id, operation, kind, tenant, customer, began, done, change, outcome, seen, balance
		from quickstart_oracle.journal where customer is not null`)
	if err != nil {
		return nil, fmt.Errorf("read the oracle's journal: %w", err)
	}
	events, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e Event, err error) {
		err = row.Scan(&e.Line, &e.Operation, &e.Kind, &e.Key.Tenant, &e.Key.Customer, &e.Began, &e.Done,
			&e.Change, &e.Outcome, &e.Seen, &e.Balance)
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the oracle's journal: %w", err)
	}
	return NewHistory(events), nil
}

// withEnd returns the events and, behind all of them, a read of what is there at the end.
func withEnd(events []Event, end State) []Event {
	last := Event{Kind: Read, Began: math.MaxInt64 - 1, Done: math.MaxInt64, Result: Result{Outcome: Done, Seen: &end}}
	if !end.Exists {
		last.Outcome, last.Seen = Absent, nil
	}
	return append(slices.Clone(events), last)
}

// withoutReads returns the events that change something or may have, and the read at the end.
func withoutReads(events []Event) []Event {
	last := len(events) - 1
	kept := slices.DeleteFunc(slices.Clone(events[:last]), func(e Event) bool { return e.Kind == Read })
	return append(kept, events[last])
}
