package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// Fact is what a job found out about the data of tenants.
type Fact int

// Facts about tenants.
const (
	// Backfilled: the new side holds every key of the old one. Any verification
	// from before counts no more.
	Backfilled Fact = iota + 1
	// Verified: the sides were compared and are equal.
	Verified
	// NotVerified: the sides differ.
	NotVerified
	// OldComplete: a reverse backfill has ended: both sides hold every key.
	OldComplete
)

func (f Fact) String() string {
	return map[Fact]string{Backfilled: "backfilled", Verified: "verified", NotVerified: "not verified", OldComplete: "old side complete"}[f]
}

// ErrNotInForce says that a fact was found out under a policy that is no
// longer in force: look at the policy in force, and at the tenants' progress,
// and go on from there.
var ErrNotInForce = errors.New("the policy is no longer in force")

// StageError says that a fact cannot be true of a tenant that stands where not
// both sides are written.
type StageError struct {
	Migration string
	Tenant    string // empty: tenants that nothing names
	Stage     flags.Stage
	Fact      Fact
}

func (e *StageError) Error() string {
	who := fmt.Sprintf("tenant %q", e.Tenant)
	if e.Tenant == "" {
		who = "some tenants without a state of their own"
	}
	return fmt.Sprintf("%s: %s cannot be %s at stage %s, where not both sides are written", e.Migration, who, e.Fact, e.Stage)
}

// Mark writes down a fact about tenants; the tenant "" stands for the whole
// migration, which counts for every tenant without a state of its own. It is
// refused with [ErrNotInForce] unless the policy under which the fact was
// found out is still in force, and with a [*StageError] for tenants of whom,
// by any policy that somebody may act on, not both sides are written.
func (s *Store) Mark(ctx context.Context, acting Version, fact Fact, tenants ...string) error {
	operation := fmt.Sprintf("mark tenants of %s as %s", acting.Migration, fact)
	if len(tenants) == 0 {
		return nil
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	err := s.inTx(ctx, pgx.TxOptions{}, func(q *ledgerdb.Queries) error {
		row, err := q.LockMigration(ctx, acting.Migration)
		if errors.Is(err, pgx.ErrNoRows) {
			return unknown(ctx, q, acting.Migration)
		}
		if err != nil {
			return fmt.Errorf("lock the migration: %w", err)
		}
		if row.Epoch != acting.Epoch || policyID(row.PolicyID) != acting.PolicyID {
			return fmt.Errorf("epoch %d: %w", acting.Epoch, ErrNotInForce)
		}
		state := &State{Migration: toMigration(row)}
		if err := loadPolicies(ctx, q, state); err != nil {
			return err
		}
		if err := bothWritten(state, fact, tenants); err != nil {
			return err
		}
		return mark(ctx, q, state, fact, tenants)
	})
	return wrap(operation, err)
}

// bothWritten refuses tenants who, by any policy that somebody may act on,
// stand where one side is not written.
func bothWritten(state *State, fact Fact, tenants []string) error {
	if fact == NotVerified {
		return nil
	}
	for _, p := range state.Policies {
		compiled, err := p.Compile()
		if err != nil {
			return err
		}
		for _, tenant := range tenants {
			for _, stage := range stagesOf(compiled, tenant) {
				if !stage.Plan().WritesBoth {
					return &StageError{Migration: state.Migration.Name, Tenant: tenant, Stage: stage, Fact: fact}
				}
			}
		}
	}
	return nil
}

// stagesOf returns the stages of a tenant, or for "" those of all tenants that
// no override names.
func stagesOf(c *flags.Compiled, tenant string) []flags.Stage {
	if tenant != "" {
		stage, _ := c.Stage(tenant)
		return []flags.Stage{stage}
	}
	var stages []flags.Stage
	p := c.Policy()
	if p.Step.Share < flags.Buckets {
		stages = append(stages, p.Default)
	}
	if p.Step.Share > 0 {
		stages = append(stages, p.Step.To)
	}
	return stages
}

// pinnedElsewhere returns the tenants whom an override has where one side is
// not written: what is true of the others is not true of them.
func pinnedElsewhere(state *State) []string {
	var all []string
	for _, p := range state.Policies {
		for tenant, stage := range p.Overrides {
			if !stage.Plan().WritesBoth {
				all = append(all, tenant)
			}
		}
	}
	return all
}

func mark(ctx context.Context, q *ledgerdb.Queries, state *State, fact Fact, tenants []string) error {
	id := state.Migration.ID
	own := slices.Clone(tenants)
	if slices.Contains(tenants, "") {
		own = append(own, pinnedElsewhere(state)...)
	}
	if err := q.AddTenantStates(ctx, ledgerdb.AddTenantStatesParams{MigrationID: id, Tenants: own}); err != nil {
		return fmt.Errorf("add tenant states: %w", err)
	}
	switch fact {
	case Backfilled:
		return q.SetBackfilled(ctx, ledgerdb.SetBackfilledParams{MigrationID: id, Tenants: tenants})
	case Verified:
		return q.SetVerified(ctx, ledgerdb.SetVerifiedParams{MigrationID: id, Tenants: tenants})
	case NotVerified:
		return q.ClearVerified(ctx, ledgerdb.ClearVerifiedParams{MigrationID: id, Tenants: tenants})
	case OldComplete:
		return q.SetOldComplete(ctx, ledgerdb.SetOldCompleteParams{MigrationID: id, Tenants: tenants})
	}
	return &InputError{Operation: "mark tenants", Problem: "no such fact"}
}
