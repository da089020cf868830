package control

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// Finding is what a guardrail found, of everybody or of one tenant.
type Finding struct {
	Guardrail ledger.Guardrail
	Tenant    string // empty: everybody
	Verdict   string
	// Value is what was compared with the threshold; meaningless unless the
	// verdict is ok or violated.
	Value float64
	// Numbers are the figures in words, without a value of any user.
	Numbers string
}

// Evidence is what guardrails judge by: everything that was measured within
// the window and since the guardrail's last action.
type Evidence struct {
	Measurements
	// Policy is the one in force.
	Policy flags.Policy
	Stale  []ledger.StaleCount
	At     time.Time
}

// Judge says what a guardrail finds of everybody. It is a pure function.
//
// An error rate and a latency are compared work by work, reads with reads and
// writes with writes, and the worse of them counts: what both sides served to
// callers where each has the minimum sample, else what one served with what
// the other was compared by. Without the sample of one of them nothing can be
// said, and the verdict is inconclusive unless the other is violated; a kind of
// which there was no call counts for nothing, and so do reads where the
// policy compares none. Where nobody stands at a stage at which the measure can
// be taken, it is idle.
func Judge(g ledger.Guardrail, e *Evidence) Finding {
	f := Finding{Guardrail: g}
	if !measurable(g.Measure, e.Policy) {
		f.Verdict, f.Numbers = ledger.VerdictIdle, "nobody stands where it can be measured"
		return f
	}
	switch g.Measure {
	case ledger.MeasureErrorRate:
		f.worst(errorRates(g, e.Policy, func(side, role, work int) (calls, failed int64) {
			s := &e.Calls[side][role][work]
			return s.Calls, s.Failed
		}))
	case ledger.MeasureLatencyP50:
		f.worst(latencies(g, e, 0.50))
	case ledger.MeasureLatencyP99:
		f.worst(latencies(g, e, 0.99))
	case ledger.MeasureMismatchRate, ledger.MeasureDropRate:
		f.worst([]reading{comparing(g, e.Comparisons)})
	case ledger.MeasureStaleAge:
		f.worst([]reading{staleAge(e, "")})
	default: // of a newer program
		f.Verdict, f.Numbers = ledger.VerdictInconclusive, "the measure is not known to this program"
	}
	return f
}

// JudgeTenants says what a guardrail finds of each tenant that was measured by
// name, those alone of whom it is violated. Latencies are not kept by tenant:
// [ledger.Guardrail.Validate] refuses to step tenants down by them.
func JudgeTenants(g ledger.Guardrail, e *Evidence) []Finding {
	if !measurable(g.Measure, e.Policy) {
		return nil
	}
	names := map[string]bool{}
	for name := range e.Tenants {
		names[name] = true
	}
	for _, s := range e.Stale {
		names[s.Tenant] = true
	}
	delete(names, "")
	var found []Finding
	for name := range names {
		f := Finding{Guardrail: g, Tenant: name}
		t := e.Tenants[name]
		switch {
		case g.Measure == ledger.MeasureStaleAge:
			f.worst([]reading{staleAge(e, name)})
		case t == nil:
			continue
		case g.Measure == ledger.MeasureErrorRate:
			f.worst(errorRates(g, e.Policy, func(side, role, work int) (calls, failed int64) {
				return t.Calls[side][role][work], t.Failed[side][role][work]
			}))
		case g.Measure == ledger.MeasureMismatchRate || g.Measure == ledger.MeasureDropRate:
			f.worst([]reading{comparing(g, t.Comparisons)})
		}
		if f.Verdict == ledger.VerdictViolated {
			found = append(found, f)
		}
	}
	slices.SortFunc(found, func(a, b Finding) int { return strings.Compare(a.Tenant, b.Tenant) })
	return found
}

// without says of a violated guardrail that is to step tenants down that it has
// none to step down: it holds, and a person decides.
func (f *Finding) without(culprits []Finding) {
	if f.Verdict == ledger.VerdictViolated && len(culprits) == 0 {
		f.Numbers += "; no tenant by itself has enough calls and is above the threshold: nobody is stepped down, and the guardrail holds"
	}
}

// reading is one value with its figures. One that is not conclusive has no
// value; one of nothing, where no call was made that could have been measured
// on both sides, does not speak against the others either.
type reading struct {
	value      float64
	conclusive bool
	nothing    bool
	numbers    string
}

// worst takes the worst of all readings: violated beats inconclusive, and
// inconclusive beats ok, as enough reads say nothing about too few writes.
// Where there is nothing but nothing, it is inconclusive.
func (f *Finding) worst(all []reading) {
	f.Verdict = ledger.VerdictInconclusive
	var short, nothing []string
	for _, r := range all {
		switch {
		case r.nothing:
			nothing = append(nothing, r.numbers)
		case !r.conclusive:
			short = append(short, r.numbers)
		case f.Verdict == ledger.VerdictInconclusive || r.value > f.Value:
			f.Value, f.Numbers, f.Verdict = r.value, r.numbers, ledger.VerdictOK
		}
	}
	switch {
	case f.Verdict == ledger.VerdictOK && f.Value > f.Guardrail.Threshold:
		f.Verdict = ledger.VerdictViolated
	case len(short) > 0:
		f.Verdict, f.Numbers = ledger.VerdictInconclusive, strings.Join(short, "; ")
	case f.Verdict == ledger.VerdictInconclusive:
		f.Numbers = strings.Join(nothing, "; ")
	}
}

