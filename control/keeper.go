package control

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// keeperActor is who publishes what is derived.
const keeperActor = "crossfade"

// standing returns what holds while next is in force: derived anew from what
// the ledger knows, whatever an earlier policy said of itself.
//
// It goes by what was written down as acknowledged and drained. A process that
// comes back from beyond its lease changes nothing: its transactions are refused
// by the fence, or recorded or refused by capture, and what it read is thrown
// away.
func standing(state *State, next flags.Policy) (flags.Standing, error) {
	l, err := newLook(state, next)
	if err != nil {
		return flags.Standing{}, err
	}
	return l.standing(), nil
}

func (l *look) standing() flags.Standing {
	return flags.Standing{
		Clean:        l.clean(),
		StrictShadow: l.strictShadow(),
		UnfencedOld:  l.unfenced(flags.Old),
		UnfencedNew:  l.unfenced(flags.New),
	}
}

// acting are the policies on which anybody may act: the one in force, and those
// before it that are not both acknowledged and drained.
func (l *look) acting() []*flags.Compiled {
	all := []*flags.Compiled{l.current}
	for _, p := range l.state.Outstanding() {
		if p.DrainedAt == nil || p.AcknowledgedAt == nil {
			all = append(all, l.outstanding[p.Epoch])
		}
	}
	return all
}

// clean reports whether no key of anybody who stands at live by next is stale
// on the new side, and none can become so: such keys come of writes at lower
// rungs, and of statements from outside that capture records.
func (l *look) clean() bool {
	if l.state.Capture[flags.OldSide].Recording() {
		return false
	}
	anybody := false
	policies := append(l.acting(), l.next)
	for _, s := range l.subjects() {
		if !s.mayStand(l.next, flags.Live) {
			continue
		}
		anybody = true
		for _, c := range policies {
			if low, high := s.reach(c); low != flags.Live || high != flags.Live {
				return false
			}
		}
		if l.staleOf(s.tenant, flags.NewSide).Keys > 0 {
			return false
		}
	}
	return anybody
}

// strictShadow reports whether anybody comes to shadow while readers may be
// about who take his new side for clean (failure 12).
func (l *look) strictShadow() bool {
	for _, c := range l.acting() {
		if !c.Policy().Clean {
			continue
		}
		for _, s := range l.subjects() {
			if s.mayStand(c, flags.Live) && s.mayStand(l.next, flags.Shadow) {
				return true
			}
		}
	}
	return false
}

// unfenced reports whether everybody stands at a stage that writes one side
// alone, by every policy on which anybody may act, and capture records there
// what comes too late: in all tables of the side, as whoever installed it
// declared. In a table without triggers a late write would be lost.
func (l *look) unfenced(stage flags.Stage) bool {
	capture := l.state.Capture[stage.Plan().Authority]
	if !capture.Stands() || !capture.Recording() {
		return false
	}
	if !capture.Complete {
		return false
	}
	for _, c := range append(l.acting(), l.next) {
		if uniform, ok := c.Policy().Uniform(); !ok || uniform != stage {
			return false
		}
	}
	return true
}

// mayStand reports whether a policy lets the subject, or some of its keys,
// stand at a stage.
func (s subject) mayStand(c *flags.Compiled, stage flags.Stage) bool {
	low, high := s.reach(c)
	return low == stage || high == stage
}

// refuses reports whether capture of a side is to refuse statements from
// outside: as long as the side may be without authority for anybody, and for
// the new side also while it has stale keys.
func (l *look) refuses(side flags.Side) bool {
	for _, c := range l.acting() {
		for stage := range occupied(c.Policy()) {
			if stage.Plan().Authority != side {
				return true
			}
		}
	}
	return side == flags.NewSide &&
		slices.ContainsFunc(l.state.Stale, func(c ledger.StaleCount) bool { return c.Side == side && c.Keys > 0 })
}

// attribute is one of the things that a policy says to hold.
type attribute struct {
	name    string
	of      func(*flags.Standing) *bool
	careful bool // the value that is safe whatever holds
	given   string
	taken   string
}

var attributes = []attribute{
	{
		name: "clean", of: func(s *flags.Standing) *bool { return &s.Clean },
		given: "no key of who stands at live is stale on the new side, and none can become so: reads need not look",
		taken: "keys may be stale on the new side: reads at live look again",
	},
	{
		name: "strict shadow", of: func(s *flags.Standing) *bool { return &s.StrictShadow }, careful: true,
		given: "readers who do not look for stale keys may be about: writes at shadow are strict",
		taken: "nobody reads without a look for stale keys any more: writes at shadow are lenient again",
	},
	{
		name: "unfenced at old", of: func(s *flags.Standing) *bool { return &s.UnfencedOld },
		given: "everybody stands at old, and capture of all its tables records what comes too late: writes need no fence",
		taken: "capture of all tables of the old side no longer stands and records for everybody at old: writes are fenced",
	},
	{
		name: "unfenced at new", of: func(s *flags.Standing) *bool { return &s.UnfencedNew },
		given: "everybody stands at new, and capture of all its tables records what comes too late: writes need no fence",
		taken: "capture of all tables of the new side no longer stands and records for everybody at new: writes are fenced",
	},
}

