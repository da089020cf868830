package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// StaleKey is a key of which one side missed a write.
type StaleKey struct {
	ID         int64
	Tenant     string
	Side       flags.Side
	Key        string
	Epoch      int64
	Cause      string
	RecordedAt time.Time
	// Attempts, TriedAt and LastError tell of copies that failed.
	Attempts  int
	TriedAt   *time.Time
	LastError string
}

// StaleCounts counts the stale keys of a migration per tenant and side.
func (s *Store) StaleCounts(ctx context.Context, migration string) ([]StaleCount, error) {
	operation := "count the stale keys of " + migration
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	m, err := byName(ctx, s.q, migration)
	if err != nil {
		return nil, wrap(operation, err)
	}
	counts, err := staleCounts(ctx, s.q, m.ID)
	return counts, wrap(operation, err)
}

func staleCounts(ctx context.Context, q *ledgerdb.Queries, migration int32) ([]StaleCount, error) {
	rows, err := q.StaleCounts(ctx, migration)
	if err != nil {
		return nil, fmt.Errorf("count stale keys: %w", err)
	}
	var all []StaleCount
	for _, r := range rows {
		side, err := flags.ParseSide(r.Side)
		if err != nil {
			return nil, err
		}
		all = append(all, StaleCount{
			Tenant: r.Tenant, Side: side, Keys: r.Keys, Failing: r.Failing, Untried: r.Untried,
			Oldest: utc(r.Oldest), Age: time.Duration(r.Age * float64(time.Second)),
		})
	}
	return all, nil
}

// StaleFilter says which stale keys to list. The zero value means the first 100.
type StaleFilter struct {
	Tenant string
	// After returns records with a greater ID, to read on where a call ended.
	After int64
	// Limit defaults to 100.
	Limit int
}

// StaleKeys lists stale keys in the order in which they were recorded.
func (s *Store) StaleKeys(ctx context.Context, migration string, f StaleFilter) ([]StaleKey, error) {
	operation := "list the stale keys of " + migration
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	m, err := byName(ctx, s.q, migration)
	if err != nil {
		return nil, wrap(operation, err)
	}
	rows, err := s.q.StaleKeys(ctx, ledgerdb.StaleKeysParams{
		MigrationID: m.ID, After: f.After, Tenant: f.Tenant, UpTo: limit(f.Limit),
	})
	if err != nil {
		return nil, wrap(operation, err)
	}
	all := make([]StaleKey, len(rows))
	for i, r := range rows {
		side, err := flags.ParseSide(r.Side)
		if err != nil {
			return nil, wrap(operation, err)
		}
		all[i] = StaleKey{
			ID: r.ID, Tenant: r.Tenant, Side: side, Key: r.Key, Epoch: r.Epoch, Cause: r.Cause, RecordedAt: utc(r.RecordedAt),
			Attempts: int(r.Attempts), TriedAt: utcPointer(r.TriedAt), LastError: r.LastError,
		}
	}
	return all, nil
}
