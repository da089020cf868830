package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/flags"
)

// Three buckets are looked at instead of ten thousand.
func TestWhoEntersNewIsFoundInEveryBucket(t *testing.T) {
	tenants := []string{"acme", "initech", "globex"}
	policy := rapid.Custom(func(t *rapid.T) flags.Policy {
		p := flags.Policy{Migration: name, Default: rapid.SampledFrom(flags.Stages()).Draw(t, "default"), Overrides: map[string]flags.Stage{}}
		if rapid.Bool().Draw(t, "step") {
			near := slices.DeleteFunc(flags.Stages(), func(s flags.Stage) bool { return s == p.Default || !s.Adjacent(p.Default) })
			share := rapid.OneOf(rapid.IntRange(1, flags.Buckets), rapid.SampledFrom([]int{1, flags.Buckets - 1, flags.Buckets})).Draw(t, "share")
			p.Step = flags.Step{To: rapid.SampledFrom(near).Draw(t, "to"), Share: flags.Share(share)}
		}
		for _, tenant := range tenants {
			if rapid.Bool().Draw(t, "pinned") {
				p.Overrides[tenant] = rapid.SampledFrom(flags.Stages()).Draw(t, tenant)
			}
		}
		return p
	})
	rapid.Check(t, func(t *rapid.T) {
		before, after := policy.Draw(t, "before"), policy.Draw(t, "after")
		want := false
		for bucket := range flags.Share(flags.Buckets) {
			want = want || atBucket(after, bucket) == flags.New && atBucket(before, bucket) != flags.New
		}
		was, err := before.Compile()
		require.NoError(t, err)
		is, err := after.Compile()
		require.NoError(t, err)
		for _, tenant := range tenants {
			from, _ := was.Stage(tenant)
			to, _ := is.Stage(tenant)
			want = want || to == flags.New && from != flags.New
		}
		got, err := entersNew(before, after)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}
