package flags_test

import (
	"fmt"
	"maps"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/flags"
)

// named draws names of tenants that meet each other: few of them, of one width
// and of several.
func named(t *rapid.T) string {
	n := rapid.IntRange(0, 400).Draw(t, "tenant")
	if n%3 == 0 {
		return strings.Repeat("t", 1+n%7) + fmt.Sprint(n)
	}
	return tenantNumber(n)
}

func requireNames(t require.TestingT, want map[string]flags.Stage, o *flags.Overrides) {
	require.Equal(t, len(want), o.Len())
	require.Equal(t, want, maps.Collect(o.All()))
	for tenant, stage := range want {
		found, ok := o.Stage(tenant)
		require.True(t, ok, tenant)
		require.Equal(t, stage, found, tenant)
	}
	_, ok := o.Stage("nobody")
	require.False(t, ok)
}

func TestATableOfOverridesIsWhatAMapWouldBeAndNeverChanges(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		model := map[string]flags.Stage{}
		var b flags.OverridesBuilder
		for range rapid.IntRange(0, 300).Draw(rt, "at first") {
			tenant, stage := named(rt), rapid.SampledFrom(flags.Stages()).Draw(rt, "stage")
			model[tenant] = stage
			b.Put([]byte(tenant), stage)
		}
		table, err := b.Done()
		require.NoError(rt, err)
		requireNames(rt, model, table)
		for range rapid.IntRange(0, 6).Draw(rt, "edits") {
			before, edit := maps.Clone(model), table.Edit()
			shrink := rapid.Bool().Draw(rt, "shrink")
			for range rapid.IntRange(0, 200).Draw(rt, "changes") {
				tenant := named(rt)
				if shrink || rapid.Bool().Draw(rt, "remove") {
					delete(model, tenant)
					edit.Remove(tenant)
					continue
				}
				model[tenant] = rapid.SampledFrom(flags.Stages()).Draw(rt, "to")
				edit.Put(tenant, model[tenant])
			}
			next, err := edit.Done()
			require.NoError(rt, err)
			requireNames(rt, model, next)
			requireNames(rt, before, table)
			table = next
		}
	})
}

func TestATableOfOverridesRefusesWhatNamesNobodyAndNoStage(t *testing.T) {
	for name, put := range map[string]func(put func(string, flags.Stage)){
		"no tenant":      func(put func(string, flags.Stage)) { put("", flags.Live) },
		"no stage":       func(put func(string, flags.Stage)) { put("acme", 0) },
		"a name too big": func(put func(string, flags.Stage)) { put(strings.Repeat("a", 1<<16), flags.Live) },
	} {
		t.Run(name, func(t *testing.T) {
			var wrong *flags.PolicyError
			edit := (*flags.Overrides)(nil).Edit()
			put(edit.Put)
			_, err := edit.Done()
			require.ErrorAs(t, err, &wrong)
			var b flags.OverridesBuilder
			put(func(tenant string, stage flags.Stage) { b.Put([]byte(tenant), stage) })
			_, err = b.Done()
			require.ErrorAs(t, err, &wrong)
			p := policy(1, flags.Old)
			p.Overrides = map[string]flags.Stage{}
			put(func(tenant string, stage flags.Stage) { p.Overrides[tenant] = stage })
			_, err = p.Compile()
			require.ErrorAs(t, err, &wrong)
		})
	}
}

