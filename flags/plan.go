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

// Plan returns what the stage does. It panics when the stage is not valid: a
// decision never carries one.
func (s Stage) Plan() *Plan {
	if !s.Valid() {
		panic("flags: plan of " + s.String())
	}
	return &plans[s]
}
