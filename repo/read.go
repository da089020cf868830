package repo

import (
	"context"
	"errors"
	"time"

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
) (answer V, err error) {
	q := query[R, A, V]{route: r, op: op, tenant: tenant, keys: keys, diff: diff, args: args, call: call}
	subject := subjectOf(tenant, &keys)
	for t := (tries{}); ; { // as decided does, without a closure
		use, err := r.flag.Enter(ctx, subject)
		if err != nil {
			return answer, err
		}
		t.applyTo(&use)
		if answer, err = q.read(ctx, &use); err == nil {
			return answer, nil
		}
		if err = r.anew(ctx, subject, &use.Decision, &t, err); err != nil {
			return answer, err
		}
	}
}

// read serves the query under one decision, and ends its use unless the comparer
// will.
func (q *query[R, A, V]) read(ctx context.Context, use *flags.Use) (answer V, err error) {
	handed := false // to the comparer, which then ends the use
	defer func() {
		if !handed {
			use.Done()
		}
	}()
	plan := use.Plan()
	compares := plan.Compares && q.diff != nil && q.route.comparer != nil && !q.route.backend.Transactional()
	if compares {
		q.route.comparer.pool.pace.load.enter()
		defer q.route.comparer.pool.pace.load.leave()
	}
	mixed := use.Mixed.Valid() && q.mixes(use)
	var base V     // the authority's own answer
	var other bool // the caller's is the other side's, so that there is nothing to compare it with
	if mixed {
		answer, base, err = q.serveMixed(ctx, *use)
	} else {
		answer, other, err = q.serve(ctx, plan, &use.Decision)
	}
	if lapsed := q.route.held(use, q.tenant); lapsed != nil && !refusedOrGone(ctx, err) {
		var none V
		return none, lapsed
	}
	if compares && !other && !refusedOrGone(ctx, err) {
		if !mixed {
			base = answer
		}
		handed = q.submit(ctx, use, base, err)
	}
	return answer, err
}

// refusedOrGone tells answers that say nothing about the data.
func refusedOrGone(ctx context.Context, err error) bool {
	if err == nil {
		return false
	}
	_, refused := errors.AsType[*RefusedError](err)
	return refused || ctx.Err() != nil
}

// query is one read on its way. It is large: methods have it as a pointer, but for
// those that need it in a closure, which would put it on the heap for all.
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
func (q *query[R, A, V]) serve(ctx context.Context, plan *flags.Plan, d *flags.Decision) (answer V, other bool, err error) {
	if side, ok := q.route.plainly(plan.Authority, plan.ThroughStale); ok {
		answer, err = q.side(ctx, side, d.Stage, plan.Authority, q.args)
	} else {
		answer, other, err = q.within(ctx, plan, *d)
	}
	if err == nil || other || !plan.Fallback || refusedOrGone(ctx, err) || q.route.copier.NotFound(err) {
		return answer, other, err
	}
	if fallback, ok := q.fallback(ctx, *d, plan.Authority.Other()); ok {
		q.route.stats.fallbacks.Add(1)
		return fallback, true, nil
	}
	return answer, false, err
}

// within is serve in a session, which knows the stale keys or belongs to a
// transaction.
func (q query[R, A, V]) within(ctx context.Context, plan *flags.Plan, d flags.Decision) (answer V, other bool, err error) {
	err = q.route.backend.Read(ctx, q.scope(d), plan.ThroughStale, func(ctx context.Context, s Session[R]) (err error) {
		side := plan.Authority
		other = staleOn(s.Stale(), side) // it may run again
		if other {
			side = side.Other()
		}
		read := func(ctx context.Context) (err error) {
			answer, err = q.side(ctx, s.Side(side), d.Stage, side, q.args)
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
	return answer, other, err
}

// side asks one side for an answer that may go to the caller.
func (q query[R, A, V]) side(
	ctx context.Context, side R, stage flags.Stage, which flags.Side, args A,
) (answer V, err error) {
	if q.route.meter == nil {
		return q.call(ctx, side, args)
	}
	began := time.Now()
	answer, err = q.call(ctx, side, args)
	q.route.called(ctx, Called{
		Tenant: q.tenant, Stage: stage, Side: which, Served: true, Took: time.Since(began),
	}, err)
	return answer, err
}

func (q query[R, A, V]) scope(d flags.Decision) Scope {
	return q.route.scope(q.op, d, q.tenant, q.keys)
}

// fallback asks the other side in a new snapshot, provided that it is complete
// and the keys are not stale there.
func (q query[R, A, V]) fallback(ctx context.Context, d flags.Decision, side flags.Side) (answer V, ok bool) {
	err := q.route.backend.Read(ctx, q.scope(d), true, func(ctx context.Context, s Session[R]) (err error) {
		if !s.Complete(side) || staleOn(s.Stale(), side) {
			return errNoFallback
		}
		read := func(ctx context.Context) (err error) {
			answer, err = q.side(ctx, s.Side(side), d.Stage, side, q.args)
			return err
		}
		if q.route.backend.Transactional() {
			return s.Protect(ctx, read)
		}
		return read(ctx)
	})
	return answer, err == nil
}

// plain is a backend that can answer a read which needs neither a snapshot nor
// the stale records of its keys without a session: sparing one costs the caller
// nothing, and the read no allocation. A backend inside a transaction is not asked.
type plain[R any] interface {
	// Plain returns the side, on which each statement is a transaction of its own.
	Plain(flags.Side) R
}

// plainly returns the side for a read that needs no session; false where it
// needs one.
func (r *Route[R]) plainly(side flags.Side, look bool) (plainSide R, ok bool) {
	if look || r.plain == nil {
		return plainSide, false
	}
	return r.plain.Plain(side), true
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
	pristine := pristineOf(op, args)
	err := r.decided(ctx, tenant, keys, func(use flags.Use) error {
		defer use.Done()
		plan := use.Plan()
		scope := r.writeScope(op, use.Decision, tenant, keys)
		var run attempt
		throughStale := false
		err := r.backend.Write(ctx, scope, plan.ThroughStale,
			func(ctx context.Context, s Session[R]) (err error) {
				run = attempt{}
				pristine.restore()
				side := plan.Authority
				if throughStale = staleOn(s.Stale(), side); throughStale {
					side = side.Other()
				}
				began := r.began()
				answer, err = call(ctx, s.Side(side), args)
				if r.meter != nil {
					run.tell(time.Since(began), side, true, err)
				}
				return err
			})
		if throughStale {
			r.stats.staleReads.Add(1)
		}
		r.ended(ctx, run, scope, plan.Authority, err)
		return err
	})
	return answer, err
}
