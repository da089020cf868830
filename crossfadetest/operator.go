package crossfadetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

const (
	actor      = "crossfadetest"
	poll       = 10 * time.Millisecond
	jobTimeout = time.Minute // for a worker of the application's own
	maxTries   = 50          // of one step
)

// operator walks the ladder as an operator would: by the control plane, with
// the jobs that it asks for.
type operator struct {
	t         testing.TB
	store     *ledger.Store
	plane     *control.Plane
	migration string
	workers   func() []*backfill.Worker
	// hear has those hear of the policy in force who do not hear of it by themselves.
	hear func(context.Context) error
}

func newOperator(t testing.TB, store *ledger.Store, migration string) *operator {
	return &operator{
		t: t, store: store, migration: migration,
		plane:   control.New(store, &control.Config{DrainTimeout: -1, Poll: poll}),
		workers: func() []*backfill.Worker { return nil },
		hear:    func(context.Context) error { return nil },
	}
}

// climb goes up to a stage rung by rung.
func (o *operator) climb(ctx context.Context, to flags.Stage) error {
	for _, stage := range flags.Stages() {
		if stage == flags.Old || stage > to {
			continue
		}
		if err := o.enter(ctx, stage); err != nil {
			return err
		}
	}
	return nil
}

// enter steps into an adjacent stage, and does what the step needs.
func (o *operator) enter(ctx context.Context, stage flags.Stage) error {
	change := control.Change{Migration: o.migration, Kind: control.SetDefault, To: stage, Actor: actor, Reason: "a test", NoWait: true}
	var err error
	for range maxTries {
		if _, err = o.plane.Apply(ctx, change); err == nil {
			return o.settle(ctx)
		}
		var refused *control.StepError
		if !errors.As(err, &refused) {
			break
		}
		if err := o.prepare(ctx, refused); err != nil {
			return fmt.Errorf("step into %s: %w", stage, err)
		}
	}
	return fmt.Errorf("step into %s: %w", stage, err)
}

// prepare does what the first reason against a step asks for.
func (o *operator) prepare(ctx context.Context, refused *control.StepError) error {
	switch refused.Blocks[0].Kind {
	case control.BlockBackfill, control.BlockOldIncomplete:
		return o.job(ctx, ledger.JobBackfill)
	case control.BlockVerify:
		return o.verify(ctx)
	case control.BlockStaleNew, control.BlockStaleOld, control.BlockFailing:
		return o.job(ctx, ledger.JobReconcile)
	}
	if !refused.Mends() && !refused.Passes() {
		return refused
	}
	return o.settle(ctx)
}

// settle waits until everybody acts on the policy in force.
func (o *operator) settle(ctx context.Context) error {
	return o.hearing(ctx, func(ctx context.Context) error {
		_, err := o.plane.Settle(ctx, o.migration, nil)
		return err
	})
}

// hearing does something that waits for the fleet, which hears meanwhile of
// every policy that is published.
func (o *operator) hearing(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	for {
		if err := o.hear(ctx); err != nil {
			cancel()
			return errors.Join(err, <-done)
		}
		select {
		case err := <-done:
			return err
		case <-time.After(poll):
		}
	}
}

// verify compares both sides over every key. Differences are an error.
func (o *operator) verify(ctx context.Context) error {
	if err := o.job(ctx, ledger.JobVerify); err != nil {
		return err
	}
	jobs, err := o.store.JobsOf(ctx, o.migration, 1)
	if err != nil {
		return fmt.Errorf("look at the verification: %w", err)
	}
	if jobs[0].Differing == 0 {
		return nil
	}
	differing := &differError{keys: jobs[0].Differing}
	if differing.found, err = o.store.Mismatches(ctx, o.migration, ledger.MismatchFilter{Operation: ledger.VerifyOperation}); err != nil {
		return fmt.Errorf("look at the differences: %w", err)
	}
	return differing
}

// differError says that the sides do not hold the same.
type differError struct {
	keys  int64
	found []ledger.Mismatch
}

func (e *differError) Error() string {
	text := fmt.Sprintf("the sides differ in %d keys", e.keys)
	for _, m := range e.found {
		text += fmt.Sprintf("\n  tenant %q, key %q: %s: %s: old %s, new %s", m.Tenant, m.Key, m.Field, m.Kind, m.Served, m.Other)
	}
	return text
}

// job has work done, by the workers of the test, or else by a worker that the
// application runs.
func (o *operator) job(ctx context.Context, kind string) error {
	id, err := o.store.RequestJob(ctx, ledger.JobRequest{Migration: o.migration, Kind: kind, Actor: actor, Reason: "a test"})
	if err != nil {
		return fmt.Errorf("request %s: %w", kind, err)
	}
	ctx, cancel := context.WithTimeout(ctx, jobTimeout)
	defer cancel()
	for _, worker := range o.workers() {
		if err := o.hearing(ctx, worker.RunPending); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	for {
		job, err := o.store.JobByID(ctx, id)
		switch {
		case ctx.Err() != nil && len(o.workers()) == 0:
			return fmt.Errorf("%s: nobody does it: give the worker to Env.Work in App.Open, or run it there", kind)
		case err != nil:
			return fmt.Errorf("wait for %s: %w", kind, err)
		case job.State == ledger.JobDone:
			return nil
		case !job.Open():
			return fmt.Errorf("%s: %s: %s", kind, job.State, job.Error)
		}
		select {
		case <-ctx.Done():
		case <-time.After(poll):
		}
	}
}
