package backfill

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// Repairs counts what became of stale records.
type Repairs struct {
	Repaired int64 // copied, and their records deleted
	Failed   int64 // not copied; their records say why
	Left     int64 // not possible at their tenants' stages
}

func (r *Repairs) add(o Repairs) {
	r.Repaired += o.Repaired
	r.Failed += o.Failed
	r.Left += o.Left
}

// repairBatch is how many stale keys are copied in one transaction.
const repairBatch = 50

// reconcileAlways repairs stale keys whose time has come, until ctx ends.
func (w *Worker) reconcileAlways(ctx context.Context, e Entity) {
	for round := 0; sleep(ctx, w.cfg.ReconcileEvery) == nil; round++ {
		done, err := w.reconcileOnce(ctx, e, ledger.StaleClaim{})
		if err == nil && round%sumEvery == 0 {
			err = w.sumCaptures(ctx, e)
		}
		switch {
		case err != nil && ctx.Err() == nil:
			w.log.Warn("cannot repair stale keys", "migration", e.Migration(), "error", describe(err))
		case done.Repaired+done.Failed > 0:
			w.log.Info("stale keys", "migration", e.Migration(), "repaired", done.Repaired, "failed", done.Failed)
		}
		if done.Repaired == 0 || w.cfg.AfterRepair == nil {
			continue
		}
		if err := w.cfg.AfterRepair(ctx, e.Migration()); err != nil && ctx.Err() == nil {
			w.log.Warn("after repairing stale keys", "migration", e.Migration(), "error", describe(err))
		}
	}
}

// sumEvery is after how many rounds the log of captured statements is summed up.
const sumEvery = 60

// sumCaptures keeps the log of statements that bypassed the application small.
func (w *Worker) sumCaptures(ctx context.Context, e Entity) error {
	m, err := w.migration(ctx, e.Migration())
	if err != nil {
		return err
	}
	return w.store.SumCaptures(ctx, m)
}

// reconcile is the job: every stale key once, also those that failed before.
func (j *job) reconcile(ctx context.Context) error {
	s, err := j.look(ctx, 0)
	if err != nil {
		return err
	}
	tenants := j.detail.Tenants
	if len(tenants) == 0 {
		tenants = []string{""}
	}
	cp := ledger.Checkpoint{Phase: "repair"}
	for _, count := range s.state.Stale {
		cp.KeysAll += count.Keys
	}
	var total Repairs
	for _, tenant := range tenants {
		claim := ledger.StaleClaim{Tenant: tenant, TriedBefore: &s.state.At, Limit: repairBatch}
		for {
			recs, err := j.w.store.ClaimStale(ctx, j.m, claim)
			if err != nil {
				return err
			}
			if len(recs) == 0 {
				break
			}
			done, err := j.w.repairAll(ctx, j.e, recs)
			if err != nil {
				return err
			}
			total.add(done)
			cp.KeysDone, cp.KeysChanged = total.Repaired+total.Failed+total.Left, total.Repaired
			if err := ledger.SaveCheckpoint(ctx, j.w.pool, j.claim, cp); err != nil {
				return err
			}
		}
	}
	if total.Failed+total.Left > 0 {
		return &UnrepairedError{Migration: j.m.Name, Repairs: total}
	}
	return nil
}

// reconcileOnce repairs the stale keys that a claim takes, until it takes none.
func (w *Worker) reconcileOnce(ctx context.Context, e Entity, claim ledger.StaleClaim) (Repairs, error) {
	var total Repairs
	m, err := w.migration(ctx, e.Migration())
	if err != nil {
		return total, err
	}
	claim.Limit = repairBatch
	for {
		recs, err := w.store.ClaimStale(ctx, m, claim)
		if err != nil || len(recs) == 0 {
			return total, err
		}
		done, err := w.repairAll(ctx, e, recs)
		total.add(done)
		if err != nil {
			return total, err
		}
	}
}

// repairAll repairs claimed records, tenant by tenant.
func (w *Worker) repairAll(ctx context.Context, e Entity, recs []ledger.StaleKey) (Repairs, error) {
	var total Repairs
	byTenant := map[string][]ledger.StaleKey{}
	var order []string
	for _, rec := range recs {
		if byTenant[rec.Tenant] == nil {
			order = append(order, rec.Tenant)
		}
		byTenant[rec.Tenant] = append(byTenant[rec.Tenant], rec)
	}
	defer func() {
		w.repaired.Add(total.Repaired)
		w.failed.Add(total.Failed)
	}()
	for _, tenant := range order {
		var keys, wholes []ledger.StaleKey
		for _, rec := range byTenant[tenant] {
			if rec.Key == repo.StaleAll {
				wholes = append(wholes, rec)
			} else {
				keys = append(keys, rec)
			}
		}
		done, err := w.repairKeys(ctx, e, tenant, keys)
		total.add(done)
		if err != nil {
			return total, err
		}
		for _, rec := range wholes {
			done, err := w.repairTenant(ctx, e, tenant, rec)
			total.add(done)
			if err != nil {
				return total, err
			}
		}
	}
	return total, nil
}

// repairKeys copies stale keys of one tenant in one transaction, or where that
// fails one by one.
func (w *Worker) repairKeys(ctx context.Context, e Entity, tenant string, recs []ledger.StaleKey) (Repairs, error) {
	if len(recs) == 0 {
		return Repairs{}, nil
	}
	r, err := w.repairRun(ctx, e, tenant)
	if err != nil {
		return Repairs{}, err
	}
	done, err := r.repair(ctx, recs)
	if err == nil || classify(ctx, err) != classData || len(recs) == 1 {
		return r.failed(ctx, done, err, recs)
	}
	var total Repairs
	for _, rec := range recs {
		one := []ledger.StaleKey{rec}
		done, err := r.repair(ctx, one)
		if done, err = r.failed(ctx, done, err, one); err != nil {
			return total, err
		}
		total.add(done)
	}
	return total, nil
}

