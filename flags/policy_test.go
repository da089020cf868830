package flags_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/flags"
)

func TestPolicyThatCannotBeCompiledIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		policy flags.Policy
		says   string
	}{
		"no name":              {flags.Policy{Default: flags.Old}, "the migration has no name"},
		"no default":           {flags.Policy{Migration: "m"}, "the default is no stage: use one of old, dual"},
		"default out of range": {flags.Policy{Migration: "m", Default: 7}, "the default is no stage"},
		"share below 0":        {flags.Policy{Migration: "m", Default: flags.Old, Step: flags.Step{To: flags.Dual, Share: -1}}, "share -1 is outside 0 to 10000"},
		"share above 100 %":    {flags.Policy{Migration: "m", Default: flags.Old, Step: flags.Step{To: flags.Dual, Share: 10001}}, "share 10001 is outside"},
		"share without stage":  {flags.Policy{Migration: "m", Default: flags.Old, Step: flags.Step{Share: 5}}, "leads to no stage"},
		"step to no stage":     {flags.Policy{Migration: "m", Default: flags.Old, Step: flags.Step{To: 9}}, "leads to no stage"},
		"step over a rung":     {flags.Policy{Migration: "m", Default: flags.Dual, Step: flags.Step{To: flags.Live, Share: 5}}, "dual to live is refused"},
		"step down two rungs":  {flags.Policy{Migration: "m", Default: flags.Live, Step: flags.Step{To: flags.Dual, Share: 5}}, "live to dual is refused"},
		"step to itself":       {flags.Policy{Migration: "m", Default: flags.Live, Step: flags.Step{To: flags.Live, Share: 5}}, "live to live is refused"},
		"tenant without name":  {flags.Policy{Migration: "m", Default: flags.Old, Overrides: map[string]flags.Stage{"": flags.Dual}}, "an override names no tenant"},
		"override to no stage": {flags.Policy{Migration: "m", Default: flags.Old, Overrides: map[string]flags.Stage{"acme": 0}}, `the override of tenant "acme" is no stage`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.policy.Compile()
			var bad *flags.PolicyError
			require.ErrorAs(t, err, &bad)
			assert.Equal(t, c.policy.Migration, bad.Migration)
			assert.ErrorContains(t, err, c.says)

			set := setOf(t, policy(1, flags.Live))
			c.policy.Epoch = 2
			require.ErrorAs(t, set.Apply(c.policy), &bad)
			assert.Equal(t, int64(1), set.Flag(migration).Current().Policy().Epoch, "nothing changed")
		})
	}
}

func TestApplyRefusesAPolicyWithoutEpochSinceNothingWouldFenceIt(t *testing.T) {
	for _, epoch := range []int64{0, -1} {
		var bad *flags.PolicyError
		set := flags.NewSet(nil)
		require.ErrorAs(t, set.Apply(policy(epoch, flags.Live)), &bad)
		assert.Empty(t, set.Oldest())
	}
}

func TestEveryTenantStandsAtOneOfTheStagesOfItsPolicy(t *testing.T) {
	p := policy(1, flags.Shadow)
	p.Step = flags.Step{To: flags.Live, Share: 2500}
	p.Overrides = map[string]flags.Stage{"acme": flags.Old}
	c, err := p.Compile()
	require.NoError(t, err)

	stage, reason := c.Stage("acme")
	assert.Equal(t, flags.Old, stage, "an override wins over the step")
	assert.Equal(t, flags.ReasonOverride, reason)
	for i := range 1000 {
		tenant := fmt.Sprintf("tenant-%d", i)
		stage, reason := c.Stage(tenant)
		if c.Bucket(tenant) < 2500 {
			assert.Equal(t, flags.Live, stage)
			assert.Equal(t, flags.ReasonPercentage, reason)
		} else {
			assert.Equal(t, flags.Shadow, stage)
			assert.Equal(t, flags.ReasonDefault, reason)
		}
	}
}

func TestShareOfNoneMovesNobodyAndOfAllEverybody(t *testing.T) {
	for share, want := range map[flags.Share]flags.Stage{0: flags.Dual, flags.Buckets: flags.Shadow} {
		p := policy(1, flags.Dual)
		p.Step = flags.Step{To: flags.Shadow, Share: share}
		c, err := p.Compile()
		require.NoError(t, err)
		for i := range 20_000 {
			stage, _ := c.Stage(fmt.Sprint(i))
			require.Equal(t, want, stage)
		}
	}
}

func TestRaisingAShareMovesNobodyOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policy(1, flags.Live)
		p.Salt = rapid.String().Draw(t, "salt")
		low := rapid.IntRange(0, flags.Buckets).Draw(t, "low")
		high := rapid.IntRange(low, flags.Buckets).Draw(t, "high")
		tenant := rapid.String().Draw(t, "tenant")

		compile := func(epoch int64, share int) *flags.Compiled {
			q := p
			q.Epoch, q.Step = epoch, flags.Step{To: flags.RampDown, Share: flags.Share(share)}
			c, err := q.Compile()
			require.NoError(t, err)
			return c
		}
		before, _ := compile(1, low).Stage(tenant)
		after, _ := compile(2, high).Stage(tenant)
		if before == flags.RampDown {
			require.Equal(t, flags.RampDown, after)
		}
		require.Equal(t, compile(1, low).Bucket(tenant), compile(2, high).Bucket(tenant), "a bucket is sticky")
	})
}

// Buckets are part of what is promised to a running migration: another hash
// would move tenants between stages while a release rolls out.
func TestBucketsNeverChangeBetweenReleases(t *testing.T) {
	c, err := policy(1, flags.Old).Compile()
	require.NoError(t, err)
	got := map[string]int{}
	for _, tenant := range []string{"", "acme", "globex", "8f14e45f-ceea-467f-a8c5-2d8f1c2d5a10"} {
		got[tenant] = c.Bucket(tenant)
	}
	assert.Equal(t, map[string]int{"": 2450, "acme": 4810, "globex": 9704, "8f14e45f-ceea-467f-a8c5-2d8f1c2d5a10": 9000}, got)
}

func TestBucketsAreSpreadEvenly(t *testing.T) {
	const tenants, cells = 200_000, 100
	c, err := policy(1, flags.Old).Compile()
	require.NoError(t, err)
	for name, form := range map[string]string{
		"counting": "%d", "names": "tenant-%d", "padded": "%036d", "beginnings": "%07d-of-a-tenant-of-the-same-house", "beyond 48 bytes": "%090d",
		"uuids by a counter": "8f14e45f-ceea-467f-a8c5-%012x", "uuids": "",
	} {
		counts := make([]float64, cells)
		for i := range tenants {
			tenant := fmt.Sprintf(form, i)
			if form == "" {
				tenant = uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, i)).String()
			}
			counts[c.Bucket(tenant)*cells/flags.Buckets]++
		}
		// 99 degrees of freedom: 99.99 % of even spreads stay below 161.
		assert.Less(t, chiSquare(counts, tenants/cells), 161.0, name)
	}
}

func TestSaltsGiveIndependentCohorts(t *testing.T) {
	const tenants, cells = 200_000, 10
	compile := func(salt string) *flags.Compiled {
		p := policy(1, flags.Old)
		p.Salt = salt
		c, err := p.Compile()
		require.NoError(t, err)
		return c
	}
	for _, salts := range [][2]string{{"", "orders-v2"}, {"a", "b"}, {"a", "aa"}, {"salt-1", "salt-2"}} {
		a, b := compile(salts[0]), compile(salts[1])
		counts := make([]float64, cells*cells)
		for i := range tenants {
			tenant := fmt.Sprintf("tenant-%d", i)
			counts[a.Bucket(tenant)*cells/flags.Buckets*cells+b.Bucket(tenant)*cells/flags.Buckets]++
		}
		assert.Less(t, chiSquare(counts, tenants/(cells*cells)), 161.0, "%v", salts)
	}
	assert.Equal(t, compile("").Bucket("acme"), compile(migration).Bucket("acme"), "no salt means the migration's name")
}

func chiSquare(counts []float64, want float64) (sum float64) {
	for _, n := range counts {
		sum += math.Pow(n-want, 2) / want
	}
	return sum
}

func TestPolicyIDPrintsAsPostgreSQLPrintsIt(t *testing.T) {
	id := flags.PolicyID{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}
	assert.Equal(t, "01234567-89ab-cdef-0123-456789abcdef", id.String())
	assert.False(t, id.IsZero())
	assert.True(t, flags.PolicyID{}.IsZero())
	assert.NotEqual(t, flags.NewPolicyID(), flags.NewPolicyID())
}

func TestNamesOfEveryLengthStandWhereTheirBucketSays(t *testing.T) {
	for _, share := range []flags.Share{1, 2500, 5000, 9999, flags.Buckets} {
		p := policy(1, flags.Shadow)
		p.Step = flags.Step{To: flags.Live, Share: share}
		c, err := p.Compile()
		require.NoError(t, err)
		for length := 1; length <= 70; length++ {
			for i := range 60 {
				tenant := strings.Repeat("x", length) + fmt.Sprint(i*7919)
				tenant = tenant[len(tenant)-length:]
				want := flags.Shadow
				if c.Bucket(tenant) < int(share) {
					want = flags.Live
				}
				stage, _ := c.Stage(tenant)
				require.Equal(t, want, stage, "%q at %s", tenant, share)
			}
		}
	}
}
