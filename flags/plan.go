package flags

// Plan is what a stage means for reads and writes.
type Plan struct {
	// Authority is the side whose value counts: its answer goes to the caller.
	Authority Side
	// WritesBoth says that a write goes to both sides in one transaction.
	WritesBoth bool
	// Strict says that a failure of the side without authority fails the
	// write. Otherwise the write stands and the key is recorded as stale on
	// that side.
	Strict bool
	// Compares says that reads are compared with the other side.
	Compares bool
	// ThroughStale says that reads look for stale keys of the authority and
	// are answered by the other side for those, and that a write first takes
	// such a key from the other side.
	ThroughStale bool
	// Fallback says that a read whose authority errs is answered by the other
	// side, where that one is complete and the key is not stale there.
	Fallback bool
	// Unfenced says that a write needs neither fence nor key lock, as capture
	// records what comes too late. Locking reads are fenced all the same.
	Unfenced bool

	path string
}

// plans is the ladder: the only place that says what a stage does.
var plans = [...]Plan{
	Old:      {Authority: OldSide, path: "old path"},
	Dual:     {Authority: OldSide, WritesBoth: true, path: "dual path"},
	Shadow:   {Authority: OldSide, WritesBoth: true, Compares: true, path: "dual path"},
	Live:     {Authority: NewSide, WritesBoth: true, Strict: true, Compares: true, ThroughStale: true, Fallback: true, path: "dual path"},
	RampDown: {Authority: NewSide, WritesBoth: true, path: "dual path"},
	New:      {Authority: NewSide, path: "new path"},
}

// standingPlans are the plans of a stage under what a policy says to hold: by
// clean, strict shadow and unfenced.
var standingPlans = func() (all [New + 1][8]Plan) {
	for _, stage := range Stages() {
		for i := range all[stage] {
			plan := plans[stage]
			clean, strict, unfenced := i&1 > 0, i&2 > 0, i&4 > 0
			plan.ThroughStale = plan.ThroughStale && !clean
			plan.Strict = plan.Strict || strict && stage == Shadow
			plan.Unfenced = unfenced && !plan.WritesBoth
			all[stage][i] = plan
		}
	}
	return all
}()

// Plan returns what the decision's stage does under its policy. It panics as
// [Stage.Plan] does, and allocates nothing.
func (d Decision) Plan() *Plan {
	if !d.Stage.Valid() {
		panic("flags: plan of " + d.Stage.String())
	}
	i := 0
	if d.Clean {
		i |= 1
	}
	if d.StrictShadow {
		i |= 2
	}
	if d.Unfenced {
		i |= 4
	}
	return &standingPlans[d.Stage][i]
}

// Plan returns what the stage does by itself: see [Decision.Plan]. It panics when the stage is not valid: a
// decision never carries one.
func (s Stage) Plan() *Plan {
	if !s.Valid() {
		panic("flags: plan of " + s.String())
	}
	return &plans[s]
}
