package repo

import (
	"context"
	"time"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
)

// answer is what a side said.
type answer[V any] struct {
	value V
	err   error
}

// submit hands a served answer to the comparer, with copies of what the caller
// may change. It reports whether the comparer has taken over the use. A read that
// is left out, or for which there is no place, costs no allocation.
func (q query[R, A, V]) submit(ctx context.Context, use flags.Use, value V, err error) bool {
	c := q.route.comparer
	if !c.cfg.Sampler.Take(q.op.Entity + "." + q.op.Method) {
		return false
	}
	counter := c.counters.Of(q.route.migration.Name, q.op.Entity+"."+q.op.Method)
	count := tally{counter, q.route.meter, q.route.migration.Name, q.tenant}
	return c.reserve(count) && q.handOver(ctx, use, value, err, count)
}

// handOver does so when a place is reserved.
//
//go:noinline
func (q query[R, A, V]) handOver(ctx context.Context, use flags.Use, value V, err error, count tally) bool {
	c := q.route.comparer
	served := answer[V]{value: value, err: err}
	if q.op.CloneArgs {
		q.args = Clone(q.args)
	}
	if q.op.CloneResult {
		served.value = Clone(value)
	}
	base := compare.Record{
		Migration: q.route.migration.Name, Tenant: q.tenant, Operation: q.op.String(), Key: q.keys.Text(),
		RequestID: compare.RequestID(ctx), Stage: use.Stage.String(), Epoch: use.Epoch,
	}
	values := context.WithoutCancel(ctx)
	return c.enqueue(count, func(life context.Context) {
		defer use.Done()
		ctx, cancel := joined(values, life)
		defer cancel()
		c.watched(ctx, count, func(ctx context.Context) (compare.Verdict, func()) {
			verdict, diffs := q.compare(ctx, use.Decision, served)
			if !use.Held() { // the sides may have gone apart by a policy that this process does not know
				return compare.Inconclusive, nil
			}
			if verdict != compare.Mismatched {
				return verdict, nil
			}
			base.At = time.Now()
			return verdict, func() { c.report(ctx, base, diffs) }
		})
	})
}

// joined returns a ctx with the values of one and the end of the other.
func joined(values, life context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(values)
	stop := context.AfterFunc(life, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// compare takes a first, cheap look that may be a race; only a difference that
// one snapshot of both sides shows again counts (the ladder's rule for
// comparing). A stale key, or an old side that missed writes at new, means that
// nothing can be said.
func (q query[R, A, V]) compare(ctx context.Context, d flags.Decision, served answer[V]) (compare.Verdict, []Diff) {
	scope := q.route.scope(q.op, d, q.tenant, q.keys)
	authority := d.Plan().Authority
	var other answer[V]
	err := q.route.backend.Read(ctx, scope, false, func(ctx context.Context, s Session[R]) error {
		began := q.route.began()
		other = q.ask(ctx, s, authority.Other())
		q.route.called(ctx, began, scope, authority.Other(), false, other.err)
		return nil
	})
	if err == nil {
		if verdict, diffs := q.judge(served, other); verdict != compare.Mismatched {
			return verdict, diffs
		}
	}
	return q.confirm(ctx, scope, authority)
}

func (q query[R, A, V]) confirm(ctx context.Context, scope Scope, authority flags.Side) (compare.Verdict, []Diff) {
	verdict, diffs := compare.Inconclusive, []Diff(nil)
	err := q.route.backend.Read(ctx, scope, true, func(ctx context.Context, s Session[R]) error {
		if len(s.Stale()) > 0 || s.Missed(authority.Other()) {
			return nil
		}
		verdict, diffs = q.judge(q.ask(ctx, s, authority), q.ask(ctx, s, authority.Other()))
		return nil
	})
	if err != nil || ctx.Err() != nil {
		return compare.Inconclusive, nil
	}
	return verdict, diffs
}

// ask calls one side, whose panic and error are its answer. The arguments are
// cloned again where a side could change them.
func (q query[R, A, V]) ask(ctx context.Context, s Session[R], side flags.Side) (got answer[V]) {
	args := q.args
	if q.op.CloneArgs {
		args = Clone(args)
	}
	got.err = s.Protect(ctx, func(ctx context.Context) error {
		return guard(func() (err error) {
			got.value, err = q.call(ctx, s.Side(side), args)
			return err
		})
	})
	q.route.comparer.panicked(got.err)
	return got
}

func (q query[R, A, V]) judge(served, other answer[V]) (compare.Verdict, []Diff) {
	c := q.route.comparer
	var diffs []Diff
	if served.err != nil || other.err != nil {
		classes := append([]compare.Classifier{q.route.classNotFound}, c.cfg.Classifiers...)
		diffs = compare.Errors(served.err, other.err, classes...)
	}
	if len(diffs) == 0 && served.err == nil {
		diffs = compare.Run(q.diff, served.value, other.value)
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
