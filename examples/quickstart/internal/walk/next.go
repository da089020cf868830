// Package walk leads the tenants up the ladder, from old to new, while the application keeps writing: one tenant first,
// then 5 %, 25 % and 100 % of them, rung by rung, with backfill and verification in between.
//
// What to do next is a function of what the ledger and the database say, never of what this process remembers: a walk that was
// killed goes on where it was. Whether a step is safe is not decided here: the control plane refuses what is not.
package walk

import (
	"fmt"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/progress"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// Situation is all that the next step depends on.
type Situation struct {
	State *ledger.State
	// Tenants are all of the application's tenants; the first walks ahead of the others.
	Tenants []string
	// StopAt is where the walk ends. One that is above it already ends at once.
	StopAt flags.Stage
	// Checked says that everything was read back and compared at rampdown.
	Checked  bool
	PlantBug bool
	Fault    progress.Fault
}

// Action is a kind of step.
type Action string

// The actions of a walk.
const (
	Move  Action = "move"  // changes the policy
	Copy  Action = "copy"  // copies every key to the side without authority
	Prove Action = "prove" // verifies that both sides are equal
	Mend  Action = "mend"  // copies the stale keys
	Check Action = "check" // reads everything back while nothing is written
	End   Action = "end"   // the same, and the walk is over

	Plant  Action = "plant"  // the fault of --plant-bug
	Watch  Action = "watch"  // waits until the fault is found
	Lift   Action = "lift"   // takes the fault away
	Count  Action = "count"  // counts the keys that it damaged
	Repair Action = "repair" // copies them again
)

// Step is what to do next.
type Step struct {
	Action Action
	// Phase is the part of the walk that the step belongs to, and Text what people are told.
	Phase, Text string
	// Change is what a Move changes.
	Change control.Change
	// Leaves is the rung that all tenants stand at and that the first is about to leave, or none.
	Leaves flags.Stage
}

// shares are the steps from one rung to the next, after the first tenant; then all follow.
var shares = []flags.Share{5_00, 25_00}

// Next returns what to do next.
func Next(s Situation) Step {
	p := place(s)
	if step, ok := p.fault(); ok {
		return step
	}
	if p.together {
		if step, ok := p.between(); ok {
			return step
		}
	}
	return p.up()
}

// position is where the tenants stand.
type position struct {
	Situation
	at    flags.Stage // of everybody who is not ahead
	first flags.Stage // of the tenant that walks ahead
	step  flags.Step
	// together says that all tenants stand at the same rung.
	together bool
}

func place(s Situation) position {
	policy := s.State.Current().Policy
	p := position{Situation: s, at: policy.Default, first: policy.Default, step: policy.Step}
	if stage, pinned := policy.Overrides[s.Tenants[0]]; pinned {
		p.first = stage
	}
	p.together = p.step.Share == 0 && p.first == p.at
	return p
}

// between returns what is to be done while all tenants stand at the same rung.
func (p position) between() (Step, bool) {
	if p.at.Plan().WritesBoth {
		switch {
		case p.any(func(t ledger.TenantState) bool { return t.BackfilledAt == nil }):
			return Step{Action: Copy, Phase: "backfill", Text: "backfill of all keys"}, true
		case p.any(func(t ledger.TenantState) bool { return t.VerifiedAt == nil || t.VerifiedAt.Before(*t.BackfilledAt) }):
			return Step{Action: Prove, Phase: "verification", Text: "verification of all keys"}, true
		case len(p.State.Stale) > 0:
			return Step{Action: Mend, Phase: p.at.String(), Text: "repair of stale keys"}, true
		}
	}
	switch {
	case p.at >= p.StopAt:
		return Step{Action: End, Phase: "check", Text: "everything is read back at the end", Leaves: p.at}, true
	case p.at == flags.RampDown && !p.Checked:
		return Step{Action: Check, Phase: "check", Text: "everything is read back before new", Leaves: p.at}, true
	}
	return Step{}, false
}

// any looks at each tenant, and at the state of those that have none of their own.
func (p position) any(is func(ledger.TenantState) bool) bool {
	if is(p.State.Whole) {
		return true
	}
	for _, tenant := range p.Tenants {
		if is(p.State.Tenant(tenant)) {
			return true
		}
	}
	return false
}

// up returns the next step from the rung where most stand to the one above.
func (p position) up() Step {
	to := p.at + 1
	switch {
	case p.step.Share > 0 && p.step.To != to:
		return p.move(control.Change{Kind: control.SetPercentage}, p.step.To, fmt.Sprintf("all back to %s", p.at))
	case p.first != to:
		step := p.moveFirst(to)
		if p.together {
			step.Leaves = p.at
		}
		return step
	}
	for _, share := range shares {
		if p.step.Share < share {
			return p.move(control.Change{Kind: control.SetPercentage, To: to, Share: share}, to, fmt.Sprintf("%s for %s", to, share))
		}
	}
	return p.move(control.Change{Kind: control.SetDefault, To: to}, to, fmt.Sprintf("%s for all", to))
}

func (p position) moveFirst(to flags.Stage) Step {
	return p.move(control.Change{Kind: control.SetTenants, To: to, Tenants: p.Tenants[:1]}, to, fmt.Sprintf("%s for one tenant", to))
}

func (p position) move(c control.Change, phase flags.Stage, text string) Step {
	return Step{Action: Move, Phase: phase.String(), Text: text, Change: c}
}

// fault returns the next step with the planted fault, if there is one.
func (p position) fault() (Step, bool) {
	step := func(action Action, text string) (Step, bool) {
		return Step{Action: action, Phase: "fault", Text: text}, true
	}
	if !p.PlantBug {
		return Step{}, false
	}
	switch p.Fault {
	case progress.FaultNone:
		if p.at == flags.Dual && p.step.To == flags.Shadow && p.step.Share >= shares[len(shares)-1] {
			return step(Plant, "version 2 gets a fault: a name of five words loses its middle")
		}
	case progress.FaultPlanted:
		return step(Watch, "shadow reads look for the fault")
	case progress.FaultFound:
		switch {
		case p.step.Share > 0:
			return Step{
				Action: Move, Phase: "fault", Text: fmt.Sprintf("all but one tenant back to %s", p.at),
				Change: control.Change{Kind: control.SetPercentage},
			}, true
		case p.first > p.at:
			back := p.moveFirst(p.at)
			back.Phase, back.Text = "fault", fmt.Sprintf("all back to %s", p.at)
			return back, true
		}
		return step(Lift, "version 2 is mended")
	case progress.FaultLifted:
		return step(Count, "verification counts the damaged keys")
	case progress.FaultCounted:
		return step(Repair, "the keys are copied again")
	}
	return Step{}, false
}
