package repo

import (
	"context"
	"iter"

	"github.com/crossfade-db/crossfade/flags"
)

// Seq serves an iterator from the authority alone: what it hands out is not
// compared and, at live, keys that are stale on the new side make the whole
// iterator run on the old side. Inside a transaction of the application it is
// not repeated when keys go stale while it runs, as other reads are. The
// decision stays in use until the loop ends, and a step of the ladder waits for
// it.
func Seq[R, A, V any](
	ctx context.Context, r *Route[R], op Op, tenant string, args A,
	call func(context.Context, R, A) iter.Seq2[V, error],
) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		stopped := false
		err := Each(ctx, r, op, tenant, args, func(ctx context.Context, side R, args A) error {
			for v, err := range call(ctx, side, args) {
				if !yield(v, err) {
					stopped = true
					return nil
				}
				if err != nil {
					stopped = true // the consumer has seen the error
					return nil
				}
			}
			return nil
		})
		if err != nil && !stopped {
			var none V
			yield(none, err)
		}
	}
}

// Each serves a method that hands rows to a callback, as [Seq] does.
func Each[R, A any](
	ctx context.Context, r *Route[R], op Op, tenant string, args A,
	call func(context.Context, R, A) error,
) error {
	return r.decided(ctx, tenant, AllKeys(), func(use flags.Use) error {
		defer use.Done()
		plan := use.Plan()
		scope := r.scope(op, use.Decision, tenant, AllKeys())
		return r.backend.Read(ctx, scope, plan.ThroughStale, func(ctx context.Context, s Session[R]) error {
			side := plan.Authority
			if staleOn(s.Stale(), side) {
				side = side.Other()
				r.stats.staleReads.Add(1)
			}
			return call(ctx, s.Side(side), args)
		})
	})
}
