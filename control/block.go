package control

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// BlockKind is the rule that speaks against a step.
type BlockKind string

// The rules. [Rules] tells the sentence of each.
const (
	BlockInvalid       BlockKind = "invalid"
	BlockJump          BlockKind = "jump"
	BlockUnknownPolicy BlockKind = "unknown-policy"
	BlockBarrier       BlockKind = "barrier"
	BlockBackfill      BlockKind = "backfill"
	BlockVerify        BlockKind = "verify"
	BlockFailing       BlockKind = "failing-copies"
	BlockStaleNew      BlockKind = "stale-new"
	BlockOldIncomplete BlockKind = "old-incomplete"
	BlockStaleOld      BlockKind = "stale-old"
	// Capture: writers that bypass the application.
	BlockBypassed       BlockKind = "bypassing-writers"
	BlockCaptureBroken  BlockKind = "capture-broken"
	BlockCaptureAbsent  BlockKind = "capture-absent"
	BlockCaptureOpen    BlockKind = "capture-open"
	BlockCaptureRefuses BlockKind = "capture-refuses"
	// The migrations of one entity in a row.
	BlockChainBelow BlockKind = "chain-below"
	BlockChainAbove BlockKind = "chain-above"
	BlockChainFleet BlockKind = "chain-fleet"
	// What holds a step although no row would be lost by it.
	BlockMismatches BlockKind = "mismatches"
	BlockGuardrail  BlockKind = "guardrail"
	BlockFreeze     BlockKind = "freeze"
	BlockApproval   BlockKind = "approval"
)

// Passes reports whether the block goes away by itself, by waiting for the fleet.
func (k BlockKind) Passes() bool { return k == BlockBarrier || k == BlockUnknownPolicy }

// Arranged reports whether a step that is taken brings it about by itself that
// the block goes away: see [Plane.Apply].
func (k BlockKind) Arranged() bool { return k == BlockCaptureOpen }

// Block is one reason against a step.
type Block struct {
	Kind BlockKind
	// From and To are the step that is refused.
	From, To flags.Stage
	// Tenants are the tenants of whom it is refused, by name, and Others says
	// that tenants whom the ledger does not know by name are among them.
	Tenants []string
	Others  bool
	// Epochs are the older policies that somebody may still act on, and
	// Processes those who do.
	Epochs    []int64
	Processes []ledger.Process
	// Keys counts stale keys, and Oldest is when the oldest was recorded.
	Keys   int64
	Oldest time.Time
	// Forcible says that [Change.Force] sets the block aside.
	Forcible bool
	// Mends says that work under way, or the control plane itself, takes the
	// block away: stale keys that are repaired, a job that runs.
	Mends bool
	// Text says what is wrong and what to do.
	Text string
}

func (b Block) String() string { return b.Text }

// who names the tenants of a block, the first few of many.
func (b Block) who() string {
	const shown = 5
	if len(b.Tenants) == 0 {
		return "tenants without a state of their own"
	}
	names := make([]string, 0, shown)
	for _, t := range b.Tenants[:min(shown, len(b.Tenants))] {
		names = append(names, fmt.Sprintf("%q", t))
	}
	text := "tenant " + names[0]
	if len(b.Tenants) > 1 {
		text = fmt.Sprintf("%d tenants (%s", len(b.Tenants), strings.Join(names, ", "))
		if len(b.Tenants) > shown {
			text += ", ..."
		}
		text += ")"
	}
	if b.Others {
		text += " and tenants without a state of their own"
	}
	return text
}

// StepError says that a change of policy is refused, with everything that
// speaks against it. Nothing was changed.
type StepError struct {
	Migration string
	Blocks    []Block
	// Left are the tenants that a [Walk] left behind where they stood, while
	// the others went on: then steps were taken.
	Left []string
}

func (e *StepError) Error() string {
	type step struct{ from, to flags.Stage }
	var order []step
	reasons := map[step][]string{}
	for _, b := range e.Blocks {
		s := step{b.From, b.To}
		if reasons[s] == nil {
			order = append(order, s)
		}
		reasons[s] = append(reasons[s], b.Text)
	}
	var parts []string
	for _, s := range order {
		head := fmt.Sprintf("cannot step from %s to %s: ", s.from, s.to)
		if !s.from.Valid() {
			head = ""
		}
		parts = append(parts, head+strings.Join(reasons[s], "; "))
	}
	return e.Migration + ": " + strings.Join(parts, "; ")
}

// has reports whether a rule of the kind speaks against the step.
func (e *StepError) has(kind BlockKind) bool {
	return slices.ContainsFunc(e.Blocks, func(b Block) bool { return b.Kind == kind })
}

// Mends reports whether waiting is all that is missing: for the fleet, or for
// work that is under way.
func (e *StepError) Mends() bool {
	return !slices.ContainsFunc(e.Blocks, func(b Block) bool { return !b.Mends && !b.Kind.Passes() })
}

// Passes reports whether waiting for the fleet is all that is missing.
func (e *StepError) Passes() bool {
	return !slices.ContainsFunc(e.Blocks, func(b Block) bool { return !b.Kind.Passes() })
}
