package control_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// needs says what each step of a tenant depends on, apart from the barrier:
// the ladder's table once more, written down independently of the rules.
var needs = map[string][]string{
	"old dual": nil, "dual shadow": {"copied", "equal"}, "shadow live": {"copied", "copyable"},
	"live rampdown": {"fresh-new"}, "rampdown new": {"fresh-new"},
	"new rampdown": nil, "rampdown live": nil, "live shadow": {"complete-old", "fresh-old"}, "shadow dual": nil, "dual old": nil,
}

// somebody is an operation of one tenant that names one key, or with "" several.
type somebody struct{ tenant, key string }

// allowed is what Check must agree with: operation by operation over a
// population that has every kind of tenant and of key in it.
func allowed(t *testing.T, s *control.State, next flags.Policy, population []somebody) bool {
	t.Helper()
	stageOf := func(p flags.Policy) func(somebody) flags.Stage {
		p.Migration, p.Salt = name, name
		c, err := p.Compile()
		require.NoError(t, err)
		return func(who somebody) flags.Stage {
			stage, _ := c.KeyStage(who.tenant, who.key)
			return stage
		}
	}
	before, after := stageOf(s.Current().Policy), stageOf(next)
	var older []func(somebody) flags.Stage
	for _, p := range s.Outstanding() {
		if p.DrainedAt == nil || p.AcknowledgedAt == nil {
			older = append(older, stageOf(p.Policy))
		}
	}
	moving, lowest, highest := map[string]bool{}, map[string]flags.Stage{}, map[string]flags.Stage{}
	for _, who := range population {
		// Any key may be meant by an operation of several: what one of them does
		// at a rung meets what another one does at another.
		for _, at := range append([]func(somebody) flags.Stage{before, after}, older...) {
			stage := at(who)
			if lowest[who.tenant] == 0 || stage < lowest[who.tenant] {
				lowest[who.tenant] = stage
			}
			highest[who.tenant] = max(highest[who.tenant], stage)
		}
		moving[who.tenant] = moving[who.tenant] || before(who) != after(who)
	}
	for _, who := range population {
		tenant := who.tenant
		if moving[tenant] && highest[tenant]-lowest[tenant] > 1 {
			return false
		}
		from, to := before(who), after(who)
		if from == to {
			continue
		}
		conditions, adjacent := needs[from.String()+" "+to.String()]
		if !adjacent {
			return false
		}
		own, ok := s.Tenants[tenant]
		if !ok {
			own = s.Whole
		}
		stale := func(side flags.Side) (c ledger.StaleCount) {
			for _, c := range s.Stale {
				if c.Tenant == tenant && c.Side == side {
					return c
				}
			}
			return c
		}
		holds := map[string]bool{
			"copied": own.BackfilledAt != nil, "equal": own.VerifiedAt != nil, "complete-old": own.OldComplete,
			"copyable": stale(flags.NewSide).Failing+stale(flags.NewSide).Untried == 0, "fresh-new": stale(flags.NewSide).Keys == 0, "fresh-old": stale(flags.OldSide).Keys == 0,
		}
		if slices.ContainsFunc(conditions, func(c string) bool { return !holds[c] }) {
			return false
		}
	}
	return true
}

// smallPolicies are all policies over one share and one tenant by name.
func smallPolicies(share flags.Share, named string, overrides ...flags.Stage) []flags.Policy {
	var all []flags.Policy
	for _, d := range flags.Stages() {
		steps := []flags.Step{{}}
		for _, to := range flags.Stages() {
			if to != d && to.Adjacent(d) {
				steps = append(steps, flags.Step{To: to, Share: share})
			}
		}
		for _, step := range steps {
			if step.Share > 0 && d.Plan().WritesBoth && step.To.Plan().WritesBoth {
				byKeys, fewer := step, step
				byKeys.Of, fewer.Of, fewer.Share = flags.OfKeys, flags.OfKeys, share/2
				all = append(all, flags.Policy{Default: d, Step: byKeys}, flags.Policy{Default: d, Step: fewer},
					flags.Policy{Default: d, Step: byKeys, Overrides: map[string]flags.Stage{named: overrides[0]}})
			}
			all = append(all, flags.Policy{Default: d, Step: step})
			for _, o := range overrides {
				all = append(all, flags.Policy{Default: d, Step: step, Overrides: map[string]flags.Stage{named: o}})
			}
		}
	}
	return all
}

func TestCheckAgreesWithAnIndependentPredicate(t *testing.T) {
	t.Parallel()
	const share = 2500
	inside, outside := cohort(t, share)
	names := []string{inside, outside, inside + "'", outside + "'", "named"}
	for len(names) < 40 { // unknown tenants on both sides of the share
		names = append(names, fmt.Sprintf("unknown-%d", len(names)))
	}
	population := keysOf(t, share, names)
	policies := smallPolicies(share, "named", flags.Old, flags.Dual, flags.Live)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // repeatable, not secret
	judged, refused := 0, 0
	for _, current := range policies {
		for _, next := range policies {
			for range 10 {
				s := randomState(random, current, policies, []string{inside, outside, "named"})
				want := allowed(t, s, next, population)
				blocks := control.Check(s, next)
				judged++
				if !want {
					refused++
				}
				spans(t, s, next, blocks)
				require.Equal(t, want, len(blocks) == 0, "from %+v to %+v, outstanding %+v, tenants %+v, whole %+v, stale %+v: %v",
					current, next, s.Outstanding(), s.Tenants, s.Whole, s.Stale, blocks)
			}
		}
	}
	t.Logf("%d judged, %d refused", judged, refused)
	assert.Greater(t, judged-refused, 500, "the states must not all be hopeless")
}

