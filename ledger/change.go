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

// Draft is a change of policy that package control allowed, ready to be
// written. Next carries the default, the percentage step and all overrides;
// epoch and policy id are given by [Store.Change].
type Draft struct {
	Next flags.Policy
	// Entries say what changes: they share actor and kind.
	Entries []Entry
	// Effects on the tenants' states, written with the policy.
	Effects Effects
	// Duty, if not nil, must still be held: or nothing is changed, and the
	// error wraps [ErrDutyLost].
	Duty *Duty
	// Acted are guardrails that begin anew with the change, and Ramp is the
	// place of the ramp that takes the step.
	Acted []int64
	Ramp  *RampMove
}

// ErrRampMoved says that a ramp was paused, ended or moved on meanwhile.
// Nothing was changed.
var ErrRampMoved = errors.New("the ramp was changed meanwhile")

// writeBehalf writes what belongs to who made the change.
func writeBehalf(ctx context.Context, q *ledgerdb.Queries, m Migration, d *Draft) error {
	if d.Duty != nil {
		if err := holding(ctx, q, *d.Duty); err != nil {
			return err
		}
	}
	if len(d.Acted) > 0 {
		if err := q.GuardrailActed(ctx, d.Acted); err != nil {
			return fmt.Errorf("begin the guardrails anew: %w", err)
		}
	}
	if d.Ramp == nil {
		return nil
	}
	saved, err := saveRamp(ctx, q, m, *d.Ramp)
	if err == nil && !saved {
		err = ErrRampMoved
	}
	return err
}

// Effects are what a change of policy does to the states of tenants. The
// tenant "" is the whole migration.
type Effects struct {
	// NotCopied are no longer backfilled nor verified.
	NotCopied []string
	// OldIncomplete have an old side that misses writes from now on.
	OldIncomplete []string
	// Keep get a state of their own, equal to the whole migration's before the
	// change: they do not move with it.
	Keep []string
	// Forget are tenants of which jobs that are not done forget what they noted.
	Forget []string
}

// None reports whether nothing is to be done.
func (e Effects) None() bool {
	return len(e.NotCopied)+len(e.OldIncomplete)+len(e.Keep)+len(e.Forget) == 0
}

// Change changes the policy of a migration in one transaction. It locks the
// migration, and those of its entity that end where it begins or begin where it
// ends, against other changes, loads its state and hands it to decide,
// which returns what to write, nil for nothing, or an error. decide must not
// block. Where the epoch in force is not expect, it returns a
// [*ConflictError]. It returns the policy in force at the end. Transactions
// that act on older policies are not waited for: see [Store.Drain].
func (s *Store) Change(
	ctx context.Context, migration string, expect int64, decide func(*State) (*Draft, error),
) (flags.Policy, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	var result flags.Policy
	err := s.inTx(ctx, pgx.TxOptions{}, func(q *ledgerdb.Queries) error {
		if _, err := q.LockChain(ctx, migration); err != nil {
			return fmt.Errorf("lock the migrations before and after it: %w", err)
		}
		row, err := q.LockMigration(ctx, migration)
		if errors.Is(err, pgx.ErrNoRows) {
			return unknown(ctx, q, migration)
		}
		if err != nil {
			return fmt.Errorf("lock the migration: %w", err)
		}
		if row.Epoch != expect {
			return conflict(ctx, q, row, expect)
		}
		state, err := load(ctx, q, row)
		if err != nil {
			return err
		}
		result = state.Current().Policy
		draft, err := decide(state)
		if err != nil || draft == nil {
			return err
		}
		result, err = write(ctx, q, state, draft)
		return err
	})
	var refused *decidedError
	if errors.As(err, &refused) {
		return flags.Policy{}, refused.error
	}
	if err != nil {
		return flags.Policy{}, wrap("change the policy of "+migration, err)
	}
	return result, nil
}

// decidedError keeps an error of decide from being wrapped as a server's.
type decidedError struct{ error }

// Refuse returns err in the form in which decide hands it through
// [Store.Change] unchanged.
func Refuse(err error) error { return &decidedError{err} }

func conflict(ctx context.Context, q *ledgerdb.Queries, row ledgerdb.Migration, expect int64) error {
	found := &ConflictError{Migration: row.Name, Expected: expect, Epoch: row.Epoch}
	other, err := q.LastChange(ctx, ledgerdb.LastChangeParams{MigrationID: row.ID, Epoch: expect})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("read the other's change: %w", err)
	}
	if err == nil {
		found.Other = Entry{
			At: utc(other.At), Actor: other.Actor, Reason: other.Reason, Kind: other.Kind, Epoch: other.Epoch,
			Tenant: text(other.Tenant), From: other.FromValue, To: other.ToValue,
		}
	}
	return found
}

