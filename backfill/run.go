package backfill

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// run is work in progress on one tenant. It belongs to one goroutine.
type run struct {
	j        *job
	tenant   string
	cp       ledger.Checkpoint
	decision flags.Decision // set by admit
	from     flags.Side     // the side that is copied from
	page     int            // keys that are walked at once
	size     int            // keys of the next chunk
	// allowed says whether the work is possible at a stage.
	allowed func(flags.Stage) error
	// save writes the checkpoint in the chunk's transaction.
	save    func(ctx context.Context, tx *postgres.Tx, c chunk, cp ledger.Checkpoint) error
	failing int // keys that could not be copied
	// restarted says that admit had the run begin anew.
	restarted bool
}

func (j *job) newRun(tenant string) *run {
	r := &run{j: j, tenant: tenant, cp: j.checkpoint[tenant], page: j.w.cfg.ChunkKeys, size: j.w.cfg.ChunkKeys}
	r.cp.Tenant = tenant
	r.save = func(ctx context.Context, tx *postgres.Tx, _ chunk, cp ledger.Checkpoint) error {
		return ledger.SaveCheckpoint(ctx, tx, j.claim, cp)
	}
	return r
}

func (r *run) restart() {
	r.cp = ledger.Checkpoint{Tenant: r.tenant}
	r.restarted = true
}

func (r *run) place() place { return place{decision: r.decision, tenant: r.tenant} }

// readmit admits the run under the policy in force, or returns errRestarted.
func (r *run) readmit(ctx context.Context) error {
	r.restarted = false
	if err := r.j.admit(ctx, r); err != nil {
		return err
	}
	if r.restarted {
		return errRestarted
	}
	return nil
}

// transact runs work in one transaction behind the fence, under the locks of
// the keys, and saves the checkpoint in it. When the run's decision is no
// longer in force it returns errMoved, and nothing was done.
func (r *run) transact(
	ctx context.Context, keys []string, deferred bool, cp *ledger.Checkpoint, work func(context.Context, *postgres.Tx, chunk) error,
) error {
	flag, subject := r.j.e.flag(), flags.Subject{Tenant: r.tenant}
	refused := false
	err := r.j.w.database().InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		use, err := flag.Enter(ctx, subject) // ends after the transaction: InTx pins it
		if err != nil {
			return err
		}
		defer use.Done()
		if use.Epoch != r.decision.Epoch || use.PolicyID != r.decision.PolicyID {
			return errMoved
		}
		if deferred {
			if _, err := tx.Exec(ctx, "set constraints all deferred"); err != nil {
				return fmt.Errorf("defer the constraints: %w", err)
			}
		}
		err = r.j.e.fenced(ctx, tx, r.place(), keys, func(ctx context.Context, c chunk) error {
			if err := work(ctx, tx, c); err != nil {
				return err
			}
			return r.save(ctx, tx, c, *cp)
		})
		if repo.Retryable(err) {
			refused = true
			return errMoved
		}
		return err
	})
	if refused {
		r.j.forget()
		if err := flag.Refused(ctx, subject, r.decision); err != nil {
			return fmt.Errorf("load the policy in force: %w", err)
		}
	}
	return err
}

// repairable reports whether, at a stage, a key that is stale on a side can be
// taken from the other one. The direction of a copy comes from here and from
// the record, never from the stage alone: at new the other side is out of date
// altogether, and at old nobody keeps the new one.
func repairable(plan *flags.Plan, side flags.Side) bool {
	return plan.WritesBoth && (side != plan.Authority || plan.ThroughStale)
}