var workNames = [...]string{Reads: "reads", Writes: "writes"}

// pair chooses which calls of the old and of the new side are compared.
func pair(min int64, calls func(side, role int) int64) (old, new int, ok bool) {
	enough := func(side flags.Side, role Role) bool { return calls(int(side), int(role)) >= max(min, 1) }
	for _, roles := range [][2]Role{{Served, Served}, {Served, Compared}, {Compared, Served}} {
		if enough(flags.OldSide, roles[0]) && enough(flags.NewSide, roles[1]) {
			return int(roles[0]), int(roles[1]), true
		}
	}
	return 0, 0, false
}

// meets reports whether calls of one kind are made on both sides where a policy
// lets anybody stand: writes where both are written, reads where they are
// compared.
func meets(p flags.Policy, work int) bool {
	for stage := range occupied(p) {
		if plan := stage.Plan(); plan.Compares || plan.WritesBoth && Work(work) == Writes {
			return true
		}
	}
	return false
}

func errorRates(g ledger.Guardrail, p flags.Policy, of func(side, role, work int) (calls, failed int64)) []reading {
	const o, n = int(flags.OldSide), int(flags.NewSide)
	var all []reading
	for work := range workNames {
		calls := func(side, role int) int64 { c, _ := of(side, role, work); return c }
		old, new, ok := pair(g.MinSample, calls)
		if !ok {
			all = append(all, tooFew(g, p, work, calls))
			continue
		}
		oldCalls, oldFailed := of(o, old, work)
		newCalls, newFailed := of(n, new, work)
		value := rate(newFailed, newCalls) - rate(oldFailed, oldCalls)
		all = append(all, reading{value: value, conclusive: true, numbers: fmt.Sprintf(
			"%s: %d of %d failed on the new side and %d of %d on the old side, a difference of %s (threshold %s)",
			workNames[work], newFailed, newCalls, oldFailed, oldCalls, Amount(g.Measure, value), Amount(g.Measure, g.Threshold))})
	}
	return all
}

func latencies(g ledger.Guardrail, e *Evidence, q float64) []reading {
	const o, n = flags.OldSide, flags.NewSide
	var all []reading
	for work := range workNames {
		calls := func(side, role int) int64 { return e.Calls[side][role][work].Calls }
		old, new, ok := pair(g.MinSample, calls)
		if !ok {
			all = append(all, tooFew(g, e.Policy, work, calls))
			continue
		}
		before, after := e.Calls[o][old][work].Quantile(q), e.Calls[n][new][work].Quantile(q)
		value := float64(after) / math.Max(float64(before), 1)
		all = append(all, reading{value: value, conclusive: true, numbers: fmt.Sprintf(
			"%s: %s on the new side (%d calls) and %s on the old side (%d calls), a ratio of %s (threshold %s)", workNames[work],
			rounded(after), calls(int(n), new), rounded(before), calls(int(o), old), Amount(g.Measure, value), Amount(g.Measure, g.Threshold))})
	}
	return all
}

// tooFew is the reading of a kind of calls without the sample.
func tooFew(g ledger.Guardrail, p flags.Policy, work int, calls func(side, role int) int64) reading {
	most := func(side flags.Side) int64 {
		return max(calls(int(side), int(Served)), calls(int(side), int(Compared)))
	}
	old, new := most(flags.OldSide), most(flags.NewSide)
	return reading{nothing: old == 0 && new == 0 || !meets(p, work), numbers: fmt.Sprintf(
		"%s: %d calls of the new side and %d of the old side are too few, %d of each are needed", workNames[work], new, old, g.MinSample)}
}

func comparing(g ledger.Guardrail, c Comparisons) reading {
	part, whole, what := c.Mismatched, c.Judged(), "differ"
	if g.Measure == ledger.MeasureDropRate {
		part, whole, what = c.Dropped, c.All(), "were dropped"
	}
	if whole < max(g.MinSample, 1) {
		return reading{numbers: fmt.Sprintf("%d comparisons are too few, %d are needed", whole, g.MinSample)}
	}
	value := rate(part, whole)
	return reading{value: value, conclusive: true, numbers: fmt.Sprintf("%d of %d comparisons %s, %s (threshold %s)",
		part, whole, what, Amount(g.Measure, value), Amount(g.Measure, g.Threshold))}
}

// staleAge looks at one tenant, or at all.
func staleAge(e *Evidence, tenant string) reading {
	var keys int64
	oldest := e.At
	for _, s := range e.Stale {
		if s.Keys == 0 || tenant != "" && s.Tenant != tenant {
			continue
		}
		keys += s.Keys
		if s.Oldest.Before(oldest) {
			oldest = s.Oldest
		}
	}
	age := e.At.Sub(oldest)
	return reading{value: age.Seconds(), conclusive: true, numbers: fmt.Sprintf("%d keys are stale, the oldest for %s", keys, short(age))}
}

func rate(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// rounded keeps three digits or so of a latency.
func rounded(d time.Duration) time.Duration {
	for unit := time.Second; unit > time.Nanosecond; unit /= 10 {
		if d >= unit {
			return d.Round(unit / 100)
		}
	}
	return d
}
