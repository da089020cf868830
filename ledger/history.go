package ledger

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// Kinds of history entries that this module writes.
const (
	KindRegister   = "register"
	KindDefault    = "default"
	KindPercentage = "percentage"
	KindOverride   = "override"
	KindUnpin      = "unpin"
	KindEach       = "each"
	// KindPublish is a policy with the stages of the one before, published as
	// something else holds now: see flags.Standing.
	KindPublish = "publish"
)

// Entry is one line of the audit trail.
type Entry struct {
	ID     int64
	At     time.Time
	Actor  string
	Reason string
	Kind   string
	Epoch  int64
	Tenant string // empty when the whole migration is meant
	From   string
	To     string
}

// Change returns from and to as words, such as `tenant "acme" from old to dual`.
func (e Entry) Change() string {
	text := ""
	if e.Tenant != "" {
		text = fmt.Sprintf("tenant %q ", e.Tenant)
	}
	if e.From != "" {
		text += "from " + e.From + " "
	}
	return text + "to " + e.To
}

// HistoryFilter says which entries to return. The zero value means the newest
// 100 of the migration.
type HistoryFilter struct {
	// Tenant leaves out the entries of other single tenants.
	Tenant string
	// Before returns entries with a smaller ID, to read on where a call ended.
	Before int64
	// Limit defaults to 100.
	Limit int
}

// History returns what was changed, by whom and why, newest first.
func (s *Store) History(ctx context.Context, migration string, f HistoryFilter) ([]Entry, error) {
	operation := "read the history of " + migration
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	m, err := byName(ctx, s.q, migration)
	if err != nil {
		return nil, wrap(operation, err)
	}
	if f.Before <= 0 {
		f.Before = math.MaxInt64
	}
	rows, err := s.q.HistoryBefore(ctx, ledgerdb.HistoryBeforeParams{
		MigrationID: m.ID, Before: f.Before, Tenant: f.Tenant, UpTo: limit(f.Limit),
	})
	if err != nil {
		return nil, wrap(operation, err)
	}
	all := make([]Entry, len(rows))
	for i, r := range rows {
		all[i] = Entry{
			ID: r.ID, At: utc(r.At), Actor: r.Actor, Reason: r.Reason, Kind: r.Kind, Epoch: r.Epoch,
			Tenant: text(r.Tenant), From: r.FromValue, To: r.ToValue,
		}
	}
	return all, nil
}

// AddHistory appends one entry that is no change of a policy, such as the
// request of a job. The ledger sets ID and time; an epoch of zero means the
// one in force.
func (s *Store) AddHistory(ctx context.Context, migration string, e Entry) error {
	operation := "add to the history of " + migration
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	if e.Actor == "" || e.Kind == "" {
		return &InputError{Operation: operation, Problem: "an entry needs an actor and a kind"}
	}
	m, err := byName(ctx, s.q, migration)
	if err != nil {
		return wrap(operation, err)
	}
	if e.Epoch == 0 {
		e.Epoch = m.Epoch
	}
	return wrap(operation, insertHistory(ctx, s.q, m.ID, []Entry{e}))
}

// insertHistory writes entries that share actor, kind and epoch.
func insertHistory(ctx context.Context, q *ledgerdb.Queries, migration int32, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	first := entries[0]
	params := ledgerdb.InsertHistoryParams{
		MigrationID: migration, Actor: first.Actor, Kind: first.Kind, Epoch: first.Epoch,
	}
	for _, e := range entries {
		params.Tenants = append(params.Tenants, e.Tenant)
		params.Reasons = append(params.Reasons, e.Reason)
		params.FromValues = append(params.FromValues, e.From)
		params.ToValues = append(params.ToValues, e.To)
	}
	if err := q.InsertHistory(ctx, params); err != nil {
		return fmt.Errorf("insert history: %w", err)
	}
	return nil
}

// limit returns how many rows to ask for.
func limit(n int) int32 {
	if n <= 0 {
		return 100
	}
	return int32(min(n, math.MaxInt32)) //nolint:gosec // bounded in the same line
}

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