// copyLocked copies keys, whose locks are held, from the run's side to the
// other, or where a stale record says so the other way round, and deletes
// exactly the records that were read under the locks.
func (r *run) copyLocked(ctx context.Context, c chunk, keys []string) (int64, error) {
	plan := r.decision.Stage.Plan()
	var whole *flags.Side // the source for keys without a record of their own
	own := map[string]flags.Side{}
	var done []repo.StaleKey
	for _, record := range c.Stale() {
		if !repairable(plan, record.Side) {
			return 0, &staleError{side: record.Side, stage: r.decision.Stage, whole: record.Key == repo.StaleAll}
		}
		source := record.Side.Other()
		if record.Key == repo.StaleAll {
			if whole != nil && *whole != source {
				return 0, &staleError{side: record.Side, stage: r.decision.Stage, whole: true}
			}
			whole = &source
			continue
		}
		if other, ok := own[record.Key]; ok && other != source {
			return 0, &staleError{side: record.Side, stage: r.decision.Stage}
		}
		own[record.Key] = source
		done = append(done, record)
	}
	var bySource [2][]string
	for _, key := range keys {
		source, ok := own[key]
		switch {
		case ok && whole != nil && *whole != source:
			return 0, &staleError{side: source, stage: r.decision.Stage}
		case !ok && whole != nil:
			source = *whole
		case !ok:
			source = r.from
		}
		bySource[source] = append(bySource[source], key)
	}
	var changed int64
	for source, some := range bySource {
		if len(some) == 0 {
			continue
		}
		n, err := c.copy(ctx, flags.Side(source), some) //nolint:gosec // 0 or 1
		if err != nil {
			return 0, err
		}
		changed += n
	}
	return changed, c.ClearStale(ctx, done)
}

// Limits of a chunk that meets the locks of others.
const (
	maxConflicts = 40
	maxPause     = time.Second
	// maxFailing keys that cannot be copied stop a tenant: the cause is the
	// same, and each has its record.
	maxFailing = 100
)

// copyPage copies keys in chunks, each with its checkpoint, and leaves the
// cursor at end. A chunk that meets locks waits and is halved; one that holds a
// key which cannot be copied is cut until that key is found.
func (r *run) copyPage(ctx context.Context, keys []string, end string) error {
	conflicts, deferred := 0, false
	for len(keys) > 0 {
		some := keys[:min(r.size, len(keys))]
		cp := r.cp
		cp.KeysDone += int64(len(some))
		cp.Cursor = some[len(some)-1]
		if len(some) == len(keys) {
			cp.Cursor = end
		}
		if err := r.j.w.limiter.wait(ctx, len(some)); err != nil {
			return err
		}
		err := r.transact(ctx, some, deferred, &cp, func(ctx context.Context, _ *postgres.Tx, c chunk) error {
			changed, err := r.copyLocked(ctx, c, some)
			cp.KeysChanged = r.cp.KeysChanged + changed
			return err
		})
		if err == nil {
			r.cp, keys, conflicts, deferred = cp, keys[len(some):], 0, false
			r.size = min(2*r.size, r.j.w.cfg.ChunkKeys)
			continue
		}
		switch classify(ctx, err) {
		case classMoved:
			err = r.readmit(ctx)
		case classConflict:
			conflicts++
			err = r.giveWay(ctx, err, conflicts, len(some))
		case classData:
			var stale *staleError
			switch {
			case errors.As(err, &stale) && stale.whole:
			case len(some) == 1:
				if err = r.leave(ctx, some[0], cp, err); err == nil {
					keys = keys[1:]
				}
			case !deferred:
				deferred, err = true, nil // values may be swapped among the keys
			default:
				r.size, deferred, err = (len(some)+1)/2, false, nil
			}
		}
		if err != nil {
			return err
		}
	}
	r.cp.Cursor = end
	return nil
}

// giveWay waits before a chunk that met the locks of others is tried again.
func (r *run) giveWay(ctx context.Context, err error, conflicts, keys int) error {
	if conflicts > maxConflicts && keys == 1 {
		return fmt.Errorf("a key stays locked by others: %w", err)
	}
	if conflicts > 1 {
		r.size = max(1, keys/2)
	}
	pause := min(10*time.Millisecond<<min(conflicts, 10), maxPause)
	return sleep(ctx, pause/2+rand.N(pause/2+1))
}

// leave records a key that cannot be copied as stale, with the reason, so that
// it blocks the step, is shown, and is tried again; the walk goes on.
func (r *run) leave(ctx context.Context, key string, cp ledger.Checkpoint, why error) error {
	if r.failing++; r.failing > maxFailing {
		return &UncopiedError{Migration: r.j.m.Name, Tenant: r.tenant, Keys: int64(r.failing), Reason: describe(why)}
	}
	for conflicts := 0; ; {
		cp.KeysChanged = r.cp.KeysChanged
		var standing []int64
		err := r.transact(ctx, []string{key}, false, &cp, func(ctx context.Context, tx *postgres.Tx, c chunk) error {
			standing = standing[:0]
			for _, record := range c.Stale() {
				if record.Key == key {
					standing = append(standing, record.ID)
				}
			}
			if len(standing) > 0 {
				return nil
			}
			return ledger.AddFailedStale(ctx, tx, r.j.m, ledger.StaleKey{
				Tenant: r.tenant, Side: r.from.Other(), Key: key, Epoch: r.decision.Epoch, Cause: describe(why),
			})
		})
		if err == nil {
			r.cp = cp
			if len(standing) > 0 {
				return r.j.w.store.FailStale(ctx, describe(why), standing...)
			}
			return nil
		}
		switch classify(ctx, err) {
		case classMoved:
			err = r.readmit(ctx)
			cp.Epoch = r.cp.Epoch
		case classConflict:
			conflicts++
			err = r.giveWay(ctx, err, conflicts, 1)
		}
		if err != nil {
			return err
		}
	}
}

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

