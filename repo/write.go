package repo

import (
	"context"
	"errors"
	"time"

	"github.com/crossfade-db/crossfade/flags"
)

// Write serves a write without a result. At the dual stages both sides are
// written in one transaction; see [WriteResult].
func Write[R, A any](
	ctx context.Context, r *Route[R], op Op, tenant string, keys Keys, args A,
	call func(context.Context, R, A) error,
) error {
	_, err := WriteResult(ctx, r, op, tenant, keys, args, func(ctx context.Context, side R, args A) (struct{}, error) {
		return struct{}{}, call(ctx, side, args)
	})
	return err
}

// WriteResult serves a write. The authority's method runs first, and its
// result and its error are the caller's. At the dual stages the other side's
// method then runs in the same transaction. Where that fails, a lenient stage
// undoes what it did and records the keys as stale, and a strict one (live)
// undoes everything and returns a [*SideError]. At live, keys that are stale
// are first copied, so that the write repairs them.
//
// In a transaction of the application, an authority that sent a statement and
// then returned an error may have written. The keys are copied; a write by
// predicate leaves a record for the whole tenant, or, where the stage is strict,
// a transaction that can only be rolled back.
func WriteResult[R, A, V any](
	ctx context.Context, r *Route[R], op Op, tenant string, keys Keys, args A,
	call func(context.Context, R, A) (V, error),
) (V, error) {
	var answer V
	pristine := pristineOf(op, args)
	err := r.decided(ctx, tenant, keys, func(use flags.Use) error {
		defer use.Done()
		plan := use.Plan()
		scope := r.writeScope(op, use.Decision, tenant, keys)
		var run attempt
		err := r.backend.Write(ctx, scope, plan.ThroughStale, func(ctx context.Context, s Session[R]) (err error) {
			run = attempt{}
			pristine.restore()
			if err = r.repair(ctx, s, plan, tenant, keys, &run); err != nil {
				return err
			}
			if answer, err = authority(ctx, r, s, plan, scope, keys, args, &run, call); err != nil || !plan.WritesBoth {
				return err
			}
			again := args
			if op.CloneArgs {
				again = Clone(args)
			}
			return r.other(ctx, s, plan, scope, keys, &run, func(ctx context.Context) error {
				_, err := call(ctx, s.Side(plan.Authority.Other()), again)
				return err
			})
		})
		r.ended(ctx, run, scope, plan.Authority, err)
		return err
	})
	return answer, err
}

// Create serves an insert whose keys the database makes. The authority's
// method runs, the keys that keysOf finds are locked, and the other side gets
// a copy: its method is not called, or the sides would make different values.
// After an error of the authority the keys are not known, and in a transaction
// of the application it counts as a write by predicate that failed: see
// [WriteResult].
func Create[R, A, V any](
	ctx context.Context, r *Route[R], op Op, tenant string, args A, keysOf func(A, V) []string,
	call func(context.Context, R, A) (V, error),
) (V, error) {
	var answer V
	pristine := pristineOf(op, args)
	err := r.decided(ctx, tenant, KeyList(nil), func(use flags.Use) error {
		defer use.Done()
		plan := use.Plan()
		scope := r.writeScope(op, use.Decision, tenant, KeyList(nil))
		var run attempt
		err := r.backend.Write(ctx, scope, false, func(ctx context.Context, s Session[R]) (err error) {
			run = attempt{}
			pristine.restore()
			before := sentBy(s)
			if answer, err = authority(ctx, r, s, plan, scope, AllKeys(), args, &run, call); err != nil || !plan.WritesBoth {
				return err
			}
			keys := keysOf(args, answer)
			if err = s.Lock(ctx, keys); err != nil {
				r.erred(ctx, s, plan, scope, AllKeys(), before, err)
				return err
			}
			return r.other(ctx, s, plan, scope, KeyList(keys), &run, func(ctx context.Context) error {
				if err := r.copyKeys(ctx, s, plan.Authority, tenant, keys); err != nil {
					return err
				}
				return s.ClearStale(ctx, recorded(s, plan.Authority.Other()))
			})
		})
		r.ended(ctx, run, scope, plan.Authority, err)
		return err
	})
	return answer, err
}

