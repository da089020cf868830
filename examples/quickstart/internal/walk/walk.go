package walk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/oracle"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/progress"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/versions"
)

// Walk is one walk of all tenants. All exported fields are required.
type Walk struct {
	Migration versions.Migration
	Plane     *control.Plane
	Ledger    *ledger.Store
	Progress  *progress.Store
	Pool      *pgxpool.Pool
	Tenants   []string
	StopAt    flags.Stage
	// Minimum is how much traffic each rung must have seen before the first tenant leaves it.
	Minimum Minimum
	// Hold is how long the walk stays after each step, so that the step can be seen.
	Hold time.Duration
	// Check reads everything back while nothing is written, notes what it found, and returns an error if something is
	// wrong: the walk goes no further then. After the last check the traffic does not go on.
	Check func(ctx context.Context, stage flags.Stage, last bool) error
	// Doing is told what the walk does now, Say what people may want to know.
	Doing func(text string)
	Say   func(format string, args ...any)

	noted []string // by the control plane
}

// Minimum is how much traffic a rung must have seen.
type Minimum struct{ Operations, Contended int64 }

// actor is who the ledger's history names.
const actor = "quickstart"

// Run takes one step after the other until the walk ends. It may be called again after an error, and in another process
// after a kill: it goes on from where the ledger says.
func (w *Walk) Run(ctx context.Context) error {
	for {
		s, err := w.situation(ctx)
		if err != nil {
			return err
		}
		step := Next(s)
		if step.Leaves.Valid() {
			err = w.timed(ctx, step.Leaves.String(), func() error { return w.awaitTraffic(ctx, step.Leaves) })
			if err != nil {
				return err
			}
		}
		w.Doing(step.Text)
		if err := w.timed(ctx, step.Phase, func() error { return w.take(ctx, step, s) }); err != nil {
			return fmt.Errorf("%s: %w", step.Text, err)
		}
		if step.Action == End {
			return nil
		}
	}
}

// timed adds the time that fn takes to a phase.
func (w *Walk) timed(ctx context.Context, phase string, fn func() error) error {
	begun := time.Now()
	if err := fn(); err != nil {
		return err
	}
	return w.Progress.Spend(ctx, phase, time.Since(begun))
}

func (w *Walk) situation(ctx context.Context) (Situation, error) {
	s := Situation{Tenants: w.Tenants, StopAt: w.StopAt}
	known, err := w.Progress.Load(ctx)
	if err != nil {
		return s, err
	}
	s.PlantBug, s.Fault = known.PlantBug, known.Fault
	checks, err := w.Progress.Checks(ctx)
	if err != nil {
		return s, err
	}
	for _, c := range checks {
		s.Checked = s.Checked || c.Stage == flags.RampDown.String() && c.Passed
	}
	s.State, err = w.Ledger.Load(ctx, w.Migration.Name)
	return s, err
}

// take does what the step says.
func (w *Walk) take(ctx context.Context, step Step, s Situation) error {
	stage := s.State.Current().Default
	switch step.Action {
	case Move:
		return w.move(ctx, step)
	case Copy:
		_, err := w.job(ctx, ledger.JobBackfill)
		return err
	case Prove:
		return w.prove(ctx)
	case Mend:
		_, err := w.job(ctx, ledger.JobReconcile)
		return err
	case Check, End:
		return w.Check(ctx, stage, step.Action == End)
	case Plant:
		return w.Progress.SetFault(ctx, progress.FaultPlanted)
	case Watch:
		return w.watch(ctx)
	case Lift:
		return w.Progress.SetFault(ctx, progress.FaultLifted)
	case Count:
		return w.count(ctx)
	case Repair:
		return w.repair(ctx)
	}
	return fmt.Errorf("unknown action %q", step.Action)
}

// move changes the policy and waits for the fleet.
func (w *Walk) move(ctx context.Context, step Step) error {
	c := step.Change
	c.Migration, c.Actor, c.Reason = w.Migration.Name, actor, step.Text
	for {
		result, err := w.Plane.Apply(ctx, c)
		var refused *control.StepError
		var conflict *control.ConflictError
		switch {
		case errors.As(err, &conflict):
			return nil // somebody else was faster: look again
		case errors.As(err, &refused) && refused.Passes():
			w.Doing(step.Text + ": " + refused.Error())
			if err := pause(ctx, retryAfter); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		w.Say("epoch %d: %s (waited %s)", result.After.Epoch, step.Text, result.Waited.Round(time.Millisecond))
		w.sayNotes(result.Notes)
		return pause(ctx, w.Hold)
	}
}

// sayNotes passes on what the control plane wants an operator to know, each thing once.
func (w *Walk) sayNotes(notes []string) {
	for _, note := range notes {
		if !slices.Contains(w.noted, note) {
			w.noted = append(w.noted, note)
			w.Say("  %s", note)
		}
	}
}

const retryAfter = 200 * time.Millisecond

// maxTrafficWait is how long a rung may take to see its minimum of traffic.
const maxTrafficWait = 2 * time.Minute

// awaitTraffic waits until the rung has seen its minimum of traffic.
func (w *Walk) awaitTraffic(ctx context.Context, stage flags.Stage) error {
	ctx, cancel := context.WithTimeoutCause(ctx, maxTrafficWait, fmt.Errorf("%s did not see its minimum of traffic in %s", stage, maxTrafficWait))
	defer cancel()
	w.Doing(fmt.Sprintf("traffic at %s", stage))
	for {
		all, err := oracle.CountStages(ctx, w.Pool)
		if err != nil {
			return err
		}
		for _, t := range all {
			if t.Stage == stage.String() && t.Operations >= w.Minimum.Operations && t.Contended >= w.Minimum.Contended {
				return nil
			}
		}
		if err := pause(ctx, retryAfter); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
