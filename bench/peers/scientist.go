package peers

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// Experiment is an experiment after GitHub's Scientist for Ruby (github.com/github/scientist): control and candidate run
// one after the other, in random order, in the caller's time; what the candidate raises is caught; both observations are
// compared and published; the caller gets what the control returned. Of its other features, the conditions under which
// it runs and the cleaning of values are left out, as they cost nothing where they are not used. It may be used by any
// number of goroutines where its functions may.
//
// The Go ports known are wrappers of the same four steps with interface{} in the place of T, so that this is their
// price or less.
type Experiment[T any] struct {
	Control, Candidate Read[T]
	// Same compares what both returned; errors are compared by their text.
	Same func(control, candidate T) bool
	// Publish takes each result, in the caller's time. Nil means nobody.
	Publish func(Result[T])
}

// Result is what one run of an experiment observed.
type Result[T any] struct {
	Control, Candidate Observation[T]
	Matched            bool
}

// Observation is one behaviour's run.
type Observation[T any] struct {
	Value    T
	Err      error
	Duration time.Duration
}

// Run runs the experiment for operation i and returns the control's outcome.
func (e *Experiment[T]) Run(ctx context.Context, i int) (T, error) {
	var r Result[T]
	if rand.IntN(2) == 0 { //nolint:gosec // an order needs no secret
		r.Control = observe(ctx, i, e.Control)
		r.Candidate = observe(ctx, i, caught(e.Candidate))
	} else {
		r.Candidate = observe(ctx, i, caught(e.Candidate))
		r.Control = observe(ctx, i, e.Control)
	}
	r.Matched = sameError(r.Control.Err, r.Candidate.Err) && (r.Control.Err != nil || e.Same(r.Control.Value, r.Candidate.Value))
	if e.Publish != nil {
		e.Publish(r)
	}
	return r.Control.Value, r.Control.Err
}

func observe[T any](ctx context.Context, i int, behave Read[T]) (o Observation[T]) {
	start := time.Now()
	o.Value, o.Err = behave(ctx, i)
	o.Duration = time.Since(start)
	return o
}

// caught turns a panic into an error.
func caught[T any](behave Read[T]) Read[T] {
	return func(ctx context.Context, i int) (value T, err error) {
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("the candidate panicked: %v", v)
			}
		}()
		return behave(ctx, i)
	}
}

func sameError(a, b error) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Error() == b.Error()
}

// Counts are what experiments publish to here: how many results matched and how many did not, and how long both
// behaviours took together.
type Counts struct {
	Matched, Mismatched          atomic.Int64
	ControlNanos, CandidateNanos atomic.Int64
}

// ScientistRead reads through an experiment that publishes to counts.
func ScientistRead[T any](counts *Counts, control, candidate Read[T], same func(a, b T) bool) Variant {
	e := &Experiment[T]{Control: control, Candidate: candidate, Same: same, Publish: func(r Result[T]) {
		if r.Matched {
			counts.Matched.Add(1)
		} else {
			counts.Mismatched.Add(1)
		}
		counts.ControlNanos.Add(int64(r.Control.Duration))
		counts.CandidateNanos.Add(int64(r.Candidate.Duration))
	}}
	return func(ctx context.Context, i int) error {
		_, err := e.Run(ctx, i)
		return err
	}
}