// recorded are the records that the insert of a key made by the database left,
// where writes are captured: it was done before anybody could mark the key.
func recorded[R any](s Session[R], side flags.Side) (own []StaleKey) {
	for _, k := range s.Stale() {
		if k.Side == side && k.Key != StaleAll {
			own = append(own, k)
		}
	}
	return own
}

// repair copies the keys that are stale on the authority from the other side,
// under the keys' locks, and deletes their records.
func (r *Route[R]) repair(ctx context.Context, s Session[R], plan *flags.Plan, tenant string, keys Keys, run *attempt) error {
	var done []StaleKey
	var stale []string
	for _, k := range s.Stale() {
		switch {
		case k.Side != plan.Authority:
		case k.Key != StaleAll:
			stale, done = append(stale, k.Key), append(done, k)
		case keys.All():
			return &SideError{Side: plan.Authority, Err: errTenantStale}
		default: // the whole tenant is recorded: this write's keys are copied, the record stays
			stale = append(stale, keys.List()...)
		}
	}
	if len(stale) == 0 {
		return nil
	}
	if err := r.copyKeys(ctx, s, plan.Authority.Other(), tenant, stale); err != nil {
		return &SideError{Side: plan.Authority, Err: err}
	}
	run.repaired = len(stale)
	return s.ClearStale(ctx, done)
}

// other runs the write of the side without authority.
func (r *Route[R]) other(
	ctx context.Context, s Session[R], plan *flags.Plan, scope Scope, keys Keys, run *attempt, fn func(context.Context) error,
) error {
	side := plan.Authority.Other()
	var took time.Duration
	began, waits := r.began(), false
	err := s.Last(ctx, func(ctx context.Context) error {
		began = r.began()
		err := guard(func() error { return fn(ctx) })
		if waits = waiting(s); r.meter != nil {
			took = time.Since(began)
		}
		return err
	})
	if waits && r.meter != nil { // what travelled together is measured together
		took = time.Since(began)
	}
	if failed := s.Err(); err != nil && failed != nil {
		return failed // not for that side's sake, or nobody knows
	}
	run.tell(took, side, false, err)
	if err != nil && r.copier.NotFound(err) && !keys.All() {
		// A partial write met a key that the other side does not have yet: the
		// authority has it, so it is copied whole.
		err = s.Last(ctx, func(ctx context.Context) error {
			return guard(func() error { return r.copyKeys(ctx, s, plan.Authority, scope.Tenant, keys.List()) })
		})
	}
	if err == nil {
		return nil
	}
	if failed := s.Err(); failed != nil {
		return failed
	}
	stale := keys.List()
	if keys.All() {
		stale = []string{StaleAll}
	}
	if plan.Strict {
		if derr := s.Doom(ctx, side, stale, err); derr != nil {
			err = errors.Join(err, derr)
		}
		return &SideError{Op: scope.Op, Side: side, Err: err}
	}
	if rerr := s.RecordStale(ctx, side, stale, err); rerr != nil {
		return rerr
	}
	run.stale = len(stale)
	return nil
}

// authority runs the write of the side with authority, which may write keys, all
// of them where it is not known which.
func authority[R, A, V any](
	ctx context.Context, r *Route[R], s Session[R], plan *flags.Plan, scope Scope, keys Keys, args A,
	run *attempt, call func(context.Context, R, A) (V, error),
) (answer V, err error) {
	before, returned := sentBy(s), false
	defer func() {
		switch {
		case !returned:
			r.erred(ctx, s, plan, scope, keys, before, &PanicError{})
		case err != nil:
			r.erred(ctx, s, plan, scope, keys, before, err)
		}
	}()
	began := r.began()
	answer, err = call(ctx, s.Side(plan.Authority), args)
	returned = true
	if err == nil && waiting(s) {
		run.began, run.waits = began, true
		return answer, nil
	}
	if r.meter != nil {
		run.tell(time.Since(began), plan.Authority, true, err)
	}
	return answer, err
}

