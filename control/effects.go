package control

import (
	"fmt"
	"slices"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// effects returns what the step does to the states of tenants: where one side
// is not written, before the step or after it, backfilled and verified mean
// nothing; and who enters new has an old side that misses writes. The whole
// migration's state counts for tenants without a name, so that it follows
// wherever any of them goes.
func (l *look) effects() ledger.Effects {
	var e ledger.Effects
	touched, left := map[string]bool{}, map[string]bool{}
	for _, m := range l.moves() {
		who := m.subject.tenant
		if !crosses(m.From, m.To) {
			continue
		}
		if !touched[who] {
			touched[who] = true
			e.NotCopied = append(e.NotCopied, who)
		}
		if to := m.To.Plan(); !to.WritesBoth && to.Authority == flags.NewSide && !left[who] {
			left[who] = true
			e.OldIncomplete = append(e.OldIncomplete, who)
		}
	}
	e.Forget = slices.Clone(e.NotCopied)
	for _, who := range l.state.Noted {
		s := subject{tenant: who}
		if crosses(s.stage(l.current), s.stage(l.next)) && !touched[who] {
			e.Forget = append(e.Forget, who)
		}
	}
	if touched[""] {
		for _, who := range slices.Concat(l.names(), l.state.Noted) {
			s := subject{tenant: who}
			if _, own := l.state.Tenants[who]; !own && !crosses(s.stage(l.current), s.stage(l.next)) {
				e.Keep = append(e.Keep, who)
			}
		}
	}
	return e
}

// crosses reports whether a step leads to or from where one side is not written.
func crosses(from, to flags.Stage) bool {
	return from != to && !(from.Plan().WritesBoth && to.Plan().WritesBoth)
}

// notes returns what an operator should know before the step is taken.
func (l *look) notes() []string {
	var notes []string
	add := func(format string, args ...any) {
		if note := fmt.Sprintf(format, args...); !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
	}
	for _, m := range l.moves() {
		switch (Transition{m.From, m.To}) {
		case Transition{flags.RampDown, flags.New}:
			add("this is the point of no return: at new the old side is no longer written, and stepping down below live needs a reverse backfill first")
		case Transition{flags.New, flags.RampDown}:
			add("live can be left downwards only after a reverse backfill: run `crossfade backfill %s`", l.name())
		case Transition{flags.Shadow, flags.Live}, Transition{flags.Live, flags.Shadow}:
			switch side := m.From.Plan().Authority; {
			case !l.state.Capture[side].Installed:
				add("capture does not watch the %s side: whatever writes it past the application from now on is lost unseen (`crossfade capture install --help`)", side)
			case l.state.Capture[side].Recording():
				add("statements past the application that write the %s side are refused from now on: `crossfade capture status %s` shows whose", side, l.name())
			}
		case Transition{flags.Dual, flags.Old}:
			add("the new side is no longer written: the backfill counts no more")
		}
	}
	return notes
}

// Effects returns what a step that [Check] allows does to the states of
// tenants. It is a pure function, for models and displays; Apply writes the
// effects with the step.
func Effects(state *State, next flags.Policy) ledger.Effects {
	l, err := newLook(state, next)
	if err != nil {
		return ledger.Effects{}
	}
	return l.effects()
}

// Standing returns what next would say to hold if it were published now. It is
// a pure function; Apply publishes this with each step.
func Standing(state *State, next flags.Policy) (flags.Standing, error) { return standing(state, next) }

// Due returns what a keeper would do now: what the policy in force is to say to
// hold, and the sides whose capture is to be switched to its other mode. It is
// a pure function; [Plane.Keep] does it.
func Due(state *State) (flags.Standing, []flags.Side, error) {
	d, err := keeping(state)
	return d.standing, d.switches, err
}