// write puts the draft into force under the next epoch and a new policy id.
func write(ctx context.Context, q *ledgerdb.Queries, state *State, d *Draft) (flags.Policy, error) {
	m, next := state.Migration, d.Next
	next.Migration, next.Salt, next.Epoch, next.ID = m.Name, m.Salt, m.Epoch+1, flags.NewPolicyID()
	if len(next.Overrides) == 0 {
		next.Overrides = nil // as Policy returns it
	}
	if err := next.Validate(); err != nil {
		return next, err
	}
	policy := ledgerdb.InsertPolicyParams{
		MigrationID: m.ID, Epoch: next.Epoch, PolicyID: toUUID(next.ID), DefaultStage: next.Default.String(),
		StepOf: next.Step.Of.String(), Clean: next.Clean, StrictShadow: next.StrictShadow,
		UnfencedOld: next.UnfencedOld, UnfencedNew: next.UnfencedNew,
	}
	if next.Step.To.Valid() {
		to := next.Step.To.String()
		policy.StepTo, policy.StepShare = &to, int32(next.Step.Share) //nolint:gosec // validated above
	}
	if err := q.InsertPolicy(ctx, policy); err != nil {
		return next, fmt.Errorf("insert the policy: %w", err)
	}
	uniform := ""
	if stage, ok := next.Uniform(); ok {
		uniform = stage.String()
	}
	changed, err := q.Advance(ctx, ledgerdb.AdvanceParams{
		ID: m.ID, UniformStage: uniform, Epoch: next.Epoch, PolicyID: toUUID(next.ID), ExpectedEpoch: m.Epoch, ExpectedPolicy: toUUID(m.PolicyID),
	})
	if err != nil || changed != 1 {
		return next, errors.Join(fmt.Errorf("advance to epoch %d: %d rows changed", next.Epoch, changed), err)
	}
	if err := writeOverrides(ctx, q, m.ID, state.Current().Overrides, next); err != nil {
		return next, err
	}
	for i := range d.Entries {
		d.Entries[i].Epoch = next.Epoch
	}
	if err := insertHistory(ctx, q, m.ID, d.Entries); err != nil {
		return next, err
	}
	if err := writeEffects(ctx, q, m.ID, d.Effects); err != nil {
		return next, err
	}
	if err := writeBehalf(ctx, q, m, d); err != nil {
		return next, err
	}
	if err := q.Notify(ctx, m.Name); err != nil {
		return next, fmt.Errorf("notify: %w", err)
	}
	return next, nil
}

func writeOverrides(ctx context.Context, q *ledgerdb.Queries, migration int32, before map[string]flags.Stage, next flags.Policy) error {
	var ended []string
	set := ledgerdb.InsertOverridesParams{MigrationID: migration, Epoch: next.Epoch}
	for tenant, stage := range before {
		if next.Overrides[tenant] != stage {
			ended = append(ended, tenant)
		}
	}
	for tenant, stage := range next.Overrides {
		if before[tenant] != stage {
			set.Tenants = append(set.Tenants, tenant)
		}
	}
	slices.Sort(ended)
	slices.Sort(set.Tenants)
	for _, tenant := range set.Tenants {
		set.Stages = append(set.Stages, next.Overrides[tenant].String())
	}
	if len(ended) > 0 {
		end := ledgerdb.EndOverridesParams{Epoch: &next.Epoch, MigrationID: migration, Tenants: ended}
		if err := q.EndOverrides(ctx, end); err != nil {
			return fmt.Errorf("end overrides: %w", err)
		}
	}
	if len(set.Tenants) > 0 {
		if err := q.InsertOverrides(ctx, set); err != nil {
			return fmt.Errorf("insert overrides: %w", err)
		}
	}
	return nil
}

func writeEffects(ctx context.Context, q *ledgerdb.Queries, migration int32, e Effects) error {
	if e.None() {
		return nil
	}
	all := slices.Concat(e.Keep, e.NotCopied, e.OldIncomplete)
	slices.Sort(all)
	all = slices.Compact(all)
	if err := q.AddTenantStates(ctx, ledgerdb.AddTenantStatesParams{MigrationID: migration, Tenants: all}); err != nil {
		return fmt.Errorf("add tenant states: %w", err)
	}
	if err := q.ClearCopied(ctx, ledgerdb.ClearCopiedParams{MigrationID: migration, Tenants: e.NotCopied}); err != nil {
		return fmt.Errorf("clear backfilled: %w", err)
	}
	if err := q.ForgetNoted(ctx, ledgerdb.ForgetNotedParams{MigrationID: migration, Tenants: e.Forget}); err != nil {
		return fmt.Errorf("forget checkpoints: %w", err)
	}
	if err := q.SetOldIncomplete(ctx, ledgerdb.SetOldIncompleteParams{MigrationID: migration, Tenants: e.OldIncomplete}); err != nil {
		return fmt.Errorf("set the old side incomplete: %w", err)
	}
	return nil
}