// keysOf returns for each tenant an operation of several keys, and of one key in
// each range between a share and its half.
func keysOf(t *testing.T, share flags.Share, tenants []string) (all []somebody) {
	t.Helper()
	c, err := flags.Policy{Migration: name, Salt: name, Default: flags.Old}.Compile()
	require.NoError(t, err)
	for _, tenant := range tenants {
		all = append(all, somebody{tenant: tenant})
		for _, r := range [][2]int{{0, int(share) / 2}, {int(share) / 2, int(share)}, {int(share), flags.Buckets}} {
			for i := 0; ; i++ {
				key := fmt.Sprint(i)
				if b := c.KeyBucket(tenant, key); r[0] <= b && b < r[1] {
					all = append(all, somebody{tenant, key})
					break
				}
			}
		}
	}
	return all
}

// spans compares what the barrier says with flags.Span, which looks at all
// policies at once, wherever the policies so far were within two rungs.
func spans(t *testing.T, s *control.State, next flags.Policy, blocks []control.Block) {
	t.Helper()
	next.Migration, next.Salt = name, name
	var policies []flags.Policy
	for _, p := range s.Policies {
		if p.Epoch == s.Current().Epoch || p.DrainedAt == nil || p.AcknowledgedAt == nil {
			policies = append(policies, p.Policy)
		}
	}
	low, high, _, err := flags.Span(policies...)
	require.NoError(t, err)
	if high-low > 1 {
		return // nobody can get there
	}
	low, high, tenant, err := flags.Span(append(policies, next)...)
	require.NoError(t, err)
	refused := slices.ContainsFunc(blocks, func(b control.Block) bool {
		return b.Kind == control.BlockJump || b.Kind == control.BlockBarrier
	})
	require.Equal(t, high-low > 1, refused, "tenant %q between %s and %s", tenant, low, high)
}

func randomState(r *rand.Rand, current flags.Policy, policies []flags.Policy, tenants []string) *control.State {
	s := at(flags.Old)
	current.Migration, current.Salt, current.Epoch = name, name, 9
	s.Policies[0].Policy = current
	if r.IntN(3) == 0 {
		older := policies[r.IntN(len(policies))]
		older.Migration, older.Salt, older.Epoch = name, name, 8
		p := ledger.PolicyState{Policy: older, CreatedAt: now}
		if r.IntN(2) == 0 {
			drained(&p)
		}
		if r.IntN(2) == 0 {
			acknowledged(&p)
		}
		s.Policies = append([]ledger.PolicyState{p}, s.Policies...)
	}
	state := func() (t ledger.TenantState) {
		if r.IntN(3) > 0 {
			t.BackfilledAt = &now
		}
		if r.IntN(3) > 0 {
			t.VerifiedAt = &now
		}
		t.OldComplete = r.IntN(3) > 0
		return t
	}
	s.Whole = state()
	s.Tenants = map[string]ledger.TenantState{}
	for _, tenant := range tenants {
		if r.IntN(3) == 0 {
			s.Tenants[tenant] = state()
		}
		for _, side := range []flags.Side{flags.OldSide, flags.NewSide} {
			if r.IntN(6) == 0 {
				s.Stale = append(s.Stale, ledger.StaleCount{Tenant: tenant, Side: side, Keys: 2, Failing: int64(r.IntN(2)), Untried: int64(r.IntN(2))})
			}
		}
	}
	return s
}

// Whatever is changed in whatever order, and whoever is slow to follow, no
// tenant ever stands on rungs further apart than two adjacent ones. The search
// visits every state that one tenant can come to within the depth.
func TestNoTenantEverMixesDistantRungs(t *testing.T) {
	t.Parallel()
	type node struct{ past, present string } // older rungs somebody acts on, by age; the current rung
	stages := map[string]flags.Stage{}
	for _, s := range flags.Stages() {
		stages[s.String()[:1]+fmt.Sprint(int(s))] = s
	}
	code := func(s flags.Stage) string { return s.String()[:1] + fmt.Sprint(int(s)) }
	past := func(n node) (all []flags.Stage) {
		for i := 0; i < len(n.past); i += 2 {
			all = append(all, stages[n.past[i:i+2]])
		}
		return all
	}
	seen := map[node]bool{{present: code(flags.Old)}: true}
	frontier := slices.Collect(maps.Keys(seen))
	for depth := 0; depth < 14 && len(frontier) > 0; depth++ {
		var next []node
		visit := func(n node) {
			if !seen[n] && len(n.past) <= 8 {
				seen[n] = true
				next = append(next, n)
			}
		}
		for _, n := range frontier {
			older := past(n)
			s := at(stages[n.present])
			low, high := stages[n.present], stages[n.present]
			for i, stage := range slices.Backward(older) {
				before(s, int64(i+1), stage)
				low, high = min(low, stage), max(high, stage)
			}
			require.LessOrEqual(t, int(high-low), 1, "rungs %v and %v", older, stages[n.present])
			for _, to := range flags.Stages() {
				if len(control.Check(s, flags.Policy{Default: to})) == 0 && to != stages[n.present] {
					visit(node{n.past + n.present, code(to)})
				}
			}
			for i := range older { // somebody is done with one of the older policies
				visit(node{n.past[:2*i] + n.past[2*i+2:], n.present})
			}
		}
		frontier = next
	}
	assert.Greater(t, len(seen), 60)
	for _, stage := range flags.Stages() {
		assert.True(t, seen[node{present: code(stage)}], "%s can be reached", stage)
	}
}