// Phases of a copy: the keys of the source, then those that the target has
// beyond them, which would stay there as orphans.
func phases(from flags.Side) []phase {
	return []phase{
		{name: "copy from " + from.String(), side: from},
		{name: "extra on " + from.Other().String(), side: from.Other(), extra: true},
	}
}

type phase struct {
	name  string
	side  flags.Side // whose keys are walked
	extra bool       // only those that the other side lacks
}

// phaseSource returns the side that a phase copies from.
func phaseSource(name string) (flags.Side, bool) {
	for _, from := range []flags.Side{flags.OldSide, flags.NewSide} {
		for _, p := range phases(from) {
			if p.name == name {
				return from, true
			}
		}
	}
	return 0, false
}

// copyBoth walks the keys of both sides, from the checkpoint on.
func (r *run) copyBoth(ctx context.Context) error {
	return r.walkPhases(ctx, phases(r.from), func(ctx context.Context, ph phase, p page) error {
		keys := p.keys
		if ph.extra {
			var err error
			if keys, err = extra(ctx, r.j.e, r.place(), ph.side.Other(), p); err != nil {
				return err
			}
		}
		return r.copyPage(ctx, keys, p.end())
	})
}

// walkPhases walks the pages of each phase from the checkpoint on.
func (r *run) walkPhases(ctx context.Context, all []phase, visit func(context.Context, phase, page) error) error {
	if r.cp.Phase == "" {
		r.cp.Phase = all[0].name
	}
	for i, ph := range all {
		if r.cp.Phase != ph.name {
			continue
		}
		if err := r.walkPhase(ctx, ph, visit); err != nil {
			return err
		}
		if i+1 < len(all) {
			r.cp.Phase, r.cp.Cursor, r.cp.Bound = all[i+1].name, "", ""
		}
	}
	return nil
}

func (r *run) walkPhase(ctx context.Context, ph phase, visit func(context.Context, phase, page) error) error {
	for r.cp.Cursor == "" || r.cp.Cursor != r.cp.Bound {
		p, err := next(ctx, r.j.e, r.place(), ph.side, r.cp.Cursor, r.cp.Bound, r.page)
		if err != nil {
			return err
		}
		if r.cp.Bound == "" {
			count := int64(len(p.keys))
			if r.cp.Bound = p.end(); !p.last {
				if count, r.cp.Bound, err = measure(ctx, r.j.e, r.place(), ph.side); err != nil {
					return err
				}
			}
			if !ph.extra {
				r.cp.KeysAll = count
			}
		}
		if err := visit(ctx, ph, p); err != nil {
			return err
		}
		if p.last {
			return nil
		}
	}
	return nil
}

// complete ends a tenant whose keys were all walked: what is stale is tried
// once more, and if nothing is left that cannot be copied, the tenant is marked.
func (r *run) complete(ctx context.Context) error {
	j := r.j
	var now time.Time // the server's
	if err := j.w.pool.QueryRow(ctx, "select clock_timestamp()").Scan(&now); err != nil {
		return fmt.Errorf("ask for the time: %w", err)
	}
	if _, err := j.w.reconcileOnce(ctx, j.e, ledger.StaleClaim{Tenant: r.tenant, TriedBefore: &now}); err != nil {
		return err
	}
	failing, reason, err := j.w.store.FailingStale(ctx, j.m, r.tenant)
	if err != nil {
		return err
	}
	if failing > 0 {
		return &UncopiedError{Migration: j.m.Name, Tenant: r.tenant, Keys: failing, Reason: reason}
	}
	fact := ledger.Backfilled
	if r.from == flags.NewSide {
		fact = ledger.OldComplete
	}
	return r.mark(ctx, fact)
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
