package backfill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// compares implements [Entity].
func (e *routed[R]) compares() comparing { return routedComparing[R]{e} }

type routedComparing[R any] struct{ *routed[R] }

func (routedComparing[R]) unavailable() error { return nil }
func (routedComparing[R]) once() bool         { return false }

func (e routedComparing[R]) compare(ctx context.Context, at place, p page) ([]found, error) {
	return e.again(ctx, at, p.keys)
}

// again compares keys one by one in one snapshot, which also holds their stale
// records and the policy in force.
func (e routedComparing[R]) again(ctx context.Context, at place, keys []string) (all []found, err error) {
	err = e.route.Backend().Read(ctx, scope(e.route.Migration(), "verify", at, repo.KeyList(keys)), true,
		func(ctx context.Context, s repo.Session[R]) error {
			if err := inForce(ctx, s, at); err != nil {
				return err
			}
			stale := map[string]bool{}
			for _, record := range s.Stale() {
				stale[record.Key] = true
			}
			for _, key := range keys {
				var diffs []compare.Diff
				err := guard(func() (err error) {
					diffs, err = e.route.Copier().Diff(ctx, s.Side(flags.OldSide), s.Side(flags.NewSide), at.tenant, key)
					return err
				})
				if err != nil {
					return err
				}
				if len(diffs) > 0 {
					all = append(all, found{key: key, diffs: diffs, stale: stale[key] || stale[repo.StaleAll]})
				}
			}
			return nil
		})
	return all, err
}

// inForce returns errMoved unless the snapshot shows the place's policy in
// force: writes of those who act on a later one cannot be in it then.
func inForce(ctx context.Context, session any, at place) error {
	s, ok := session.(interface{ DB() postgres.DBTX })
	if !ok {
		return &ConfigError{Problem: at.decision.Migration + ": the route's sides are not in the ledger's database: use postgres.Sides"}
	}
	var epoch int64
	var id [16]byte
	err := s.DB().QueryRow(ctx, "select epoch, policy_id from crossfade.migrations where name = $1", at.decision.Migration).Scan(&epoch, &id)
	if err != nil {
		return fmt.Errorf("read the policy in force: %w", err)
	}
	if epoch != at.decision.Epoch || flags.PolicyID(id) != at.decision.PolicyID {
		return errMoved
	}
	return nil
}

// verifyPhases are the keys of the old side, then those that the new one has
// beyond them.
var verifyPhases = [2]phase{
	{name: "compare", side: flags.OldSide},
	{name: "compare extra", side: flags.NewSide, extra: true},
}

// verifyTenant compares one tenant and marks it.
func (j *job) verifyTenant(ctx context.Context, tenant string) (ledger.Fact, error) {
	r := j.newRun(tenant)
	r.allowed = func(stage flags.Stage) error { return j.bothWritten(r, stage) }
	for {
		fact, err := r.verify(ctx)
		if !errors.Is(err, errRestarted) {
			return fact, err
		}
	}
}

func (r *run) verify(ctx context.Context) (ledger.Fact, error) {
	j := r.j
	if err := j.admit(ctx, r); err != nil {
		return 0, err
	}
	r.restarted = false
	if err := j.backfilled(ctx, r.tenant); err != nil {
		return 0, err
	}
	if !r.cp.Done {
		all := verifyPhases[:]
		if j.e.compares().once() {
			all = all[:1]
		} else {
			r.page = j.w.cfg.ChunkKeys // a snapshot of many round trips is kept short
		}
		if err := r.walkPhases(ctx, all, r.verifyPage); err != nil {
			return 0, err
		}
	}
	switch {
	case r.cp.Differing > 0:
		return ledger.NotVerified, r.mark(ctx, ledger.NotVerified)
	case r.cp.Inconclusive > 0:
		return 0, &InconclusiveError{Migration: j.m.Name, Tenant: r.tenant, Keys: r.cp.Inconclusive}
	}
	if err := r.mark(ctx, ledger.Verified); err != nil {
		return 0, err
	}
	began := j.detail.RequestedAt
	if j.detail.StartedAt != nil {
		began = *j.detail.StartedAt
	}
	return ledger.Verified, j.w.store.ResolveVerified(ctx, j.m, r.tenant, began)
}

// backfilled refuses to compare sides of which one is known to lack keys.
func (j *job) backfilled(ctx context.Context, tenant string) error {
	for _, epoch := range []int64{1, 0} { // what is known, and then afresh
		s, err := j.look(ctx, epoch)
		if err != nil {
			return err
		}
		if s.state.Tenant(tenant).BackfilledAt != nil {
			return nil
		}
	}
	return &NotBackfilledError{Migration: j.m.Name, Tenant: tenant}
}

// sinkBatch is how many records a sink is given at once.
const sinkBatch = 200

