package repo

import (
	"context"
	"math"
	"runtime/debug"
	"slices"
	"time"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
)

// answer is what a side said.
type answer[V any] struct {
	value V
	err   error
}

// comparing is one answer on its way through the comparer.
type comparing[R, A, V any] struct {
	job
	q      query[R, A, V]
	served answer[V]
}

// submit hands a served answer to the comparer, with copies of what the caller
// may change. It reports whether the comparer has taken over the use. A read that
// is left out, or for which there is no place, costs no allocation.
func (q *query[R, A, V]) submit(ctx context.Context, use *flags.Use, value V, err error) bool {
	c := q.route.comparer
	if c.cfg.Sampler != nil && !c.cfg.Sampler.Take(q.op.Entity+"."+q.op.Method) {
		return false
	}
	count := tally{&c.counters, q.route.meter, q.op.Entity, q.op.Method, q.route.migration.Name, q.tenant}
	if !c.pool.reserve(&count) {
		return false
	}
	k := &comparing[R, A, V]{job: job{use: *use, count: count, ctx: ctx}, q: *q, served: answer[V]{value: value, err: err}}
	k.q.keys.many = slices.Clone(q.keys.many)
	if q.op.CloneArgs {
		k.q.args = Clone(q.args)
	}
	if q.op.CloneResult {
		k.served.value = Clone(value)
	}
	return c.pool.enqueue(k)
}

// sparing is a backend that knows how much of what it runs on is free.
type sparing interface {
	// Spare is how many connections comparisons may still take so that others
	// find one.
	Spare() int
}

// spare implements [comparison].
func (k *comparing[R, A, V]) spare() int {
	if b, ok := k.q.route.backend.(sparing); ok {
		return b.Spare()
	}
	return math.MaxInt
}

// judge implements [comparison].
func (k *comparing[R, A, V]) judge(ctx context.Context) (compare.Verdict, func()) {
	q, use := &k.q, &k.use
	verdict, diffs := q.compare(ctx, use.Decision, k.served)
	if !use.Held() { // the sides may have gone apart by a policy that this process does not know
		return compare.Inconclusive, nil
	}
	if verdict != compare.Mismatched {
		return verdict, nil
	}
	return verdict, func() {
		q.route.comparer.report(ctx, compare.Record{
			Migration: q.route.migration.Name, Tenant: q.tenant, Operation: q.op.String(), Key: q.keys.Text(),
			RequestID: compare.RequestID(ctx), Stage: use.Stage.String(), Epoch: use.Epoch, At: time.Now(),
		}, diffs)
	}
}

// compare takes a first, cheap look that may be a race; only a difference that
// one snapshot of both sides shows again counts (the ladder's rule for
// comparing). A stale key, or an old side that missed writes at new, means that
// nothing can be said.
func (q *query[R, A, V]) compare(ctx context.Context, d flags.Decision, served answer[V]) (compare.Verdict, []Diff) {
	scope := q.route.scope(q.op, d, q.tenant, q.keys)
	authority := d.Plan().Authority
	var other answer[V]
	var err error
	began := time.Now()
	if side, ok := q.route.plainly(authority.Other(), false); ok {
		other = q.ask(ctx, side)
		q.route.called(ctx, scope.told(authority.Other(), false, time.Since(began)), other.err)
	} else {
		err = q.route.backend.Read(ctx, scope, false, func(ctx context.Context, s Session[R]) error {
			other = q.askIn(ctx, s, authority.Other())
			q.route.called(ctx, scope.told(authority.Other(), false, time.Since(began)), other.err)
			return nil
		})
	}
	if err == nil {
		if verdict, diffs := q.judge(served, other); verdict != compare.Mismatched {
			return verdict, diffs
		}
	}
	return q.confirm(ctx, scope, authority)
}

func (q *query[R, A, V]) confirm(ctx context.Context, scope Scope, authority flags.Side) (compare.Verdict, []Diff) {
	verdict, diffs := compare.Inconclusive, []Diff(nil)
	err := q.route.backend.Read(ctx, scope, true, func(ctx context.Context, s Session[R]) error {
		if len(s.Stale()) > 0 || s.Missed(authority.Other()) {
			return nil
		}
		verdict, diffs = q.judge(q.askIn(ctx, s, authority), q.askIn(ctx, s, authority.Other()))
		return nil
	})
	if err != nil || ctx.Err() != nil {
		return compare.Inconclusive, nil
	}
	return verdict, diffs
}

// ask calls one side, whose panic and error are its answer. The arguments are
// cloned again where a side could change them.
func (q *query[R, A, V]) ask(ctx context.Context, side R) (got answer[V]) {
	defer func() {
		if v := recover(); v != nil {
			got.err = &PanicError{Value: v, Stack: debug.Stack()}
		}
		q.route.comparer.panicked(got.err)
	}()
	args := q.args
	if q.op.CloneArgs {
		args = Clone(args)
	}
	got.value, got.err = q.call(ctx, side, args)
	return got
}

// askIn is ask within a session that goes on.
func (q *query[R, A, V]) askIn(ctx context.Context, s Session[R], side flags.Side) (got answer[V]) {
	err := s.Protect(ctx, func(ctx context.Context) error {
		got = q.ask(ctx, s.Side(side))
		return got.err
	})
	return answer[V]{value: got.value, err: err}
}

func (q *query[R, A, V]) judge(served, other answer[V]) (compare.Verdict, []Diff) {
	c := q.route.comparer
	var diffs []Diff
	switch {
	case served.err != nil || other.err != nil:
		classes := append([]compare.Classifier{q.route.classNotFound}, c.cfg.Classifiers...)
		diffs = compare.Errors(served.err, other.err, classes...)
	default:
		diffs = compare.Run(q.diff, served.value, other.value)
	}
	if len(diffs) == 0 {
		return compare.Matched, nil
	}
	for _, d := range diffs {
		if d.Kind == compare.KindPanic {
			c.panics.Add(1)
			break
		}
	}
	diffs = c.cfg.Rules.Apply(diffs)
	return compare.Judge(diffs), diffs
}

func (r *Route[R]) classNotFound(err error) (compare.ErrorClass, bool) {
	return compare.ClassNotFound, r.copier.NotFound(err)
}
