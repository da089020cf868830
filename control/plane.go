package control

import (
	"context"
	"errors"
	"fmt"
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
// When the new policy is in force, Apply waits until no transaction and no live
// process acts on an older one. ctx ends that waiting, never the change: the
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
	// What was left of the step before may be over by now.
	if _, err := p.settleOnce(ctx, m); err != nil {
		return result, fmt.Errorf("settle the step before: %w", err)
	}
	after, err := p.store.Change(ctx, c.Migration, expect, func(state *State) (*ledger.Draft, error) {
		draft, err := decide(&c, state, &result)
		if err != nil {
			err = ledger.Refuse(err)
		}
		return draft, err
	})
	if err != nil {
		result.Changed = false
		return result, err
	}
	result.After = after
	return p.finish(ctx, &c, result)
}

// finish waits for the fleet after a change.
func (p *Plane) finish(ctx context.Context, c *Change, result Result) (Result, error) {
	if !result.Changed {
		return result, nil
	}
	c.report(Progress{Migration: c.Migration, Kind: Committed, Epoch: result.After.Epoch})
	if c.NoWait {
		return result, nil
	}
	var err error
	result.Settlement, err = p.Settle(ctx, c.Migration, c.Report)
	return result, err
}

// preview answers a dry run.
func (p *Plane) preview(ctx context.Context, c *Change, expect int64, result *Result) error {
	state, err := p.store.Load(ctx, c.Migration)
	if err != nil {
		return err
	}
	if state.Migration.Epoch != expect {
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
	if len(blocks) > 0 {
		return nil, &StepError{Migration: c.Migration, Blocks: blocks}
	}
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
