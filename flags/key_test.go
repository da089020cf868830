package flags_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/open-feature/go-sdk/openfeature"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/flags"
)

// ofKeys returns a policy with a share of keys on the way from one stage to
// another.
func ofKeys(epoch int64, from, to flags.Stage, share flags.Share) flags.Policy {
	p := policy(epoch, from)
	p.Step = flags.Step{To: to, Share: share, Of: flags.OfKeys}
	return p
}

func compiled(t require.TestingT, p flags.Policy) *flags.Compiled {
	c, err := p.Compile()
	require.NoError(t, err)
	return c
}

func TestAKeyStandsWhereItsBucketSaysAndSeveralKeysAtTheLowerRung(t *testing.T) {
	for _, step := range [][2]flags.Stage{
		{flags.Dual, flags.Shadow},
		{flags.Shadow, flags.Dual},
		{flags.Shadow, flags.Live},
		{flags.Live, flags.Shadow},
		{flags.Live, flags.RampDown},
		{flags.RampDown, flags.Live},
	} {
		p := ofKeys(7, step[0], step[1], 2500)
		p.Overrides = map[string]flags.Stage{"pinned": flags.RampDown}
		c := compiled(t, p)
		low, high := min(step[0], step[1]), max(step[0], step[1])
		flag := setOf(t, p).Flag(migration)
		for i := range 1000 {
			key := fmt.Sprint(i)
			want, why := step[0], flags.ReasonDefault
			if c.KeyBucket("acme", key) < 2500 {
				want, why = step[1], flags.ReasonPercentage
			}
			d, err := flag.Peek(flags.Subject{Tenant: "acme", Key: key})
			require.NoError(t, err)
			require.Equal(t, []any{want, why, flags.Stage(0)}, []any{d.Stage, d.Reason, d.Mixed})
		}
		d, err := flag.Peek(acme)
		require.NoError(t, err)
		assert.Equal(t, []any{low, high, flags.ReasonPercentage}, []any{d.Stage, d.Mixed, d.Reason}, "valid for every key")
		stage, _ := c.Stage("acme")
		assert.Equal(t, low, stage)
		lowest, highest := c.Range("acme")
		assert.Equal(t, []flags.Stage{low, high}, []flags.Stage{lowest, highest})

		pinned, err := flag.Peek(flags.Subject{Tenant: "pinned"})
		require.NoError(t, err)
		assert.Equal(t, []any{flags.RampDown, flags.Stage(0)}, []any{pinned.Stage, pinned.Mixed}, "an override holds for every key")
	}
}

func TestAShareOfNoKeysMovesNoneAndOfAllEveryOne(t *testing.T) {
	for share, want := range map[flags.Share]flags.Stage{0: flags.Shadow, flags.Buckets: flags.Live} {
		c := compiled(t, ofKeys(1, flags.Shadow, flags.Live, share))
		for i := range 20_000 {
			stage, _ := c.KeyStage("acme", fmt.Sprint(i))
			require.Equal(t, want, stage)
		}
		low, high := c.Range("acme")
		assert.Equal(t, []flags.Stage{want, want}, []flags.Stage{low, high}, "and nobody is mixed")
	}
}

func TestRaisingAShareOfKeysMovesNoKeyOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.IntRange(0, flags.Buckets).Draw(t, "low")
		high := rapid.IntRange(low, flags.Buckets).Draw(t, "high")
		tenant, key := rapid.String().Draw(t, "tenant"), rapid.StringN(1, -1, -1).Draw(t, "key")
		salt := rapid.String().Draw(t, "salt")
		at := func(epoch int64, share int) (*flags.Compiled, flags.Stage) {
			p := ofKeys(epoch, flags.Shadow, flags.Live, flags.Share(share))
			p.Salt = salt
			c := compiled(t, p)
			stage, _ := c.KeyStage(tenant, key)
			return c, stage
		}
		before, was := at(1, low)
		after, is := at(2, high)
		if was == flags.Live {
			require.Equal(t, flags.Live, is)
		}
		require.Equal(t, before.KeyBucket(tenant, key), after.KeyBucket(tenant, key), "a bucket is sticky")
		lowest, highest := after.Range(tenant)
		require.True(t, lowest <= is && is <= highest)
	})
}

// As with tenants: another hash would move keys between stages while a release
// rolls out.
func TestKeyBucketsNeverChangeBetweenReleases(t *testing.T) {
	c := compiled(t, policy(1, flags.Old))
	got := map[string]int{}
	for _, key := range []string{"1", "2", "8f14e45f-ceea-467f-a8c5-2d8f1c2d5a10", "2:eu3:a-7"} {
		got[key] = c.KeyBucket("default", key)
	}
	assert.Equal(t, map[string]int{"1": 2917, "2": 306, "8f14e45f-ceea-467f-a8c5-2d8f1c2d5a10": 6401, "2:eu3:a-7": 254}, got)
}