// attempt is what is to be told of one run of a write once it has ended: it may
// be followed by another.
type attempt struct {
	// waits says that statements of the side with authority still waited when its
	// method returned: how they went is known at the end.
	waits bool
	began time.Time
	// told are the calls of the sides whose end is known.
	told [2]told
	n    int
	// repaired and stale count keys that the write copied first, and keys that
	// the other side missed.
	repaired, stale int
}

// told is what the meter is to be told of one call of a side.
type told struct {
	took   time.Duration
	side   flags.Side
	served bool
	err    error
}

func (a *attempt) tell(took time.Duration, side flags.Side, served bool, err error) {
	if a.n < len(a.told) {
		a.told[a.n] = told{took: took, side: side, served: served, err: err}
		a.n++
	}
}

// ended tells the meter and the counts of the last run, unless that was refused:
// its errors are of the refusal.
func (r *Route[R]) ended(ctx context.Context, run attempt, scope Scope, side flags.Side, err error) {
	if err == nil {
		r.stats.repaired.Add(int64(run.repaired))
		r.stats.staleRecorded.Add(int64(run.stale))
	}
	if _, refused := errors.AsType[*RefusedError](err); refused {
		return
	}
	for _, c := range run.told[:run.n] {
		r.called(ctx, scope.told(c.side, c.served, c.took), c.err)
	}
	if !run.waits {
		return
	}
	failed := err
	if other, is := errors.AsType[*SideError](err); is && other.Side != side {
		failed = nil // the other side's failure
	}
	if r.meter != nil {
		r.called(ctx, scope.told(side, true, time.Since(run.began)), failed)
	}
}

// waiting reports whether statements of the sides wait to be sent.
func waiting[R any](s Session[R]) bool {
	w, ok := s.(interface{ Waiting() bool })
	return ok && w.Waiting()
}

// sentBy is how many statements the session's sides have sent, or -1 where the
// session cannot tell.
func sentBy[R any](s Session[R]) int {
	if counter, ok := s.(interface{ Sent() int }); ok {
		return counter.Sent()
	}
	return -1
}

// erred sees to what the authority may have written before it returned an error.
// A transaction of the application may go on after it, and be committed: there
// the other side gets what the keys hold now, or the keys, of which all may be
// meant, are recorded as stale; where the stage is strict, the transaction can no
// longer be committed. A refusal before the first statement has written nothing.
func (r *Route[R]) erred(ctx context.Context, s Session[R], plan *flags.Plan, scope Scope, keys Keys, before int, err error) {
	if !plan.WritesBoth || !r.backend.Transactional() || before >= 0 && before == sentBy(s) {
		return
	}
	missed, failed := keys.List(), err
	switch {
	case keys.All():
		missed = []string{StaleAll}
	case len(missed) == 0:
		return
	default:
		failed = s.Protect(ctx, func(ctx context.Context) error {
			return guard(func() error { return r.copyKeys(ctx, s, plan.Authority, scope.Tenant, missed) })
		})
	}
	side := plan.Authority.Other()
	switch {
	case failed == nil:
	case plan.Strict:
		_ = s.Doom(ctx, side, missed, failed)
	default: // a record that cannot be made leaves a transaction that cannot be committed
		_ = s.RecordStale(ctx, side, missed, failed)
	}
}

func (r *Route[R]) copyKeys(ctx context.Context, s Session[R], from flags.Side, tenant string, keys []string) error {
	for _, key := range keys {
		if err := r.copier.Copy(ctx, s.Side(from), s.Side(from.Other()), tenant, key); err != nil {
			return err
		}
	}
	return nil
}