// failed notes why records could not be repaired. The server's failures are
// returned.
func (r *run) failed(ctx context.Context, done Repairs, err error, recs []ledger.StaleKey) (Repairs, error) {
	if err == nil {
		return done, nil
	}
	if c := classify(ctx, err); c == classLost || c == classServer {
		return Repairs{}, err
	}
	ids := make([]int64, len(recs))
	for i, rec := range recs {
		ids[i] = rec.ID
	}
	return Repairs{Failed: int64(len(recs))}, r.j.w.store.FailStale(ctx, describe(err), ids...)
}

// repairRun is a run without a job: its checkpoint is nowhere saved.
func (w *Worker) repairRun(ctx context.Context, e Entity, tenant string) (*run, error) {
	m, err := w.migration(ctx, e.Migration())
	if err != nil {
		return nil, err
	}
	j := &job{w: w, e: e, m: m, waiting: map[string]string{}}
	r := j.newRun(tenant)
	r.allowed = func(flags.Stage) error { return nil }
	r.save = func(context.Context, *postgres.Tx, chunk, ledger.Checkpoint) error { return nil }
	return r, nil
}

// repair copies the keys in the direction that each record says, and deletes
// exactly the records that it read under the keys' locks.
func (r *run) repair(ctx context.Context, recs []ledger.StaleKey) (Repairs, error) {
	keys := make([]string, len(recs))
	for i, rec := range recs {
		keys[i] = rec.Key
	}
	slices.Sort(keys) // capture records a key once for each statement
	keys = slices.Compact(keys)
	for tries, deferred := 0, false; ; tries++ {
		decision, err := r.j.decide(ctx, r.tenant)
		if err != nil {
			return Repairs{}, err
		}
		r.decision = decision
		var done Repairs
		err = r.transact(ctx, keys, deferred, &r.cp, func(ctx context.Context, _ *postgres.Tx, c chunk) error {
			done, err = r.repairLocked(ctx, c, keys)
			return err
		})
		if err == nil {
			return done, nil
		}
		switch classify(ctx, err) {
		case classMoved:
			if tries > maxConflicts {
				return Repairs{}, err
			}
			if err := sleep(ctx, time.Duration(min(tries, 10))*time.Millisecond); err != nil {
				return Repairs{}, err
			}
		case classConflict:
			if tries > 5 { // its next time will come
				return Repairs{}, err
			}
			if err := r.giveWay(ctx, err, tries+1, 1); err != nil {
				return Repairs{}, err
			}
		case classData:
			if deferred || len(keys) == 1 {
				return Repairs{}, err
			}
			deferred = true
		default:
			return Repairs{}, err
		}
	}
}

// repairLocked copies those of the keys that are stale still.
func (r *run) repairLocked(ctx context.Context, c chunk, keys []string) (Repairs, error) {
	plan := r.decision.Plan()
	stale := map[string]bool{}
	for _, record := range c.Stale() {
		if !repairable(plan, record.Side) {
			if len(keys) == 1 {
				return Repairs{Left: 1}, nil
			}
			return Repairs{}, &staleError{side: record.Side, stage: r.decision.Stage}
		}
		stale[record.Key] = true
	}
	var some []string
	for _, key := range keys {
		if stale[key] {
			some = append(some, key)
		}
	}
	r.from = plan.Authority // for no key: each has its record
	if _, err := r.copyLocked(ctx, c, some); err != nil {
		return Repairs{}, err
	}
	return Repairs{Repaired: int64(len(keys))}, nil
}

// repairTenant copies a whole tenant, of which one side missed a write by
// predicate, and then deletes that one record.
func (w *Worker) repairTenant(ctx context.Context, e Entity, tenant string, rec ledger.StaleKey) (Repairs, error) {
	r, err := w.repairRun(ctx, e, tenant)
	if err != nil {
		return Repairs{}, err
	}
	left := false
	r.from = rec.Side.Other()
	r.allowed = func(stage flags.Stage) error {
		if left = !repairable(stage.Plan(), rec.Side); left {
			return &staleError{side: rec.Side, stage: stage}
		}
		return nil
	}
	gone := errors.New("the record is gone")
	r.save = func(_ context.Context, _ *postgres.Tx, c chunk, _ ledger.Checkpoint) error {
		for _, record := range c.Stale() {
			if record.ID == rec.ID {
				return nil
			}
		}
		return gone
	}
	one := []ledger.StaleKey{rec}
	for {
		err := r.j.admit(ctx, r)
		if err == nil {
			r.restarted = false
			err = r.copyBoth(ctx)
		}
		if err == nil {
			err = r.transact(ctx, nil, false, &r.cp, func(ctx context.Context, _ *postgres.Tx, c chunk) error {
				return c.ClearStale(ctx, []repo.StaleKey{{ID: rec.ID, Key: rec.Key, Side: rec.Side}})
			})
		}
		switch {
		case err == nil, errors.Is(err, gone):
			return Repairs{Repaired: 1}, nil
		case errors.Is(err, errRestarted):
			continue
		case left:
			return Repairs{Left: 1}, nil
		case classify(ctx, err) == classMoved:
			r.restart() // the last step met another policy: walk again
			continue
		}
		return r.failed(ctx, Repairs{}, err, one)
	}
}
