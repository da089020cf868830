package backfill

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// backfillTenant copies one tenant and marks it.
func (j *job) backfillTenant(ctx context.Context, tenant string) (ledger.Fact, error) {
	r := j.newRun(tenant)
	r.allowed = func(stage flags.Stage) error {
		plan := stage.Plan()
		if err := j.bothWritten(r, stage); err != nil {
			return err
		}
		if from, ok := phaseSource(r.cp.Phase); ok && from != plan.Authority {
			return &TurnedError{Migration: j.m.Name, Tenant: tenant, From: from, Stage: stage}
		}
		r.from = plan.Authority
		return nil
	}
	for {
		err := r.backfill(ctx)
		if err == nil {
			if r.from == flags.OldSide {
				return ledger.Backfilled, nil
			}
			return ledger.OldComplete, nil
		}
		if !errors.Is(err, errRestarted) {
			return 0, err
		}
	}
}

// bothWritten refuses a stage at which one side is not written. A job over
// every tenant leaves out those who stood there from the start.
func (j *job) bothWritten(r *run, stage flags.Stage) error {
	if stage.Plan().WritesBoth {
		return nil
	}
	err := &StageError{Migration: j.m.Name, Tenant: r.tenant, Kind: j.detail.Kind, Stage: stage}
	if r.cp.Epoch == 0 && len(j.detail.Tenants) == 0 {
		return fmt.Errorf("%w: %w", errSkipped, err)
	}
	return err
}

func (r *run) backfill(ctx context.Context) error {
	if err := r.j.admit(ctx, r); err != nil {
		return err
	}
	r.restarted = false
	if !r.cp.Done {
		if err := r.copyBoth(ctx); err != nil {
			return err
		}
	}
	return r.complete(ctx)
}

// complete ends a tenant whose keys were all walked: what is stale is tried
// once more, and if nothing is left that cannot be copied, the tenant is marked.
func (r *run) complete(ctx context.Context) error {
	if err := r.tryAgain(ctx); err != nil {
		return err
	}
	fact := ledger.Backfilled
	if r.from == flags.NewSide {
		fact = ledger.OldComplete
	}
	return r.mark(ctx, fact)
}

// tryAgain repairs what is stale, and returns an *UncopiedError when keys are
// left that cannot be copied. What another worker is just trying gets its time.
func (r *run) tryAgain(ctx context.Context) error {
	const tries = 3
	w, m := r.j.w, r.j.m
	for try := 1; ; try++ {
		var now time.Time // the server's
		if err := w.pool.QueryRow(ctx, "select clock_timestamp()").Scan(&now); err != nil {
			return fmt.Errorf("ask for the time: %w", err)
		}
		if _, err := w.reconcileOnce(ctx, r.j.e, ledger.StaleClaim{Tenant: r.tenant, TriedBefore: &now}); err != nil {
			return err
		}
		failing, reason, err := w.store.FailingStale(ctx, m, r.tenant)
		switch {
		case err != nil || failing == 0:
			return err
		case try == tries:
			return &UncopiedError{Migration: m.Name, Tenant: r.tenant, Keys: failing, Reason: reason}
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// mark closes the checkpoint and marks the tenant, under the policy in force
// and only if the walk counts under it.
func (r *run) mark(ctx context.Context, fact ledger.Fact) error {
	j := r.j
	deadline := time.Now().Add(j.w.cfg.SettleTimeout)
	for conflicts := 0; ; {
		cp := r.cp
		cp.Done = true
		err := r.transact(ctx, nil, false, &cp, func(context.Context, *postgres.Tx, chunk) error { return nil })
		if err == nil {
			r.cp = cp
			acting := ledger.Version{Migration: j.m.Name, MigrationID: j.m.ID, Epoch: r.decision.Epoch, PolicyID: r.decision.PolicyID}
			if err = j.w.store.Mark(ctx, acting, fact, r.tenant); err == nil {
				return nil
			}
		}
		var stage *ledger.StageError
		switch {
		case errors.Is(err, ledger.ErrNotInForce) || errors.As(err, &stage) && time.Now().Before(deadline):
			j.forget()
			if err = sleep(ctx, 20*time.Millisecond); err == nil {
				err = r.readmit(ctx)
			}
		case classify(ctx, err) == classMoved:
			err = r.readmit(ctx)
		case classify(ctx, err) == classConflict:
			conflicts++
			err = r.giveWay(ctx, err, conflicts, 1)
		}
		if err != nil {
			return err
		}
	}
}
