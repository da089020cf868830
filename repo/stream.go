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
// it. When the process loses its lease meanwhile, the next row is a
// [*LapsedError]; where no row was handed out yet, the iterator begins anew.
func Seq[R, A, V any](
	ctx context.Context, r *Route[R], op Op, tenant string, args A,
	call func(context.Context, R, A) iter.Seq2[V, error],
) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var none V
		stopped, handed := false, false
		err := r.stream(ctx, op, tenant, &handed, func(ctx context.Context, use *flags.Use, side R) error {
			for v, err := range call(ctx, side, args) {
				if lapsed := r.held(use, tenant); lapsed != nil {
					return lapsed
				}
				handed = true
				if !yield(v, err) || err != nil {
					stopped = true // the consumer wants no more, or has seen the error
					return nil
				}
			}
			return r.held(use, tenant) // that there are no more rows is an answer as well
		})
		if err != nil && !stopped {
			yield(none, err)
		}
	}
}

// Each serves a method that hands rows to a callback, as [Seq] does. When the
// process loses its lease, the ctx of the method ends, and the call returns a
// [*LapsedError], also where the last row was there already.
func Each[R, A any](
	ctx context.Context, r *Route[R], op Op, tenant string, args A,
	call func(context.Context, R, A) error,
) error {
	handed := false
	return r.stream(ctx, op, tenant, &handed, func(ctx context.Context, use *flags.Use, side R) error {
		handed = true // nobody knows when the callback was called first
		inside, cancel := context.WithCancel(ctx)
		defer cancel()
		if !r.backend.Transactional() {
			defer use.OnLapse(cancel)()
		}
		err := call(inside, side, args)
		if lapsed := r.held(use, tenant); lapsed != nil && !refusedOrGone(ctx, err) {
			return lapsed
		}
		return err
	})
}

// stream runs fn on the side that a stream reads. A lapse repeats it as long as
// no row was handed out.
func (r *Route[R]) stream(
	ctx context.Context, op Op, tenant string, handed *bool, fn func(ctx context.Context, use *flags.Use, side R) error,
) error {
	var final error
	err := r.decided(ctx, tenant, AllKeys(), func(use flags.Use) error {
		defer use.Done()
		plan := use.Plan()
		scope := r.scope(op, use.Decision, tenant, AllKeys())
		err := r.backend.Read(ctx, scope, plan.ThroughStale, func(ctx context.Context, s Session[R]) error {
			side := plan.Authority
			if staleOn(s.Stale(), side) {
				side = side.Other()
				r.stats.staleReads.Add(1)
			}
			return fn(ctx, &use, s.Side(side))
		})
		if *handed {
			final = err
			return nil
		}
		return err
	})
	if err == nil {
		err = final
	}
	return err
}