// due is what the keeper has to do, and why.
type due struct {
	standing flags.Standing // equal to that of the policy in force: nothing to publish
	why      []string
	switches []flags.Side // whose capture is in the wrong mode
}

func (d *due) publishes() bool { return len(d.why) > 0 }

// keeping returns what is due. Until everybody acts on the policy in force, it
// only ever takes away what no longer holds.
func keeping(state *State) (due, error) {
	current := state.Current().Policy
	want, err := standing(state, current)
	if err != nil {
		return due{}, err
	}
	d := due{standing: current.Standing}
	settled := settled(state)
	for _, a := range attributes {
		have, want := a.of(&d.standing), *a.of(&want)
		if *have == want || !settled && want != a.careful {
			continue
		}
		*have = want
		if want {
			d.why = append(d.why, a.given)
		} else {
			d.why = append(d.why, a.taken)
		}
	}
	l, err := newLook(state, current)
	if err != nil {
		return due{}, err
	}
	for _, side := range []flags.Side{flags.OldSide, flags.NewSide} {
		capture := state.Capture[side]
		if capture.Installed && capture.Refusing() != l.refuses(side) && !l.relied(side) {
			d.switches = append(d.switches, side)
		}
	}
	return d, nil
}

// relied reports whether writes may run unfenced because capture of the side
// records. Its mode must not change under them.
func (l *look) relied(side flags.Side) bool {
	return slices.ContainsFunc(l.acting(), func(c *flags.Compiled) bool {
		p := c.Policy()
		return side == flags.OldSide && p.UnfencedOld || side == flags.NewSide && p.UnfencedNew
	})
}

// settled reports whether nobody acts on another policy than the one in force.
func settled(state *State) bool {
	return !slices.ContainsFunc(state.Outstanding(), func(p ledger.PolicyState) bool {
		return p.DrainedAt == nil || p.AcknowledgedAt == nil
	}) && !slices.ContainsFunc(state.Processes, func(p ledger.Process) bool { return p.Unknown })
}

// Keep does for a migration what follows from where everybody stands, and what
// nobody asks for: it publishes that reads at live need not look for stale keys
// any more, or that writes at old or new need no fence, takes such things away
// when they no longer hold, and has capture record or refuse as the ladder
// wants it. It waits for nobody, and may be called at any time by any number of
// programs: of several that find the same to do, one does it. Every step calls
// it when it is settled; a controller calls it again and again.
func (p *Plane) Keep(ctx context.Context, migration string) error {
	m, err := p.store.Migration(ctx, migration)
	if err != nil {
		return err
	}
	if _, err := p.settleOnce(ctx, m); err != nil {
		return err
	}
	_, err = p.keep(ctx, m, nil)
	return err
}

// maxKept bounds what one call of keep does: two modes and two policies at most
// follow from each other.
const maxKept = 5

// keep does what is due, and reports whether it published a policy.
func (p *Plane) keep(ctx context.Context, m ledger.Migration, report func(Progress)) (published bool, err error) {
	for range maxKept {
		state, err := p.store.Load(ctx, m.Name)
		if err != nil {
			return published, err
		}
		d, err := keeping(state)
		switch {
		case err != nil:
			return published, err
		case d.publishes():
			done, err := p.publish(ctx, m, state.Current().Epoch, report)
			if err != nil {
				return published, err
			}
			published = published || done
		case len(d.switches) > 0:
			if done, err := p.switchBack(ctx, m, d.switches, report); err != nil || !done {
				return published, err
			}
		default:
			return published, nil
		}
	}
	return published, nil
}

// publish puts a policy with the same stages into force that says what holds
// now. It reports false when somebody else was faster.
func (p *Plane) publish(ctx context.Context, m ledger.Migration, epoch int64, report func(Progress)) (bool, error) {
	var why string
	changed := false
	after, err := p.store.Change(ctx, m.Name, epoch, func(state *State) (*ledger.Draft, error) {
		d, err := keeping(state)
		if err != nil {
			return nil, ledger.Refuse(err)
		}
		if !d.publishes() {
			return nil, nil
		}
		next := state.Current().Policy
		why, changed = strings.Join(d.why, "; "), true
		entry := ledger.Entry{
			Actor: keeperActor, Kind: ledger.KindPublish, Reason: why, From: describeStanding(next.Standing), To: describeStanding(d.standing),
		}
		next.Standing = d.standing
		return &ledger.Draft{Next: next, Entries: []ledger.Entry{entry}}, nil
	})
	var conflict *ConflictError
	if errors.As(err, &conflict) {
		return false, nil
	}
	if err != nil || !changed {
		return false, err
	}
	tell(report, Progress{Migration: m.Name, Kind: Published, Epoch: after.Epoch, Text: why})
	return true, nil
}

// describeStanding says in words what a policy says to hold.
func describeStanding(s flags.Standing) string {
	var names []string
	for _, a := range attributes {
		if *a.of(&s) {
			names = append(names, a.name)
		}
	}
	if len(names) == 0 {
		return "nothing said"
	}
	return strings.Join(names, ", ")
}

func tell(report func(Progress), p Progress) {
	if report != nil {
		report(p)
	}
}
