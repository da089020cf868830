package flags

import (
	"fmt"
	"maps"
	"slices"
)

// Span returns the lowest and the highest stage that any one tenant can be
// given by policies of one migration taken together, as the pair with the
// widest gap over all tenants that could exist, and the tenant when an override
// makes that gap. The control plane refuses a change when the gap is wider than
// two adjacent rungs. Policies with different salts put a tenant into buckets
// that have nothing to do with each other, so that every combination counts.
// Without policies all results are zero. An invalid policy, or one of another
// migration than the first, is a [*PolicyError].
func Span(policies ...Policy) (low, high Stage, tenant string, err error) {
	compiled := make([]*Compiled, len(policies))
	named := map[string]bool{}
	for i, p := range policies {
		if compiled[i], err = p.Compile(); err != nil {
			return 0, 0, "", err
		}
		if first := policies[0].Migration; p.Migration != first {
			return 0, 0, "", &PolicyError{Migration: p.Migration, Problem: fmt.Sprintf("cannot be compared with a policy of %s: their stages have nothing to do with each other", first)}
		}
		for t := range p.Overrides {
			named[t] = true
		}
	}
	var widest reach
	for _, r := range unnamed(compiled) {
		widest = widest.wider(r)
	}
	for _, t := range slices.Sorted(maps.Keys(named)) {
		var r reach
		for _, c := range compiled {
			low, high := c.Range(t)
			r = r.with(low).with(high)
		}
		if widest.wider(r) != widest {
			widest, tenant = r, t
		}
	}
	return widest.low, widest.high, tenant, nil
}

// reach is the lowest and the highest of the stages given to one tenant; the
// zero value is none.
type reach struct{ low, high Stage }

func (r reach) with(s Stage) reach {
	if r == (reach{}) {
		return reach{s, s}
	}
	return reach{min(r.low, s), max(r.high, s)}
}

// wider returns the one with the wider gap, r where both are equal.
func (r reach) wider(other reach) reach {
	if r == (reach{}) || other.high-other.low > r.high-r.low {
		return other
	}
	return r
}

// unnamed returns what tenants without overrides can be given. Policies with
// one salt share their buckets, whose only borders are the shares; salts are
// independent of each other, so that what they reach is combined freely.
func unnamed(compiled []*Compiled) []reach {
	bySalt := map[uint64][]*Compiled{}
	for _, c := range compiled {
		bySalt[c.seed] = append(bySalt[c.seed], c)
	}
	all := map[reach]bool{{}: true}
	for _, group := range bySalt {
		combined := map[reach]bool{}
		for bucket := range borders(group) {
			for r := range all {
				for _, c := range group {
					low, high := c.atBucket(bucket)
					r = r.with(low).with(high)
				}
				combined[r] = true
			}
		}
		all = combined
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b reach) int {
		return int(a.low)*int(New+1) + int(a.high) - int(b.low)*int(New+1) - int(b.high)
	})
}

// borders returns the first bucket of each range in which no policy of the
// group changes its stage. A share of keys has every tenant at both rungs.
func borders(group []*Compiled) map[uint64]bool {
	first := map[uint64]bool{0: true}
	for _, c := range group {
		if c.share < Buckets && !c.ofKeys() {
			first[c.share] = true
		}
	}
	return first
}

// atBucket returns the lowest and the highest stage of the tenants in a bucket.
func (c *Compiled) atBucket(b uint64) (low, high Stage) {
	switch to := c.policy.Step.To; {
	case c.ofKeys():
		return min(c.policy.Default, to), max(c.policy.Default, to)
	case b < c.share:
		return to, to
	}
	return c.policy.Default, c.policy.Default
}
