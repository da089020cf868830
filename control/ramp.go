package control

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// observedGap is how many ticks may lie between two looks at a ramp that count
// as having watched it in between.
const observedGap = 3

// rampLook is what the next move of a ramp depends on.
type rampLook struct {
	ramp      ledger.Ramp
	plan      RampPlan
	policy    flags.Policy
	settled   bool  // nobody acts on an older policy
	samples   int64 // calls of the new side since the step that is held was settled
	approvals []ledger.Approval
	now       time.Time
	tick      time.Duration
}

// rampMove is the next move of a ramp.
type rampMove struct {
	place ledger.RampPlace
	// take says that the step that is due is to be taken; the place is then the
	// one after it.
	take bool
	// settle says that the step that was taken is settled now.
	settle bool
	// entry is what the history says, if anything.
	entry string
}

// next returns the next move. It is a pure function, and it moves by one phase
// at most, so that no catch-up ever takes two steps at once or skips what a
// step must wait for.
func (l *rampLook) next() rampMove {
	m := rampMove{place: l.ramp.RampPlace}
	m.place.WaitingFor = ""
	i := m.place.Step
	if i >= len(l.plan.Steps) {
		return l.done(m)
	}
	step := l.plan.Steps[i]
	due := m.place.Phase == ledger.RampDue
	stands := step.stands(l.policy)
	if !stands && (!due || i > 0 && !l.plan.Steps[i-1].stands(l.policy)) {
		return l.diverged(m)
	}
	switch m.place.Phase {
	case ledger.RampDue:
		return l.due(m, step, stands)
	case ledger.RampSettling:
		if !l.settled {
			m.place.WaitingFor = "until nobody acts on an older policy"
			return m
		}
		m.settle = true
		m.place.Phase, m.place.Held, m.place.Samples, m.place.TickedAt = ledger.RampHolding, 0, 0, l.stamp()
		return m
	}
	return l.hold(m, step)
}

func (l *rampLook) stamp() *time.Time { return new(l.now) }

// due decides whether the step may be asked for. The interlocks decide whether
// it is taken. A step that somebody took by hand needs no window any more, but
// the approval all the same: nothing is settled, held or counted before it.
func (l *rampLook) due(m rampMove, step RampStep, stands bool) rampMove {
	if opens := l.plan.opens(l.now); !stands && opens.After(l.now) {
		m.place.WaitingFor = "its window, which opens at " + opens.UTC().Format(time.RFC3339)
		return m
	}
	if step.Approval && !l.approved(m.place.Step) {
		m.place.WaitingFor = fmt.Sprintf("an approval by another person than %s: `crossfade ramp approve %s`", l.ramp.Author, l.policy.Migration)
		if stands {
			m.place.WaitingFor = fmt.Sprintf("step %d stands already, but needs %s", m.place.Step+1, m.place.WaitingFor)
		}
		return m
	}
	m.take = !stands
	m.place.Phase, m.place.TakenAt = ledger.RampSettling, l.stamp()
	return m
}

func (l *rampLook) approved(step int) bool {
	return slices.ContainsFunc(l.approvals, func(a ledger.Approval) bool {
		return a.Ramp == l.ramp.ID && a.Step == step && !ledger.SamePerson(a.Actor, l.ramp.Author)
	})
}

// hold counts the time that was watched, and goes on when the step has held
// and was measured enough.
func (l *rampLook) hold(m rampMove, step RampStep) rampMove {
	if last := m.place.TickedAt; last != nil {
		if gap := l.now.Sub(*last); gap > 0 && gap <= observedGap*l.tick {
			m.place.Held += gap
		}
	}
	m.place.TickedAt, m.place.Samples = l.stamp(), l.samples
	var waits []string
	if left := time.Duration(step.Hold) - m.place.Held; left > 0 {
		waits = append(waits, fmt.Sprintf("%s more of its hold of %s", short(left), time.Duration(step.Hold)))
	}
	if l.samples < step.MinSamples {
		waits = append(waits, fmt.Sprintf("samples: %d of %d calls of the new side", l.samples, step.MinSamples))
	}
	if len(waits) > 0 {
		m.place.WaitingFor = strings.Join(waits, "; ")
		return m
	}
	m.place = ledger.RampPlace{State: m.place.State, Step: m.place.Step + 1, Phase: ledger.RampDue, TickedAt: l.stamp()}
	if m.place.Step == len(l.plan.Steps) {
		return l.done(m)
	}
	return m
}

func (l *rampLook) done(m rampMove) rampMove {
	m.place.State, m.entry = ledger.RampDone, fmt.Sprintf("ramp %d is done", l.ramp.ID)
	return m
}

// diverged pauses a ramp whose policy somebody else has changed. It goes back
// to the first step that does not stand any more, so that a resumed ramp skips
// no hold.
func (l *rampLook) diverged(m rampMove) rampMove {
	back := m.place.Step
	for back > 0 && !l.plan.Steps[back-1].stands(l.policy) {
		back--
	}
	m.place = ledger.RampPlace{State: ledger.RampPaused, Step: back, Phase: ledger.RampDue}
	m.place.WaitingFor = fmt.Sprintf("a person: the policy is not as the ramp left it (%s): `crossfade ramp resume %s` goes on with step %d",
		describe(l.policy), l.policy.Migration, back+1)
	m.entry = fmt.Sprintf("ramp %d paused: the policy is not as the ramp left it", l.ramp.ID)
	return m
}

// RampETA estimates when a running ramp takes its next step and when it is
// done, by what is left of the holds and by the windows alone: samples,
// approvals, guardrails and interlocks may take longer. ok is false for a ramp
// that is not running.
func RampETA(plan RampPlan, ramp ledger.Ramp, now time.Time) (next, done time.Time, ok bool) {
	if ramp.State != ledger.RampRunning || ramp.Step >= len(plan.Steps) {
		return next, done, false
	}
	at := now
	for i := ramp.Step; i < len(plan.Steps); i++ {
		left := time.Duration(plan.Steps[i].Hold)
		if i > ramp.Step || ramp.Phase == ledger.RampDue {
			at = plan.opens(at)
			if next.IsZero() {
				next = at
			}
		} else if ramp.Phase == ledger.RampHolding {
			left -= ramp.Held
		}
		at = at.Add(max(left, 0))
	}
	if next.IsZero() { // the last step is held
		next = at
	}
	return next, at, true
}
