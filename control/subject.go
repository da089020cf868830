package control

import (
	"maps"
	"slices"

	"github.com/crossfade-db/crossfade/flags"
)

// subject is a tenant known by name, or the tenants without a name in one
// range of the buckets.
type subject struct {
	tenant string
	bucket int
}

// move is a subject whose stage changes, as a whole or some of its keys.
type move struct {
	subject subject
	Transition
}

// ranges returns one bucket of each range in which all tenants without an
// override stand alike, by every policy of the look.
func (l *look) ranges() []int { return cuts(l.policies(), flags.OfTenants) }

// keyRanges returns one bucket of each range in which all keys of one tenant
// stand alike before the step and after it.
func (l *look) keyRanges() []int { return cuts([]*flags.Compiled{l.current, l.next}, flags.OfKeys) }

func cuts(policies []*flags.Compiled, of flags.ShareOf) []int {
	first := map[int]bool{0: true}
	for _, c := range policies {
		if step := c.Policy().Step; step.Of == of {
			first[int(step.Share)] = true
		}
	}
	delete(first, flags.Buckets)
	return slices.Sorted(maps.Keys(first))
}

// subjects are everybody: the tenants known by name, and the ranges of the others.
func (l *look) subjects() []subject {
	var all []subject
	for _, bucket := range l.ranges() {
		all = append(all, subject{bucket: bucket})
	}
	for _, name := range l.names() {
		all = append(all, subject{tenant: name})
	}
	return all
}

// moves returns who changes stage.
func (l *look) moves() []move {
	keys := l.keyRanges()
	var all []move
	for _, s := range l.subjects() {
		all = append(all, l.movesOf(s, keys)...)
	}
	return all
}

// movesOf returns the steps of one subject. Under a share of keys it stands at
// both rungs, since an operation of several keys goes by the lower one whatever
// their buckets say: where the rungs before and after are more than two
// adjacent ones, its step is from the one end to the other, and no rule allows
// that. Otherwise its keys step each for itself, by buckets that have nothing
// to do with its own.
func (l *look) movesOf(s subject, keys []int) []move {
	low, high := s.reach(l.current)
	nextLow, nextHigh := s.reach(l.next)
	switch {
	case low == high && nextLow == nextHigh:
		if low == nextLow {
			return nil
		}
		return []move{{s, Transition{low, nextLow}}}
	case nextHigh > low+1:
		return []move{{s, Transition{low, nextHigh}}}
	case high > nextLow+1:
		return []move{{s, Transition{high, nextLow}}}
	}
	var all []move
	for _, key := range keys {
		m := move{s, Transition{s.keyStage(l.current, key), s.keyStage(l.next, key)}}
		if m.From != m.To && !slices.Contains(all, m) {
			all = append(all, m)
		}
	}
	return all
}

// stage returns where a policy puts the subject: the lower of two rungs.
func (s subject) stage(c *flags.Compiled) flags.Stage {
	low, _ := s.reach(c)
	return low
}

// reach returns the lowest and the highest stage where a policy puts the subject.
func (s subject) reach(c *flags.Compiled) (low, high flags.Stage) {
	if s.tenant != "" {
		return c.Range(s.tenant)
	}
	p := c.Policy()
	switch {
	case p.Step.Of == flags.OfKeys && p.Step.Share > 0 && p.Step.Share < flags.Buckets:
		return min(p.Default, p.Step.To), max(p.Default, p.Step.To)
	case s.bucket < int(p.Step.Share):
		return p.Step.To, p.Step.To
	}
	return p.Default, p.Default
}

// keyStage returns where a policy puts those of the subject's keys that are in
// a bucket.
func (s subject) keyStage(c *flags.Compiled, key int) flags.Stage {
	low, high := s.reach(c)
	if low == high {
		return low
	}
	p := c.Policy()
	if key < int(p.Step.Share) {
		return p.Step.To
	}
	return p.Default
}

// blamed returns the epochs by which the subject may stand on a rung that is
// neither the current nor the next one.
func (l *look) blamed(m move) []int64 {
	elsewhere := func(stage flags.Stage) bool { return stage != m.From && stage != m.To }
	var epochs []int64
	for epoch, c := range l.outstanding {
		if low, high := m.subject.reach(c); elsewhere(low) || elsewhere(high) {
			epochs = append(epochs, epoch)
		}
	}
	return epochs
}
