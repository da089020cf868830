package control

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// ConflictError says that somebody else changed the policy first, and shows
// the other's change.
type ConflictError = ledger.ConflictError

// Config says how a plane works. A nil Config and every zero field are useful.
type Config struct {
	// DrainTimeout is how long transactions that act on an older policy may go
	// on before their sessions are terminated. Defaults to 30 seconds; negative
	// means never.
	DrainTimeout time.Duration
	// Poll is how often the ledger is asked while waiting. Defaults to 50 ms.
	Poll time.Duration
}

// Plane changes policies. Its methods may be called concurrently, and by any
// number of programs at once.
type Plane struct {
	store *ledger.Store
	cfg   Config
}

// New returns a plane on the ledger.
func New(store *ledger.Store, cfg *Config) *Plane {
	p := &Plane{store: store}
	if cfg != nil {
		p.cfg = *cfg
	}
	if p.cfg.DrainTimeout == 0 {
		p.cfg.DrainTimeout = 30 * time.Second
	}
	if p.cfg.Poll <= 0 {
		p.cfg.Poll = 50 * time.Millisecond
	}
	return p
}

// Result is what became of a change.
type Result struct {
	Migration string
	// Before and After are the policies in force before and after. Of a dry
	// run, After is what would be in force, with epoch and id of Before.
	Before, After flags.Policy
	// Changed is false when the policy says already what was asked for.
	Changed bool
	DryRun  bool
	// Notes are what an operator should know about the step.
	Notes []string
	// Settlement is what was waited for.
	Settlement
}

// Apply changes a policy. It refuses with a [*ChangeError] or a
// [*flags.PolicyError] what makes no sense, with a [*StepError] what is not
// safe, with everything that speaks against it, and with a [*ConflictError]
// what somebody else was faster with; then nothing was changed.
//
// A step into live, or out of it downwards, first has capture refuse statements
// from outside on the side that is to lose authority, where it is installed, and
// waits for those under way. It does that only when nothing else speaks against
// the step, and undoes it when the step is refused after all.
//
// When the new policy is in force, Apply waits until no transaction and no live
// process acts on an older one, and does what [Plane.Keep] does. ctx ends that waiting, never the change: the
// error is then an [*UnsettledError], beside a result whose Changed is true,
// and the next change or [Plane.Settle] goes on waiting.
func (p *Plane) Apply(ctx context.Context, c Change) (Result, error) {
	result := Result{Migration: c.Migration, DryRun: c.DryRun}
	if err := c.validate(); err != nil {
		return result, err
	}
	m, err := p.store.Migration(ctx, c.Migration)
	if err != nil {
		return result, err
	}
	expect := c.ExpectEpoch
	if expect == 0 {
		expect = m.Epoch
	}
	if c.DryRun {
		return result, p.preview(ctx, &c, expect, &result)
	}
	if result, err = p.apply(ctx, &c, m, expect); err != nil || !result.Changed || c.NoWait {
		return result, err
	}
	result.Settlement, err = p.settleStep(ctx, m, c.Report)
	return result, err
}

// apply makes the change, and does not wait for the fleet afterwards.
func (p *Plane) apply(ctx context.Context, c *Change, m ledger.Migration, expect int64) (Result, error) {
	result := Result{Migration: c.Migration}
	// What was left of the step before may be over by now.
	if _, err := p.settleOnce(ctx, m); err != nil {
		return result, fmt.Errorf("settle the step before: %w", err)
	}
	change := func() (flags.Policy, error) { return p.change(ctx, c, m, expect, &result) }
	after, err := change()
	var refused *StepError
	if errors.As(err, &refused) && refused.has(BlockCaptureRefuses) {
		// Capture can record again as soon as the step before is settled.
		if err := p.switchDue(ctx, m, c.Report); err != nil {
			return result, err
		}
		after, err = change()
	}
	var needs *refusalError
	if errors.As(err, &needs) {
		after, err = p.changeRefusing(ctx, c, m, needs, change)
	}
	if err != nil {
		result.Changed = false
		return result, err
	}
	result.After = after
	if result.Changed {
		c.report(Progress{Migration: c.Migration, Kind: Committed, Epoch: after.Epoch})
	}
	return result, nil
}

// change makes the change if the epoch that it expects is in force, or one
// that the keeper published since: who stands where is then as it was.
func (p *Plane) change(ctx context.Context, c *Change, m ledger.Migration, expect int64, result *Result) (flags.Policy, error) {
	for {
		after, err := p.store.Change(ctx, c.Migration, expect, func(state *State) (*ledger.Draft, error) {
			draft, err := decide(c, state, result)
			if err != nil {
				err = ledger.Refuse(err)
			}
			return draft, err
		})
		var conflict *ConflictError
		if !errors.As(err, &conflict) {
			return after, err
		}
		same, serr := p.sameStages(ctx, m, expect, conflict.Epoch)
		if serr != nil || !same {
			return after, errors.Join(err, serr)
		}
		expect = conflict.Epoch
	}
}

// sameStages reports whether everybody stood at the same stage by all policies
// from one epoch to a later one.
func (p *Plane) sameStages(ctx context.Context, m ledger.Migration, from, to int64) (bool, error) {
	if from > to {
		return false, nil
	}
	policies, err := p.store.PoliciesBetween(ctx, m, from-1, to)
	if err != nil || len(policies) == 0 {
		return false, err
	}
	first := policies[0]
	return first.Epoch == from && !slices.ContainsFunc(policies, func(p flags.Policy) bool {
		return p.Default != first.Default || p.Step != first.Step || !maps.Equal(p.Overrides, first.Overrides)
	}), nil
}

// preview answers a dry run.
func (p *Plane) preview(ctx context.Context, c *Change, expect int64, result *Result) error {
	state, err := p.store.Load(ctx, c.Migration)
	if err != nil {
		return err
	}
	same, err := p.sameStages(ctx, state.Migration, expect, state.Migration.Epoch)
	if err != nil {
		return err
	}
	if !same {
		_, err := p.store.Change(ctx, c.Migration, expect, func(*State) (*ledger.Draft, error) { return nil, nil })
		return errors.Join(err) // the conflict, with the other's change
	}
	_, err = decide(c, state, result)
	return err
}

// decide makes a draft of a change, or says why not. Nil means that there is
// nothing to change.
func decide(c *Change, state *State, result *Result) (*ledger.Draft, error) {
	result.Before = state.Current().Policy
	result.After = result.Before
	next, entries, err := c.next(result.Before)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	l, err := newLook(state, next)
	if err != nil {
		return nil, err
	}
	result.Notes = l.notes()
	state.Guard.Asker, state.Guard.ForRamp = c.asker(), c.ramp
	blocks, forced := c.forced(Check(state, next))
	blocks, needs := arranged(blocks)
	switch {
	case len(blocks) > 0:
		return nil, &StepError{Migration: c.Migration, Blocks: blocks}
	case needs != nil && !c.DryRun:
		return nil, needs
	}
	next.Standing = l.standing()
	for i := range entries {
		entries[i].Reason += forced
	}
	result.Changed, result.After = true, next
	return &ledger.Draft{
		Next: next, Entries: entries, Effects: l.effects(), Duty: c.duty, Acted: c.acted, Ramp: c.place,
	}, nil
}

func (c *Change) report(p Progress) {
	if c.Report != nil {
		c.Report(p)
	}
}
