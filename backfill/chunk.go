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

// repairable reports whether, at a stage, a key that is stale on a side can be
// taken from the other one. The direction of a copy comes from here and from
// the record, never from the stage alone: at new the other side is out of date
// altogether, and at old nobody keeps the new one.
func repairable(plan *flags.Plan, side flags.Side) bool {
	return plan.WritesBoth && (side != plan.Authority || plan.ThroughStale)
}

// copyLocked copies keys, whose locks are held, and deletes exactly the stale
// records that were read under the locks.
func (r *run) copyLocked(ctx context.Context, c chunk, keys []string) (int64, error) {
	bySource, done, err := r.directions(keys, c.Stale())
	if err != nil {
		return 0, err
	}
	var changed int64
	for source, some := range bySource {
		if len(some) == 0 {
			continue
		}
		n, err := c.copy(ctx, flags.Side(source), some, r.seen && len(done) == 0) //nolint:gosec // 0 or 1
		if err != nil {
			return 0, err
		}
		changed += n
	}
	return changed, c.ClearStale(ctx, done)
}

// directions sorts keys by the side to copy them from: where a key or the whole
// tenant has a stale record, the side that the record does not name, and else
// the run's. It also returns the records that are settled by the copy.
func (r *run) directions(keys []string, records []repo.StaleKey) (bySource [2][]string, settled []repo.StaleKey, err error) {
	stage := r.decision.Stage
	var whole *flags.Side // the source for keys without a record of their own
	own := map[string]flags.Side{}
	for _, record := range records {
		forAll := record.Key == repo.StaleAll
		source := record.Side.Other()
		other, known := own[record.Key]
		switch {
		case !repairable(stage.Plan(), record.Side), forAll && whole != nil && *whole != source, known && other != source:
			return bySource, nil, &staleError{side: record.Side, stage: stage, whole: forAll}
		case forAll:
			whole = &source
		default:
			own[record.Key] = source
			settled = append(settled, record)
		}
	}
	for _, key := range keys {
		source, ok := own[key]
		switch {
		case ok && whole != nil && *whole != source:
			return bySource, nil, &staleError{side: source, stage: stage}
		case !ok && whole != nil:
			source = *whole
		case !ok:
			source = r.from
		}
		bySource[source] = append(bySource[source], key)
	}
	return bySource, settled, nil
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
