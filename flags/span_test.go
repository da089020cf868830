package flags_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/flags"
)

func TestSpanNamesTheWidestGapThatOneTenantCanMeet(t *testing.T) {
	step := func(p flags.Policy, to flags.Stage, share flags.Share) flags.Policy {
		p.Step = flags.Step{To: to, Share: share}
		return p
	}
	over := func(p flags.Policy, tenant string, stage flags.Stage) flags.Policy {
		p.Overrides = map[string]flags.Stage{tenant: stage}
		return p
	}
	salted := func(p flags.Policy, salt string) flags.Policy {
		p.Salt = salt
		return p
	}
	old, dual, shadow, live := policy(1, flags.Old), policy(2, flags.Dual), policy(3, flags.Shadow), policy(4, flags.Live)
	for name, c := range map[string]struct {
		policies  []flags.Policy
		low, high flags.Stage
		tenant    string
	}{
		"nothing":                     {},
		"one policy":                  {[]flags.Policy{old}, flags.Old, flags.Old, ""},
		"neighbours":                  {[]flags.Policy{old, dual}, flags.Old, flags.Dual, ""},
		"three rungs":                 {[]flags.Policy{old, dual, shadow}, flags.Old, flags.Shadow, ""},
		"three, in any order":         {[]flags.Policy{shadow, old, dual}, flags.Old, flags.Shadow, ""},
		"a step alone joins no rungs": {[]flags.Policy{step(dual, flags.Shadow, 500)}, flags.Dual, flags.Dual, ""},
		"the same share":              {[]flags.Policy{step(old, flags.Dual, 500), step(dual, flags.Shadow, 500)}, flags.Old, flags.Dual, ""},
		"a share that runs ahead":     {[]flags.Policy{step(old, flags.Dual, 499), step(dual, flags.Shadow, 500)}, flags.Old, flags.Shadow, ""},
		"a share that lags behind":    {[]flags.Policy{step(old, flags.Dual, 501), step(dual, flags.Shadow, 500)}, flags.Old, flags.Dual, ""},
		"who stepped steps back":      {[]flags.Policy{step(dual, flags.Shadow, 500), dual}, flags.Dual, flags.Shadow, ""},
		"ahead of the step":           {[]flags.Policy{step(dual, flags.Shadow, 500), shadow}, flags.Dual, flags.Shadow, ""},
		"a share of all":              {[]flags.Policy{step(dual, flags.Shadow, flags.Buckets), live}, flags.Shadow, flags.Live, ""},
		"a share of nearly all":       {[]flags.Policy{step(dual, flags.Shadow, flags.Buckets-1), live}, flags.Dual, flags.Live, ""},
		"an override":                 {[]flags.Policy{over(dual, "acme", flags.Live), dual}, flags.Dual, flags.Live, "acme"},
		"an override that is closer":  {[]flags.Policy{over(old, "acme", flags.Dual), shadow}, flags.Old, flags.Shadow, ""},
		"overrides that agree":        {[]flags.Policy{over(dual, "acme", flags.New), over(dual, "acme", flags.New)}, flags.Dual, flags.Dual, ""},
		"another salt":                {[]flags.Policy{salted(step(dual, flags.Shadow, 500), "a"), salted(step(shadow, flags.Live, 500), "b")}, flags.Dual, flags.Live, ""},
		"the same by another salt":    {[]flags.Policy{step(dual, flags.Shadow, 500), salted(step(dual, flags.Shadow, 500), "b")}, flags.Dual, flags.Shadow, ""},
		"a share of keys joins both":  {[]flags.Policy{ofKeys(2, flags.Dual, flags.Shadow, 500)}, flags.Dual, flags.Shadow, ""},
		"keys and the next rung":      {[]flags.Policy{ofKeys(2, flags.Dual, flags.Shadow, 9999), live}, flags.Dual, flags.Live, ""},
		"all keys":                    {[]flags.Policy{ofKeys(2, flags.Dual, flags.Shadow, flags.Buckets), live}, flags.Shadow, flags.Live, ""},
		"keys on two steps":           {[]flags.Policy{ofKeys(2, flags.Dual, flags.Shadow, 500), ofKeys(3, flags.Shadow, flags.Live, 500)}, flags.Dual, flags.Live, ""},
		"keys and tenants":            {[]flags.Policy{ofKeys(2, flags.Shadow, flags.Live, 500), step(dual, flags.Shadow, 500)}, flags.Dual, flags.Live, ""},
		"a salt that says the name":   {[]flags.Policy{step(dual, flags.Shadow, 500), salted(step(dual, flags.Shadow, 500), migration)}, flags.Dual, flags.Dual, ""},
	} {
		t.Run(name, func(t *testing.T) {
			low, high, tenant, err := flags.Span(c.policies...)
			require.NoError(t, err)
			assert.Equal(t, []any{c.low, c.high, c.tenant}, []any{low, high, tenant})
		})
	}
}

