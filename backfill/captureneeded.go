package backfill

import (
	"fmt"
	"slices"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// needed returns why the capture of a side cannot go. Where the side is written
// alone, its capture goes behind a fenced policy. Where the other side is, it
// goes only if no write of this one ever ran without a fence: such a write may
// arrive at any time, and where nothing notices it, it is acknowledged and lost.
func needed(state *ledger.State, side flags.Side) []string {
	var reasons []string
	everybody := func(at flags.Stage) bool {
		return !anybody(state, func(s flags.Stage) bool { return s != at })
	}
	current := state.Current()
	own, other := flags.Old, flags.New
	if side == flags.NewSide {
		own, other = other, own
	}
	switch ran := state.RanUnfenced[side]; {
	case everybody(own):
	case everybody(other) && !ran:
	case everybody(other):
		reasons = append(reasons, fmt.Sprintf("writes at %s once ran without a fence, and one that is late may still arrive there, "+
			"which at %s nothing but this capture notices: have everybody at %s, and let the step settle", own, other, own))
	default:
		at := own.String()
		if !ran {
			at += ", or everybody at " + other.String()
		}
		reasons = append(reasons, fmt.Sprintf("somebody stands elsewhere, or may still act on a policy by which somebody does: have everybody at %s, and let the step settle", at))
	}
	unfenced := func(p flags.Policy) bool {
		return side == flags.OldSide && p.UnfencedOld || side == flags.NewSide && p.UnfencedNew
	}
	switch {
	case unfenced(current.Policy):
		reasons = append(reasons, fmt.Sprintf("writes run without a fence by the policy in force, which relies on it: "+
			"the control plane publishes a fenced one, run `crossfade capture remove %s --side %s` again then", state.Migration.Name, side))
	case slices.ContainsFunc(state.Outstanding(), func(p ledger.PolicyState) bool { return unfenced(p.Policy) }):
		reasons = append(reasons, "somebody may still act on an older policy by which writes run without a fence")
	}
	return reasons
}
