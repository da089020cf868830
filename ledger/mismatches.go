package ledger

import (
	"context"
	"time"

	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// OverflowKind is the kind of the rows that count, per operation and stage,
// the mismatches that were not kept because there are too many.
const OverflowKind = "overflow"

// Mismatch is a confirmed difference, aggregated over its occurrences.
type Mismatch struct {
	ID        int64
	Tenant    string
	Operation string
	Key       string
	Field     string
	Kind      string
	Stage     string
	Epoch     int64
	// Served and Other are redacted unless the field is marked safe.
	Served     string
	Other      string
	RequestID  string
	FirstSeen  time.Time
	LastSeen   time.Time
	Count      int64
	ResolvedAt *time.Time
}

// MismatchFilter says which mismatches are meant. The zero value means all
// that are not resolved.
type MismatchFilter struct {
	Tenant    string
	Operation string
	Field     string
	// IDs are single mismatches; only for resolving.
	IDs []int64
	// Resolved lists the resolved ones too.
	Resolved bool
	// Limit defaults to 100; only for listing.
	Limit int
}

// Mismatches lists mismatches, those seen last first.
func (s *Store) Mismatches(ctx context.Context, migration string, f MismatchFilter) ([]Mismatch, error) {
	operation := "list the mismatches of " + migration
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	m, err := byName(ctx, s.q, migration)
	if err != nil {
		return nil, wrap(operation, err)
	}
	rows, err := s.q.Mismatches(ctx, ledgerdb.MismatchesParams{
		MigrationID: m.ID, Tenant: f.Tenant, Operation: f.Operation, Field: f.Field, Resolved: f.Resolved, UpTo: limit(f.Limit),
	})
	if err != nil {
		return nil, wrap(operation, err)
	}
	all := make([]Mismatch, len(rows))
	for i, r := range rows {
		all[i] = Mismatch{
			ID: r.ID, Tenant: r.Tenant, Operation: r.Operation, Key: r.Key, Field: r.Field, Kind: r.Kind, Stage: r.Stage,
			Epoch: r.Epoch, Served: r.Served, Other: r.Other, RequestID: r.RequestID, FirstSeen: utc(r.FirstSeen),
			LastSeen: utc(r.LastSeen), Count: r.Count, ResolvedAt: utcPointer(r.ResolvedAt),
		}
	}
	return all, nil
}

// ResolveMismatches marks those mismatches as resolved and returns how many.
// One that is seen again afterwards is open again.
func (s *Store) ResolveMismatches(ctx context.Context, migration string, f MismatchFilter) (int64, error) {
	operation := "resolve mismatches of " + migration
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	m, err := byName(ctx, s.q, migration)
	if err != nil {
		return 0, wrap(operation, err)
	}
	ids := f.IDs
	if ids == nil {
		ids = []int64{}
	}
	n, err := s.q.ResolveMismatches(ctx, ledgerdb.ResolveMismatchesParams{
		MigrationID: m.ID, Tenant: f.Tenant, Operation: f.Operation, Field: f.Field, Ids: ids,
	})
	return n, wrap(operation, err)
}