// verifyPage compares one page and saves the checkpoint behind it.
func (r *run) verifyPage(ctx context.Context, ph phase, p page) error {
	end := p.end()
	if ph.extra {
		keys, err := extra(ctx, r.j.e, r.place(), ph.side.Other(), p)
		if err != nil {
			return err
		}
		if p.keys = keys; len(keys) == 0 {
			r.cp.Cursor = end
			return nil
		}
	}
	if err := r.j.w.limiter.wait(ctx, len(p.keys)); err != nil {
		return err
	}
	differing, err := r.compared(ctx, p)
	if err != nil {
		return err
	}
	cp := r.cp
	cp.Cursor = end
	cp.KeysDone += int64(len(p.keys))
	var records []compare.Record
	for _, f := range differing {
		diffs := r.j.w.cfg.Rules.Apply(f.diffs)
		verdict := compare.Judge(diffs)
		switch {
		case f.stale || verdict == compare.Inconclusive:
			cp.Inconclusive++
		case verdict == compare.Mismatched:
			cp.Differing++
			records = append(records, compare.Records(r.record(f.key), diffs)...)
		}
	}
	for some := range slices.Chunk(records, sinkBatch) {
		if err := r.j.w.sink.Record(ctx, some); err != nil {
			return fmt.Errorf("record what differs: %w", err)
		}
	}
	if err := ledger.SaveCheckpoint(ctx, r.j.w.pool, r.j.claim, cp); err != nil {
		return err
	}
	r.cp = cp
	return nil
}

func (r *run) record(key string) compare.Record {
	return compare.Record{
		Migration: r.j.m.Name, Tenant: r.tenant, Operation: ledger.VerifyOperation, Key: key,
		Stage: r.decision.Stage.String(), Epoch: r.decision.Epoch, At: time.Now(),
	}
}

// compared returns the keys of a page that are not equal. Those that are stale
// are repaired first, and compared again, as are those that a range showed on
// one side alone.
func (r *run) compared(ctx context.Context, p page) ([]found, error) {
	how := r.j.e.compares()
	all, err := r.snapshot(ctx, p.keys, func(ctx context.Context, at place) ([]found, error) { return how.compare(ctx, at, p) })
	if err != nil {
		return nil, err
	}
	var stale []ledger.StaleKey
	var keys []string
	var rest []found
	for _, f := range all {
		switch {
		case f.stale:
			stale = append(stale, ledger.StaleKey{Tenant: r.tenant, Key: f.key})
		case f.unsure:
		default:
			rest = append(rest, f)
			continue
		}
		keys = append(keys, f.key)
	}
	if len(keys) == 0 {
		return rest, nil
	}
	if _, err := r.j.w.repairKeys(ctx, r.j.e, r.tenant, stale); err != nil {
		return nil, err
	}
	again, err := r.snapshot(ctx, keys, func(ctx context.Context, at place) ([]found, error) { return how.again(ctx, at, keys) })
	return append(rest, again...), err
}

// snapshot runs a comparison under the run's decision, which stays in use
// meanwhile. What cannot be read is compared key by key.
func (r *run) snapshot(ctx context.Context, keys []string, fn func(context.Context, place) ([]found, error)) ([]found, error) {
	for conflicts := 0; ; {
		all, err := r.inUse(ctx, fn)
		if err == nil {
			return all, nil
		}
		switch classify(ctx, err) {
		case classMoved:
			if err := r.readmit(ctx); err != nil {
				return nil, err
			}
		case classConflict:
			conflicts++
			if err := r.giveWay(ctx, err, conflicts, 1); err != nil {
				return nil, err
			}
		case classData:
			return r.oneByOne(ctx, keys)
		default:
			return nil, err
		}
	}
}

func (r *run) inUse(ctx context.Context, fn func(context.Context, place) ([]found, error)) ([]found, error) {
	subject := flags.Subject{Tenant: r.tenant}
	use, err := r.j.e.flag().Enter(ctx, subject)
	if err != nil {
		return nil, err
	}
	defer use.Done()
	if use.Epoch != r.decision.Epoch || use.PolicyID != r.decision.PolicyID {
		return nil, errMoved
	}
	all, err := fn(ctx, r.place())
	if errors.Is(err, errMoved) {
		r.j.forget()
		if rerr := r.j.e.flag().Refused(ctx, subject, use.Decision); rerr != nil {
			return nil, fmt.Errorf("load the policy in force: %w", rerr)
		}
	}
	return all, err
}

// oneByOne compares keys in snapshots of their own, as one of them makes a
// side fail: nothing can be said about that one.
func (r *run) oneByOne(ctx context.Context, keys []string) ([]found, error) {
	var all []found
	how := r.j.e.compares()
	for _, key := range keys {
		for {
			one, err := r.inUse(ctx, func(ctx context.Context, at place) ([]found, error) { return how.again(ctx, at, []string{key}) })
			if err == nil {
				all = append(all, one...)
				break
			}
			switch classify(ctx, err) {
			case classMoved:
				if err := r.readmit(ctx); err != nil {
					return nil, err
				}
				continue
			case classData, classConflict:
				all = append(all, found{key: key, diffs: []compare.Diff{{Kind: compare.KindUncomparable}}})
			default:
				return nil, err
			}
			break
		}
	}
	return all, nil
}