func TestKeyBucketsAreSpreadEvenlyInEveryTenant(t *testing.T) {
	const keys, cells = 200_000, 100
	c := compiled(t, policy(1, flags.Old))
	id := func(i int) string { return uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, i)).String() }
	for name, text := range map[string]func(int) (tenant, key string){
		"counting":          func(i int) (string, string) { return "default", fmt.Sprint(i) },
		"uuids":             func(i int) (string, string) { return "default", id(i) },
		"two parts":         func(i int) (string, string) { return "acme", fmt.Sprintf("2:eu%d:%d", len(fmt.Sprint(i)), i) },
		"one key of many":   func(i int) (string, string) { return fmt.Sprintf("tenant-%d", i), "1" },
		"the tenant as key": func(i int) (string, string) { return fmt.Sprint(i), fmt.Sprint(i) },
		"turned around":     func(i int) (string, string) { return fmt.Sprint(i % 400), fmt.Sprint(i / 400) },
	} {
		counts := make([]float64, cells)
		for i := range keys {
			counts[c.KeyBucket(text(i))*cells/flags.Buckets]++
		}
		// 99 degrees of freedom: 99.99 % of even spreads stay below 161.
		assert.Less(t, chiSquare(counts, keys/cells), 161.0, name)
	}
}

func TestKeyBucketsHaveNothingToDoWithOtherBuckets(t *testing.T) {
	const many, cells = 200_000, 10
	salted := func(salt string) *flags.Compiled {
		p := policy(1, flags.Old)
		p.Salt = salt
		return compiled(t, p)
	}
	a, b := salted("a"), salted("b")
	for name, pair := range map[string]func(i int) (int, int){
		"the tenant's own": func(i int) (int, int) {
			tenant := fmt.Sprintf("tenant-%d", i)
			return a.Bucket(tenant), a.KeyBucket(tenant, "1")
		},
		"a tenant with the key's name": func(i int) (int, int) {
			text := fmt.Sprint(i)
			return a.Bucket(text), a.KeyBucket("default", text)
		},
		"the same key of another tenant": func(i int) (int, int) {
			text := fmt.Sprint(i)
			return a.KeyBucket("acme", text), a.KeyBucket("globex", text)
		},
		"another salt": func(i int) (int, int) {
			text := fmt.Sprint(i)
			return a.KeyBucket("acme", text), b.KeyBucket("acme", text)
		},
		"the next key": func(i int) (int, int) {
			return a.KeyBucket("acme", fmt.Sprint(i)), a.KeyBucket("acme", fmt.Sprint(i+1))
		},
	} {
		counts := make([]float64, cells*cells)
		for i := range many {
			x, y := pair(i)
			counts[x*cells/flags.Buckets*cells+y*cells/flags.Buckets]++
		}
		assert.Less(t, chiSquare(counts, many/(cells*cells)), 161.0, name)
	}
}

func TestReadsUnderAShareOfKeysAreNeverClean(t *testing.T) {
	p := ofKeys(1, flags.Shadow, flags.Live, 5000)
	p.Clean = true
	p.Overrides = map[string]flags.Stage{"pinned": flags.Live}
	flag := setOf(t, p).Flag(migration)
	for i := range 100 {
		d, err := flag.Peek(flags.Subject{Tenant: "acme", Key: fmt.Sprint(i)})
		require.NoError(t, err)
		require.False(t, d.Clean, "a write of several keys may leave this one stale")
	}
	d, err := flag.Peek(flags.Subject{Tenant: "pinned", Key: "1"})
	require.NoError(t, err)
	assert.True(t, d.Clean, "whole tenants are")
}

func TestAPinHoldsOnePolicyForAllKeysOfATenant(t *testing.T) {
	set := setOf(t, ofKeys(1, flags.Shadow, flags.Live, 5000))
	flag := set.Flag(migration)
	through := flags.Through(clientOf(t, flags.NewProvider(set)), flag, nil)
	first := flag.Current()
	ctx, release := flags.Pin(t.Context(), 0)
	defer release()
	decide := func(d flags.Decider, key string) flags.Decision {
		use, err := d.Enter(ctx, flags.Subject{Tenant: "acme", Key: key})
		require.NoError(t, err)
		defer use.Done()
		return use.Decision
	}
	require.Equal(t, flags.Live, decide(flag, "").Mixed)
	require.NoError(t, set.Apply(ofKeys(2, flags.Shadow, flags.Live, 100)))
	var refused flags.Decision
	for i := range 200 {
		for _, d := range []flags.Decider{flag, through} {
			want, _ := first.KeyStage("acme", fmt.Sprint(i))
			refused = decide(d, fmt.Sprint(i))
			require.Equal(t, want, refused.Stage)
			require.EqualValues(t, 1, refused.Epoch)
			require.Zero(t, refused.Mixed)
		}
	}
	require.Equal(t, flags.Live, decide(flag, "").Mixed, "several keys again")
	assert.EqualValues(t, 1, oldest(t, set))

	require.NoError(t, flag.Refused(ctx, flags.Subject{Tenant: "acme", Key: "199"}, refused))
	for _, key := range []string{"", "1", "199"} {
		assert.EqualValues(t, 2, decide(flag, key).Epoch, "what is refused for one key is refused for all")
	}
	assert.EqualValues(t, 2, oldest(t, set))
}

