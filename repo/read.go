package repo

import (
	"context"
	"errors"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
)

// Read serves a read or a list. The authority's answer is returned as it is;
// where the stage compares, the other side is read and compared afterwards.
// At live a key that is stale on the new side is answered by the old side, and
// so is a key whose new side errs, while the old side is complete. Under a share
// of keys between shadow and live, a list takes each row's side: see [Copier.Mix].
//
// Outside of a transaction an answer counts only if the lease held until it was
// there; otherwise it is thrown away and the read repeated under a new decision.
func Read[R, A, V any](
	ctx context.Context, r *Route[R], op Op, tenant string, keys Keys, diff compare.Func[V], args A,
	call func(context.Context, R, A) (V, error),
) (V, error) {
	q := query[R, A, V]{route: r, op: op, tenant: tenant, keys: keys, diff: diff, args: args, call: call}
	var answer V
	err := r.decided(ctx, tenant, keys, func(use flags.Use) (err error) {
		handed := false // to the comparer, which then ends the use
		defer func() {
			if !handed {
				use.Done()
			}
		}()
		plan := use.Plan()
		var compared bool
		base := &answer // the authority's own answer
		if q.mixes(use) {
			base = new(V)
			answer, *base, err = q.serveMixed(ctx, use)
		} else {
			answer, compared, err = q.serve(ctx, plan, use.Decision)
		}
		if lapsed := r.held(use, tenant); lapsed != nil && !refusedOrGone(ctx, err) {
			var none V
			answer = none
			return lapsed
		}
		if plan.Compares && !compared && diff != nil && r.comparer != nil && !r.backend.Transactional() && !refusedOrGone(ctx, err) {
			handed = q.submit(ctx, use, *base, err)
		}
		return err
	})
	return answer, err
}

// refusedOrGone tells answers that say nothing about the data.
func refusedOrGone(ctx context.Context, err error) bool {
	var refused *RefusedError
	return err != nil && (errors.As(err, &refused) || ctx.Err() != nil)
}

// query is one read on its way.
type query[R, A, V any] struct {
	route  *Route[R]
	op     Op
	tenant string
	keys   Keys
	diff   compare.Func[V]
	args   A
	call   func(context.Context, R, A) (V, error)
}

// serve returns the caller's answer; other says that it came from the side
// without authority, so that there is nothing to compare it with.
func (q query[R, A, V]) serve(ctx context.Context, plan *flags.Plan, d flags.Decision) (answer V, other bool, err error) {
	scope := q.route.scope(q.op, d, q.tenant, q.keys)
	side := plan.Authority
	err = q.route.backend.Read(ctx, scope, plan.ThroughStale, func(ctx context.Context, s Session[R]) (err error) {
		side, other = plan.Authority, false // it may run again
		if staleOn(s.Stale(), plan.Authority) {
			side, other = plan.Authority.Other(), true
		}
		read := func(ctx context.Context) (err error) {
			began := q.route.began()
			answer, err = q.call(ctx, s.Side(side), q.args)
			q.route.called(ctx, began, scope, side, true, err)
			return err
		}
		if plan.Fallback && q.route.backend.Transactional() {
			return s.Protect(ctx, read) // so that the transaction survives for the fallback
		}
		return read(ctx)
	})
	if other {
		q.route.stats.staleReads.Add(1)
	}
	if err == nil || other || !plan.Fallback || refusedOrGone(ctx, err) || q.route.copier.NotFound(err) {
		return answer, other, err
	}
	if fallback, ok := q.fallback(ctx, scope, plan.Authority.Other()); ok {
		q.route.stats.fallbacks.Add(1)
		return fallback, true, nil
	}
	return answer, false, err
}

// fallback asks the other side in a new snapshot, provided that it is complete
// and the keys are not stale there.
func (q query[R, A, V]) fallback(ctx context.Context, scope Scope, side flags.Side) (answer V, ok bool) {
	err := q.route.backend.Read(ctx, scope, true, func(ctx context.Context, s Session[R]) (err error) {
		if !s.Complete(side) || staleOn(s.Stale(), side) {
			return errNoFallback
		}
		read := func(ctx context.Context) (err error) {
			began := q.route.began()
			answer, err = q.call(ctx, s.Side(side), q.args)
			q.route.called(ctx, began, scope, side, true, err)
			return err
		}
		if q.route.backend.Transactional() {
			return s.Protect(ctx, read)
		}
		return read(ctx)
	})
	return answer, err == nil
}

var errNoFallback = errors.New("the other side cannot answer")

func staleOn(records []StaleKey, side flags.Side) bool {
	for _, k := range records {
		if k.Side == side {
			return true
		}
	}
	return false
}

// Lock serves a locking read: the authority's answer, behind the fence and
// with the keys locked until the transaction ends. Outside of a transaction
// the lock ends with the call.
func Lock[R, A, V any](
	ctx context.Context, r *Route[R], op Op, tenant string, keys Keys, args A,
	call func(context.Context, R, A) (V, error),
) (V, error) {
	var answer V
	err := r.decided(ctx, tenant, keys, func(use flags.Use) error {
		defer use.Done()
		plan := use.Plan()
		scope := r.scope(op, use.Decision, tenant, keys)
		return r.backend.Write(ctx, scope, plan.ThroughStale,
			func(ctx context.Context, s Session[R]) (err error) {
				side := plan.Authority
				if staleOn(s.Stale(), side) {
					side = side.Other()
					r.stats.staleReads.Add(1)
				}
				began := r.began()
				answer, err = call(ctx, s.Side(side), args)
				r.called(ctx, began, scope, side, true, err)
				return err
			})
	})
	return answer, err
}