func TestAPolicyWithATableDecidesWhatOneWithAMapDoes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := policy(7, flags.Shadow)
		p.Salt = rapid.StringN(0, 5, -1).Draw(rt, "salt")
		p.Step = flags.Step{
			To: flags.Live, Share: flags.Share(rapid.SampledFrom([]int{0, 1, 17, 2500, 9999, 10000}).Draw(rt, "share")),
			Of: rapid.SampledFrom([]flags.ShareOf{flags.OfTenants, flags.OfKeys}).Draw(rt, "of"),
		}
		p.Overrides = map[string]flags.Stage{}
		for range rapid.IntRange(0, 40).Draw(rt, "overrides") {
			p.Overrides[named(rt)] = rapid.SampledFrom(flags.Stages()).Draw(rt, "stage")
		}
		byMap, err := p.Compile()
		require.NoError(rt, err)
		bare := p
		bare.Overrides = nil
		edit := byMap.Overrides().Edit()
		edit.Put("one more", flags.Old)
		edit.Remove("one more")
		table, err := edit.Done()
		require.NoError(rt, err)
		byTable, err := bare.CompileWith(table)
		require.NoError(rt, err)

		require.Equal(rt, bare, byTable.Terms())
		require.Equal(rt, bare, byMap.Terms())
		if len(p.Overrides) > 0 {
			require.Equal(rt, p, byTable.Policy())
		}
		for range 50 {
			tenant := rapid.OneOf(rapid.Custom(named), rapid.StringN(1, 40, -1)).Draw(rt, "asked")
			key := rapid.SampledFrom([]string{"", "k", "8f14e45f-ceea-467f-a8c5-2d8f1c2d5a10"}).Draw(rt, "key")
			wantStage, wantWhy := decided(byMap, p, tenant, key)
			for _, c := range []*flags.Compiled{byMap, byTable} {
				stage, why := c.KeyStage(tenant, key)
				require.Equal(rt, wantStage, stage)
				require.Equal(rt, wantWhy, why)
			}
		}
	})
}

// decided is what the words of a policy say, with buckets as they are documented.
func decided(c *flags.Compiled, p flags.Policy, tenant, key string) (flags.Stage, flags.Reason) {
	if stage, ok := p.Overrides[tenant]; ok {
		return stage, flags.ReasonOverride
	}
	var bucket int
	switch {
	case p.Step.Share == 0:
		return p.Default, flags.ReasonDefault
	case p.Step.Of == flags.OfTenants:
		bucket = c.Bucket(tenant)
	case p.Step.Share == flags.Buckets:
		return p.Step.To, flags.ReasonPercentage
	case key == "":
		return min(p.Default, p.Step.To), flags.ReasonPercentage
	default:
		bucket = c.KeyBucket(tenant, key)
	}
	if bucket < int(p.Step.Share) {
		return p.Step.To, flags.ReasonPercentage
	}
	return p.Default, flags.ReasonDefault
}

func TestOverridesAreNamedOnceOnly(t *testing.T) {
	p := policy(1, flags.Old)
	p.Overrides = map[string]flags.Stage{"acme": flags.Dual}
	_, err := p.CompileWith(&flags.Overrides{})
	var wrong *flags.PolicyError
	require.ErrorAs(t, err, &wrong)
}

// tableOf returns a table of n tenants whose names have 16 bytes.
func tableOf(t testing.TB, n int) *flags.Overrides {
	t.Helper()
	var b flags.OverridesBuilder
	var name []byte
	for i := range n {
		name = fmt.Appendf(name[:0], "tenant-%09d", i)
		b.Put(name, flags.Stages()[i%6])
	}
	o, err := b.Done()
	require.NoError(t, err)
	return o
}

func TestChangingOneTenantOfManyAllocatesForOneTenantOnly(t *testing.T) {
	cost := func(tenants int) (bytes, allocations uint64) {
		table := tableOf(t, tenants)
		const edits = 50
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := range edits {
			edit := table.Edit()
			edit.Put(tenantNumber(i*7), flags.New)
			edit.Remove(tenantNumber(i*7 + 1))
			edit.Put("somebody new", flags.Old)
			next, err := edit.Done()
			if err != nil {
				t.Fatal(err)
			}
			table = next
		}
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / edits, (after.Mallocs - before.Mallocs) / edits
	}
	bytes, allocations := cost(200_000)
	assert.Less(t, bytes, uint64(40_000), "three chunks, and the list of chunks")
	assert.Less(t, allocations, uint64(40))
}

func BenchmarkOverrides(b *testing.B) {
	const tenants = 1_000_000
	b.Run("build", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			tableOf(b, tenants)
		}
	})
	table := tableOf(b, tenants)
	b.Run("change of one tenant", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			edit := table.Edit()
			edit.Put(tenantNumber(i%tenants), flags.Stages()[(i+i/tenants+1)%6])
			next, err := edit.Done()
			if err != nil {
				b.Fatal(err)
			}
			table = next
			i++
		}
		b.ReportMetric(float64(table.Bytes())/tenants, "B/override")
	})
}