func TestAUseTellsTheStageOfEachKey(t *testing.T) {
	c := setOf(t, ofKeys(1, flags.Shadow, flags.Live, 5000)).Flag(migration)
	use, err := c.Enter(t.Context(), acme)
	require.NoError(t, err)
	defer use.Done()
	for i := range 200 {
		want, _ := c.Current().KeyStage("acme", fmt.Sprint(i))
		require.Equal(t, want, use.KeyStage("acme", fmt.Sprint(i)))
	}
	whole, err := setOf(t, policy(1, flags.RampDown)).Flag(migration).Enter(t.Context(), acme)
	require.NoError(t, err)
	defer whole.Done()
	assert.Equal(t, flags.RampDown, whole.KeyStage("acme", "1"))
}

func TestTheProviderDecidesKeysAsTheFlagDoes(t *testing.T) {
	set := setOf(t, ofKeys(3, flags.Shadow, flags.Live, 5000))
	flag := set.Flag(migration)
	client := clientOf(t, flags.NewProvider(set))
	through := flags.Through(client, flag, nil)
	for i := range 100 {
		subject := flags.Subject{Tenant: "acme", Key: fmt.Sprint(i)}
		if i == 0 {
			subject.Key = ""
		}
		want, err := flag.Peek(subject)
		require.NoError(t, err)
		use, err := through.Enter(t.Context(), subject)
		require.NoError(t, err)
		use.Done()
		require.Equal(t, want, use.Decision)

		attributes := map[string]any{flags.AttributeKey: subject.Key}
		details, err := client.StringValueDetails(t.Context(), migration, "", openfeature.NewEvaluationContext("acme", attributes))
		require.NoError(t, err)
		require.Equal(t, want.Stage.String(), details.Value)
		mixed, err := details.FlagMetadata.GetString(flags.MetadataMixed)
		require.Equal(t, want.Mixed.Valid(), err == nil)
		if want.Mixed.Valid() {
			require.Equal(t, want.Mixed.String(), mixed)
		}
	}
	details, err := client.StringValueDetails(t.Context(), migration, "", openfeature.NewEvaluationContext("acme", map[string]any{"key": 5}))
	require.Error(t, err)
	assert.Equal(t, openfeature.InvalidContextCode, details.ErrorCode)
}

func TestThroughRefusesAnAnswerForAnotherKey(t *testing.T) {
	set := setOf(t, ofKeys(3, flags.Shadow, flags.Live, 5000))
	for name, key := range map[string]string{"a hook that changes the key": "7", "what adds one where there is none": ""} {
		t.Run(name, func(t *testing.T) {
			client := clientOf(t, flags.NewProvider(set))
			client.AddHooks(hook{before: func(_ context.Context, hc openfeature.HookContext) (*openfeature.EvaluationContext, error) {
				ec := openfeature.NewEvaluationContext(hc.EvaluationContext().TargetingKey(), map[string]any{flags.AttributeKey: "8"})
				return &ec, nil
			}})
			use, err := flags.Through(client, set.Flag(migration), nil).Enter(t.Context(), flags.Subject{Tenant: "acme", Key: key})
			var bad *flags.FlagError
			require.ErrorAs(t, err, &bad)
			assert.Equal(t, flags.Use{}, use, "never a default")
			assert.ErrorContains(t, err, `"key"`)
		})
	}
}

func TestUnguardedNamesNoKey(t *testing.T) {
	client := clientOf(t, flags.NewProvider(setOf(t, ofKeys(3, flags.Shadow, flags.Live, 5000))))
	for i := range 50 {
		use, err := flags.Unguarded(client, migration, nil).Enter(t.Context(), flags.Subject{Tenant: "acme", Key: fmt.Sprint(i)})
		require.NoError(t, err)
		require.Equal(t, flags.Shadow, use.Stage)
		require.Equal(t, flags.Shadow, use.KeyStage("acme", fmt.Sprint(i)))
	}
}
