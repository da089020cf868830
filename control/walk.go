package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/crossfade-db/crossfade/flags"
)

// Walk is a way over several rungs that somebody asks for.
type Walk struct {
	Migration string
	// To is the rung at which the walk ends.
	To flags.Stage
	// Tenants walk by overrides of their own. None means everybody whom no
	// override names.
	Tenants []string
	Actor   string
	Reason  string
	// Report is told how each step goes on, and Step what became of it; both
	// may be nil and must not block.
	Report func(Progress)
	Step   func(Result)
}

// Walk goes rung by rung to a stage, as fast as the rules allow: it waits for
// the fleet after each step. Down to old it needs nobody's help while the old
// side is complete. A rule that waiting does not satisfy ends the walk with a
// [*StepError], another person's change with a [*ConflictError], and ctx with
// an [*UnsettledError] or its own error; the steps done so far stay done and
// are returned.
func (p *Plane) Walk(ctx context.Context, w Walk) ([]Result, error) {
	if !w.To.Valid() {
		return nil, fmt.Errorf("%s: name the stage to walk to: %w", w.Migration, &flags.UnknownStageError{Name: w.To.String()})
	}
	var done []Result
	for {
		if _, err := p.Settle(ctx, w.Migration, w.Report); err != nil {
			return done, err
		}
		policy, err := p.store.Policy(ctx, w.Migration)
		if err != nil {
			return done, err
		}
		change, more, err := w.next(policy)
		if err != nil || !more {
			return done, err
		}
		result, err := p.Apply(ctx, change)
		if result.Changed {
			done = append(done, result)
			if w.Step != nil {
				w.Step(result)
			}
		}
		var refused *StepError
		if errors.As(err, &refused) && refused.Passes() {
			// A process came back from beyond its lease: wait for it as well.
			if err = pause(ctx, p.cfg.Poll); err == nil {
				continue
			}
			err = errors.Join(err, refused)
		}
		if err != nil {
			return done, err
		}
	}
}

// next returns the next step of the walk, and false at its end.
func (w *Walk) next(policy flags.Policy) (Change, bool, error) {
	c := Change{
		Migration: w.Migration, Actor: w.Actor, Reason: w.Reason, ExpectEpoch: policy.Epoch, Report: w.Report,
	}
	if len(w.Tenants) > 0 {
		return w.nextTenants(c, policy)
	}
	step := policy.Step
	switch {
	case step.Share > 0 && distance(step.To, w.To) < distance(policy.Default, w.To):
		c.Kind, c.To = SetDefault, step.To // who is not yet in the step follows
	case step.Share > 0:
		c.Kind = SetPercentage // who is in the step comes back
	case policy.Default == w.To:
		return c, false, nil
	default:
		c.Kind, c.To = SetDefault, policy.Default.Toward(w.To)
	}
	return c, true, nil
}

// nextTenants moves those tenants that have the longest way by one rung.
func (w *Walk) nextTenants(c Change, policy flags.Policy) (Change, bool, error) {
	compiled, err := policy.Compile()
	if err != nil {
		return c, false, err
	}
	c.Kind = SetTenants
	farthest := 0
	for _, tenant := range w.Tenants {
		_, reason := compiled.Stage(tenant)
		stage, high := compiled.Range(tenant)
		if distance(high, w.To) > distance(stage, w.To) {
			stage = high // a share of its keys has the longer way
		}
		d := distance(stage, w.To)
		if d == 0 && reason == flags.ReasonOverride || d < farthest {
			continue
		}
		if d > farthest || stage.Toward(w.To) != c.To {
			if d == farthest && c.To.Valid() {
				continue // as far, but from the other side
			}
			farthest, c.To, c.Tenants = d, stage.Toward(w.To), nil
		}
		c.Tenants = append(c.Tenants, tenant)
	}
	return c, len(c.Tenants) > 0, nil
}

func distance(a, b flags.Stage) int {
	if a > b {
		return int(a - b)
	}
	return int(b - a)
}
