package flags_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
)

func TestAPlanFollowsWhatThePolicySaysToHold(t *testing.T) {
	for _, stage := range flags.Stages() {
		plain := flags.Decision{Stage: stage}
		assert.Equal(t, *stage.Plan(), *plain.Plan(), "%s by itself", stage)

		all := flags.Decision{Stage: stage, Clean: true, StrictShadow: true, Unfenced: true}
		want := *stage.Plan()
		want.ThroughStale = false
		want.Strict = stage == flags.Shadow || stage == flags.Live
		want.Unfenced = stage == flags.Old || stage == flags.New
		assert.Equal(t, want, *all.Plan(), "%s with everything", stage)
	}
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = flags.Decision{Stage: flags.Live, Clean: true}.Plan() }))
}

func TestAPolicyIsUniformOnlyWhenEveryTenantAndKeyStandsAlike(t *testing.T) {
	p := flags.Policy{Migration: "m", Default: flags.Dual}
	for _, c := range []struct {
		name string
		with func(flags.Policy) flags.Policy
		want flags.Stage
	}{
		{"a default alone", func(p flags.Policy) flags.Policy { return p }, flags.Dual},
		{"a share of some", func(p flags.Policy) flags.Policy {
			p.Step = flags.Step{To: flags.Shadow, Share: 1}
			return p
		}, 0},
		{"a share of some keys", func(p flags.Policy) flags.Policy {
			p.Step = flags.Step{To: flags.Shadow, Share: 1, Of: flags.OfKeys}
			return p
		}, 0},
		{"a share of all", func(p flags.Policy) flags.Policy {
			p.Step = flags.Step{To: flags.Shadow, Share: flags.Buckets}
			return p
		}, flags.Shadow},
		{"an override of the same stage", func(p flags.Policy) flags.Policy {
			p.Overrides = map[string]flags.Stage{"a": flags.Dual}
			return p
		}, flags.Dual},
		{"an override of another", func(p flags.Policy) flags.Policy {
			p.Overrides = map[string]flags.Stage{"a": flags.Shadow}
			return p
		}, 0},
	} {
		stage, uniform := c.with(p).Uniform()
		assert.Equal(t, c.want, stage, c.name)
		assert.Equal(t, c.want.Valid(), uniform, c.name)
	}
}

func TestAShareOfKeysJoinsStagesThatWriteBothSides(t *testing.T) {
	step := func(from, to flags.Stage) error {
		return flags.Policy{Migration: "m", Default: from, Step: flags.Step{To: to, Share: 500, Of: flags.OfKeys}}.Validate()
	}
	require.NoError(t, step(flags.Dual, flags.Shadow))
	require.NoError(t, step(flags.Shadow, flags.Live))
	require.NoError(t, step(flags.Live, flags.RampDown))
	var wrong *flags.PolicyError
	require.ErrorAs(t, step(flags.Old, flags.Dual), &wrong)
	require.ErrorAs(t, step(flags.New, flags.RampDown), &wrong)
}