func TestSpanRefusesWhatCannotBeCompared(t *testing.T) {
	var bad *flags.PolicyError
	_, _, _, err := flags.Span(policy(1, flags.Old), flags.Policy{Migration: migration})
	require.ErrorAs(t, err, &bad)
	_, _, _, err = flags.Span(policy(1, flags.Old), flags.Policy{Migration: "orders-v2", Default: flags.Old})
	require.ErrorAs(t, err, &bad)
	assert.ErrorContains(t, err, "cannot be compared with a policy of customers-v2")
}

// oneTenantPerBucket returns the name of a tenant for each bucket of the
// migration's own salt.
var oneTenantPerBucket = sync.OnceValue(func() []string {
	c, err := policy(1, flags.Old).Compile()
	if err != nil {
		panic(err)
	}
	names := make([]string, flags.Buckets)
	for i, left := 0, flags.Buckets; left > 0; i++ {
		name := fmt.Sprintf("t%d", i)
		if b := c.Bucket(name); names[b] == "" {
			names[b] = name
			left--
		}
	}
	return names
})

func TestSpanEqualsALookAtEveryTenant(t *testing.T) {
	t.Run("one salt, any share", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			shares := rapid.OneOf(rapid.IntRange(0, flags.Buckets), rapid.SampledFrom([]int{0, 1, 5000, flags.Buckets - 1, flags.Buckets}))
			compareWithEveryTenant(t, drawPolicies(t, shares, rapid.Just("")), oneTenantPerBucket())
		})
	})
	t.Run("several salts, coarse shares", func(t *testing.T) {
		many := make([]string, 3000) // every combination of quarters of three salts is among them
		for i := range many {
			many[i] = fmt.Sprintf("t%d", i)
		}
		rapid.Check(t, func(t *rapid.T) {
			shares := rapid.SampledFrom([]int{0, 2500, 5000, 7500, flags.Buckets})
			compareWithEveryTenant(t, drawPolicies(t, shares, rapid.SampledFrom([]string{"", "a", "b"})), many)
		})
	})
}

func drawPolicies(t *rapid.T, shares *rapid.Generator[int], salts *rapid.Generator[string]) []flags.Policy {
	stages := rapid.SampledFrom(flags.Stages())
	policies := make([]flags.Policy, rapid.IntRange(1, 4).Draw(t, "policies"))
	for i := range policies {
		p := policy(int64(i+1), stages.Draw(t, "default"))
		p.Salt = salts.Draw(t, "salt")
		if share := shares.Draw(t, "share"); share > 0 {
			near := slices.DeleteFunc(flags.Stages(), func(s flags.Stage) bool { return s == p.Default || !s.Adjacent(p.Default) })
			p.Step = flags.Step{To: rapid.SampledFrom(near).Draw(t, "to"), Share: flags.Share(share)}
			if p.Default.Plan().WritesBoth && p.Step.To.Plan().WritesBoth && rapid.Bool().Draw(t, "of keys") {
				p.Step.Of = flags.OfKeys
			}
		}
		p.Overrides = rapid.MapOfN(rapid.SampledFrom([]string{"x", "y", "z"}), stages, 0, 3).Draw(t, "overrides")
		policies[i] = p
	}
	return policies
}

func compareWithEveryTenant(t *rapid.T, policies []flags.Policy, tenants []string) {
	var compiled []*flags.Compiled
	for _, p := range policies {
		c, err := p.Compile()
		require.NoError(t, err)
		compiled = append(compiled, c)
	}
	gapOf := func(tenant string) int {
		low, high := flags.New, flags.Old
		for _, c := range compiled {
			for _, key := range []string{"", "1", "2", "3"} {
				stage, _ := c.KeyStage(tenant, key)
				low, high = min(low, stage), max(high, stage)
			}
			_, mixed := c.Range(tenant) // whatever the keys' buckets, operations of several keys go by the lower rung
			high = max(high, mixed)
		}
		return int(high) - int(low)
	}
	widest := 0
	for _, tenant := range append([]string{"x", "y", "z"}, tenants...) {
		widest = max(widest, gapOf(tenant))
	}
	low, high, tenant, err := flags.Span(policies...)
	require.NoError(t, err)
	require.Equal(t, widest, int(high)-int(low))
	if tenant != "" {
		require.Equal(t, widest, gapOf(tenant), "the tenant named is one that meets the gap")
	}
}
