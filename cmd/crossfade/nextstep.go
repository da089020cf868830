package main

import (
	"fmt"
	"slices"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// nextStep is a step of everybody whom no pin names, and what speaks against it.
type nextStep struct {
	To flags.Stage `json:"to"`
	// Ends says that a percentage step is ended by it: everybody follows, or
	// its share comes back.
	Ends          bool        `json:"ends_percentage_step,omitempty"`
	Command       string      `json:"command"`
	Allowed       bool        `json:"allowed"`
	PointNoReturn bool        `json:"point_of_no_return,omitempty"`
	Blocks        []blockJSON `json:"blocks"`

	blocks []control.Block
}

// nextUp returns the next step up of those whom no pin names; nil at the top.
func nextUp(state *ledger.State) *nextStep { return next(state, flags.New) }

// nextDown returns the next step down; nil at the bottom.
func nextDown(state *ledger.State) *nextStep { return next(state, flags.Old) }

// next returns the next step towards a stage. A percentage step that leads
// there is completed, one that leads away is taken back.
func next(state *ledger.State, toward flags.Stage) *nextStep {
	policy := state.Current().Policy
	step := policy.Step
	policy.Step = flags.Step{}
	n := &nextStep{}
	switch {
	case step.Share > 0 && (step.To > policy.Default) == (toward > policy.Default) && toward != policy.Default:
		n.To, n.Ends = step.To, true
		policy.Default = step.To
		n.Command = fmt.Sprintf("crossfade step %s %s", policy.Migration, n.To)
	case step.Share > 0:
		n.To, n.Ends = policy.Default, true
		n.Command = fmt.Sprintf("crossfade step %s %s --percent 0", policy.Migration, step.To)
	case policy.Default == toward:
		return nil
	default:
		n.To = policy.Default.Toward(toward)
		policy.Default = n.To
		n.Command = fmt.Sprintf("crossfade step %s %s", policy.Migration, n.To)
	}
	n.blocks = slices.DeleteFunc(control.Check(state, policy), func(b control.Block) bool { return b.Kind.Arranged() })
	n.Blocks, n.Allowed = toBlocks(n.blocks), len(n.blocks) == 0
	if plan := n.To.Plan(); plan.Authority == flags.NewSide && !plan.WritesBoth {
		n.PointNoReturn = true
		n.Command += " --yes"
	}
	return n
}
