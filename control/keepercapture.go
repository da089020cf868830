package control

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// refusalError says that nothing speaks against a step but statements from
// outside, which capture is to refuse first.
type refusalError struct {
	sides  []flags.Side
	blocks []Block
}

func (e *refusalError) Error() string { return (&StepError{Blocks: e.blocks}).Error() }

// arranged takes apart what a step brings about by itself.
func arranged(blocks []Block) (left []Block, needs *refusalError) {
	for _, b := range blocks {
		if !b.Kind.Arranged() {
			left = append(left, b)
			continue
		}
		if needs == nil {
			needs = &refusalError{}
		}
		needs.blocks = append(needs.blocks, b)
		if side := b.From.Plan().Authority; !slices.Contains(needs.sides, side) {
			needs.sides = append(needs.sides, side)
		}
	}
	return left, needs
}

// maxRefusals is how often a step has capture refuse before it gives up.
const maxRefusals = 3

// changeRefusing makes a change once capture of the sides refuses statements
// from outside and those under way have ended. Where the change is refused
// nevertheless, capture records again.
func (p *Plane) changeRefusing(
	ctx context.Context, c *Change, m ledger.Migration, needs *refusalError, change func() (flags.Policy, error),
) (after flags.Policy, err error) {
	release, err := p.holdSwitches(ctx, m)
	if err != nil {
		return after, err
	}
	for range maxRefusals {
		for _, side := range needs.sides {
			if err = p.refuse(ctx, c, m, side); err != nil {
				break
			}
		}
		if err == nil {
			after, err = change()
		}
		if !errors.As(err, &needs) {
			break
		}
	}
	release()
	if err == nil {
		return after, nil
	}
	if errors.As(err, &needs) {
		err = &StepError{Migration: m.Name, Blocks: needs.blocks}
	}
	back, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledger.DefaultTimeout)
	defer cancel()
	return after, errors.Join(err, p.switchDue(back, m, c.Report))
}

// holdSwitches waits until nobody else has capture switched for a step.
func (p *Plane) holdSwitches(ctx context.Context, m ledger.Migration) (release func(), err error) {
	for {
		release, held, err := p.store.HoldSwitches(ctx, m)
		if err != nil || held {
			return release, err
		}
		if err := pause(ctx, p.cfg.Poll); err != nil {
			return nil, fmt.Errorf("%s: wait for another step that has capture refuse: %w", m.Name, err)
		}
	}
}

// refuse has capture of a side refuse, and waits for what it let through before.
func (p *Plane) refuse(ctx context.Context, c *Change, m ledger.Migration, side flags.Side) error {
	if err := p.switchTo(ctx, m, side, c.Report, func(*State) (ledger.CaptureMode, error) { return ledger.CaptureRefuses, nil }); err != nil {
		return err
	}
	err := p.store.SettleCapture(ctx, m, side, p.cfg.DrainTimeout, func(holders []ledger.Holder, terminated bool) {
		kind := Emptying
		if terminated {
			kind = Terminated
		}
		c.report(Progress{Migration: m.Name, Kind: kind, Side: side, Holders: holders})
	})
	if err != nil {
		return fmt.Errorf("%s: wait for statements past the application on the %s side: %w", m.Name, side, err)
	}
	c.report(Progress{Migration: m.Name, Kind: Emptied, Side: side})
	return nil
}

// switchTo puts a mode into force and tells.
func (p *Plane) switchTo(
	ctx context.Context, m ledger.Migration, side flags.Side, report func(Progress), decide func(*State) (ledger.CaptureMode, error),
) error {
	var mode ledger.CaptureMode
	changed, err := p.store.DecideCapture(ctx, m, side, func(s *State) (_ ledger.CaptureMode, err error) {
		mode, err = decide(s)
		return mode, err
	})
	if changed {
		does := "records statements from outside"
		if mode == ledger.CaptureRefuses {
			does = "refuses statements from outside"
		}
		tell(report, Progress{Migration: m.Name, Kind: Switched, Side: side, Text: fmt.Sprintf("capture of the %s side %s from now on", side, does)})
	}
	return err
}

// switchDue has capture do what it is to do where everybody stands now.
func (p *Plane) switchDue(ctx context.Context, m ledger.Migration, report func(Progress)) error {
	state, err := p.store.Load(ctx, m.Name)
	if err != nil {
		return err
	}
	d, err := keeping(state)
	if err != nil || len(d.switches) == 0 {
		return err
	}
	_, err = p.switchBack(ctx, m, d.switches, report)
	return err
}

// switchBack switches what is due, unless a step has capture switched just now.
func (p *Plane) switchBack(ctx context.Context, m ledger.Migration, sides []flags.Side, report func(Progress)) (done bool, err error) {
	release, held, err := p.store.HoldSwitches(ctx, m)
	if err != nil || !held {
		return false, err
	}
	defer release()
	for _, side := range sides {
		err := p.switchTo(ctx, m, side, report, func(s *State) (ledger.CaptureMode, error) {
			d, err := keeping(s)
			switch {
			case err != nil || !slices.Contains(d.switches, side):
				return 0, err
			case s.Capture[side].Refusing():
				return ledger.CaptureRecords, nil
			}
			return ledger.CaptureRefuses, nil
		})
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// RemoveCapture takes the triggers of a side away in the order that the ladder
// wants: first a policy without which writes do without a fence is in force and
// everybody acts on it, then the triggers go. While the side's capture is
// needed it is refused with a [*backfill.CaptureBlockedError], and nothing was
// changed. It returns the statements that were run. ctx bounds the waiting.
func (p *Plane) RemoveCapture(ctx context.Context, capture *backfill.Capture, migration string, side flags.Side, report func(Progress)) ([]string, error) {
	m, err := p.store.Migration(ctx, migration)
	if err != nil {
		return nil, err
	}
	if err := p.store.LeaveCapture(ctx, m, side, true); err != nil {
		return nil, err
	}
	var statements []string
	if _, err = p.Settle(ctx, migration, report); err == nil {
		statements, err = capture.Remove(ctx, migration, side, false)
	}
	if err == nil {
		return statements, nil
	}
	back, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledger.DefaultTimeout)
	defer cancel()
	return nil, errors.Join(err, p.store.LeaveCapture(back, m, side, false))
}
