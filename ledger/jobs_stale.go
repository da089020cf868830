package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// StaleClaim says which stale records a worker takes.
type StaleClaim struct {
	Tenant string // empty means every tenant
	// TriedBefore takes records that were not tried since, whatever their
	// wait; nil takes those whose wait is over.
	TriedBefore *time.Time
	Limit       int // zero means 100
}

// ClaimStale takes the oldest stale records whose time has come and notes the
// attempt, so that nobody else tries them until their next time: half a second
// after the first attempt, twice as long after each further one, and ten
// minutes at most. Only ID, Tenant, Side, Key and Attempts are set.
func (s *Store) ClaimStale(ctx context.Context, m Migration, c StaleClaim) ([]StaleKey, error) {
	operation := "take stale keys of " + m.Name
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	rows, err := s.q.ClaimStale(ctx, ledgerdb.ClaimStaleParams{
		MigrationID: m.ID, Tenant: c.Tenant, TriedBefore: c.TriedBefore, UpTo: limit(c.Limit),
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
		all[i] = StaleKey{ID: r.ID, Tenant: r.Tenant, Side: side, Key: r.Key, Attempts: int(r.Attempts)}
	}
	return all, nil
}

// FailStale notes why the records could not be repaired, in words that hold no
// values of the application.
func (s *Store) FailStale(ctx context.Context, why string, ids ...int64) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return wrap("note a failed repair", s.q.FailStale(ctx, ledgerdb.FailStaleParams{Ids: ids, LastError: why}))
}

// AddFailedStale records, in a transaction that holds the key's lock, a key
// that could not be copied to the side. A record that stands already is kept.
func AddFailedStale(ctx context.Context, tx DBTX, m Migration, k StaleKey) error {
	err := ledgerdb.New(tx).AddFailedStale(ctx, ledgerdb.AddFailedStaleParams{
		MigrationID: m.ID, Tenant: k.Tenant, Side: k.Side.String(), Key: k.Key, Epoch: k.Epoch, Cause: k.Cause,
	})
	if err != nil {
		return wrap("record a key that could not be copied", err)
	}
	return nil
}

// FailingStale counts the stale keys of a tenant that a worker tried to copy
// and could not, and returns one of the reasons.
func (s *Store) FailingStale(ctx context.Context, m Migration, tenant string) (int64, string, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	row, err := s.q.FailingStale(ctx, ledgerdb.FailingStaleParams{MigrationID: m.ID, Tenant: tenant})
	return row.Keys, row.LastError, wrap("count the keys that cannot be copied", err)
}

// VerifyOperation is the operation under which verification records what it finds.
const VerifyOperation = "verify"

// ResolveVerified closes what earlier verifications of the tenant found, after
// one that began at the given time found nothing.
func (s *Store) ResolveVerified(ctx context.Context, m Migration, tenant string, began time.Time) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	_, err := s.q.ResolveVerified(ctx, ledgerdb.ResolveVerifiedParams{
		MigrationID: m.ID, Tenant: tenant, Operation: VerifyOperation, Before: began,
	})
	return wrap(fmt.Sprintf("resolve what verifications of %s found", m.Name), err)
}
