package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// KindFreeze is the kind of the history entries about freezes.
const KindFreeze = "freeze"

// Freeze keeps everybody from moving up for a while. Stepping down always works.
type Freeze struct {
	ID        int64
	Migration string // empty: every migration
	Actor     string
	Reason    string
	From      time.Time  // zero, when asked for: now
	Until     *time.Time // nil: until it is ended
}

// InForce reports whether the freeze holds at a moment.
func (f Freeze) InForce(at time.Time) bool {
	return !at.Before(f.From) && (f.Until == nil || at.Before(*f.Until))
}

// String says for how long and why.
func (f Freeze) String() string {
	text := "frozen by " + f.Actor
	if f.Until != nil {
		text += " until " + f.Until.UTC().Format(time.RFC3339)
	}
	return text + ": " + f.Reason
}

// AddFreeze freezes one migration, or all of them, and returns the freeze's number.
func (s *Store) AddFreeze(ctx context.Context, f Freeze) (int64, error) {
	const operation = "freeze"
	switch {
	case strings.TrimSpace(f.Actor) == "" || strings.TrimSpace(f.Reason) == "":
		return 0, &InputError{Operation: operation, Problem: "say who freezes, and why"}
	case f.Until != nil && !f.Until.After(f.From):
		return 0, &InputError{Operation: operation, Problem: "it must end after it begins"}
	}
	params := ledgerdb.AddFreezeParams{Actor: f.Actor, Reason: f.Reason, UntilAt: f.Until}
	if !f.From.IsZero() {
		params.FromAt = &f.From
	}
	var id int64
	err := s.onMigrations(ctx, f.Migration, Entry{Actor: f.Actor, Reason: f.Reason, Kind: KindFreeze, To: "frozen"},
		func(q *ledgerdb.Queries, migration *int32) (changed bool, err error) {
			params.MigrationID = migration
			id, err = q.AddFreeze(ctx, params)
			return true, err
		})
	return id, wrap(operation, err)
}

// EndFreezes ends the freezes of one migration, or those of all migrations
// together, and returns how many there were.
func (s *Store) EndFreezes(ctx context.Context, migration, actor, reason string) (int64, error) {
	var ended int64
	err := s.onMigrations(ctx, migration, Entry{Actor: actor, Reason: reason, Kind: KindFreeze, From: "frozen", To: "not frozen"},
		func(q *ledgerdb.Queries, id *int32) (changed bool, err error) {
			ended, err = q.EndFreezes(ctx, id)
			return ended > 0, err
		})
	return ended, wrap("end a freeze", err)
}

// onMigrations runs fn for one migration, or for all of them together, with an
// entry in the history of each.
func (s *Store) onMigrations(
	ctx context.Context, migration string, e Entry, fn func(q *ledgerdb.Queries, id *int32) (changed bool, err error),
) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return s.inTx(ctx, pgx.TxOptions{}, func(q *ledgerdb.Queries) error {
		all, err := q.Migrations(ctx)
		if err != nil {
			return err
		}
		var id *int32
		if migration != "" {
			m, err := byName(ctx, q, migration)
			if err != nil {
				return err
			}
			id = &m.ID
		}
		changed, err := fn(q, id)
		if err != nil || !changed {
			return err
		}
		for _, m := range all {
			if id != nil && m.ID != *id {
				continue
			}
			e.Epoch = m.Epoch
			if err := insertHistory(ctx, q, m.ID, []Entry{e}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Freezes returns the freezes that are in force or to come.
func (s *Store) Freezes(ctx context.Context) ([]Freeze, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	rows, err := s.q.OpenFreezes(ctx)
	if err != nil {
		return nil, wrap("list freezes", err)
	}
	all := make([]Freeze, len(rows))
	for i, r := range rows {
		all[i] = Freeze{
			ID: r.ID, Migration: text(r.Migration), Actor: r.Actor, Reason: r.Reason, From: utc(r.FromAt), Until: utcPointer(r.UntilAt),
		}
	}
	return all, nil
}

func freezesOf(ctx context.Context, q *ledgerdb.Queries, m Migration) ([]Freeze, error) {
	rows, err := q.FreezesOf(ctx, &m.ID)
	if err != nil {
		return nil, fmt.Errorf("read freezes: %w", err)
	}
	var all []Freeze
	for _, r := range rows {
		f := Freeze{ID: r.ID, Actor: r.Actor, Reason: r.Reason, From: utc(r.FromAt), Until: utcPointer(r.UntilAt)}
		if r.MigrationID != nil {
			f.Migration = m.Name
		}
		all = append(all, f)
	}
	return all, nil
}
