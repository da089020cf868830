package flags_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
)

func TestPlanIsTheLadderRowByRow(t *testing.T) {
	rows := []struct {
		stage flags.Stage
		plan  flags.Plan
		path  string
	}{
		// reads O; writes O
		{flags.Old, flags.Plan{Authority: flags.OldSide}, "old path"},
		// reads O; writes O and N; N fails: redo with O alone + stale(N)
		{flags.Dual, flags.Plan{Authority: flags.OldSide, WritesBoth: true}, "dual path"},
		// as dual, and compares N
		{flags.Shadow, flags.Plan{Authority: flags.OldSide, WritesBoth: true, Compares: true}, "dual path"},
		// reads N, O where stale(N), O as the fallback; compares O; O fails: the operation fails
		{flags.Live, flags.Plan{Authority: flags.NewSide, WritesBoth: true, Strict: true, Compares: true, ThroughStale: true, Fallback: true}, "dual path"},
		// reads N; writes N and O; O fails: redo with N alone + stale(O)
		{flags.RampDown, flags.Plan{Authority: flags.NewSide, WritesBoth: true}, "dual path"},
		// reads N; writes N
		{flags.New, flags.Plan{Authority: flags.NewSide}, "new path"},
	}
	require.Len(t, rows, len(flags.Stages()))
	for i, row := range rows {
		t.Run(row.stage.String(), func(t *testing.T) {
			assert.Equal(t, flags.Stages()[i], row.stage, "the rungs are in order")
			p := row.stage.Plan()
			got := flags.Plan{
				Authority: p.Authority, WritesBoth: p.WritesBoth, Strict: p.Strict,
				Compares: p.Compares, ThroughStale: p.ThroughStale, Fallback: p.Fallback,
			}
			assert.Equal(t, row.plan, got)
			assert.Equal(t, row.path, row.stage.Path())
		})
	}
}

func TestPlanOfNoStagePanics(t *testing.T) {
	assert.Panics(t, func() { flags.Stage(0).Plan() })
	assert.Panics(t, func() { flags.Stage(7).Plan() })
}

func TestStageNamesGoThereAndBack(t *testing.T) {
	assert.Equal(t, []string{"old", "dual", "shadow", "live", "rampdown", "new"}, flags.StageNames())
	for i, name := range flags.StageNames() {
		stage, err := flags.ParseStage(name)
		require.NoError(t, err)
		assert.Equal(t, flags.Stages()[i], stage)
		assert.Equal(t, name, stage.String())
		assert.True(t, stage.Valid())

		var again flags.Stage
		text, err := json.Marshal(stage)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &again))
		assert.Equal(t, stage, again)
	}
	flags.StageNames()[0] = "changed"
	assert.Equal(t, "old", flags.StageNames()[0], "a caller cannot change the names")
}

func TestUnknownStageIsNamedWithTheRemedy(t *testing.T) {
	for _, name := range []string{"", "none", "Old", "LIVE", " live", "live ", "ramp-down", "off", "blue", "stage(1)"} {
		_, err := flags.ParseStage(name)
		var unknown *flags.UnknownStageError
		require.ErrorAs(t, err, &unknown, "%q", name)
		assert.Equal(t, name, unknown.Name)
		assert.ErrorContains(t, err, "use one of old, dual, shadow, live, rampdown, new")
	}
	stage := flags.Live
	require.Error(t, stage.UnmarshalText([]byte("blue")))
	assert.Equal(t, flags.Live, stage, "a bad name changes nothing")
	_, err := flags.Stage(0).MarshalText()
	require.Error(t, err)
	_, err = flags.Stage(9).MarshalText()
	require.ErrorContains(t, err, "stage(9)")
	assert.Equal(t, "no path", flags.Stage(0).Path())
	assert.Equal(t, "no path", flags.Stage(200).Path())
}

func TestAdjacentAndTowardWalkOneRungAtATime(t *testing.T) {
	for _, from := range flags.Stages() {
		for _, to := range flags.Stages() {
			gap := int(to) - int(from)
			assert.Equal(t, gap >= -1 && gap <= 1, from.Adjacent(to), "%s, %s", from, to)
			at, steps := from, 0
			for at != to {
				next := at.Toward(to)
				require.True(t, next.Valid())
				require.True(t, at.Adjacent(next), "%s to %s", at, next)
				at = next
				steps++
			}
			assert.Equal(t, max(gap, -gap), steps, "%s to %s takes the shortest way", from, to)
			assert.Equal(t, to, to.Toward(to))
		}
		assert.False(t, from.Adjacent(0))
		assert.False(t, flags.Stage(7).Adjacent(from))
		assert.Equal(t, from, from.Toward(0), "there is no way to no stage")
		assert.Equal(t, from, from.Toward(7))
	}
	assert.Equal(t, flags.Stage(0), flags.Stage(0).Toward(flags.New))
}

func TestSides(t *testing.T) {
	for _, side := range []flags.Side{flags.OldSide, flags.NewSide} {
		parsed, err := flags.ParseSide(side.String())
		require.NoError(t, err)
		assert.Equal(t, side, parsed)
		assert.NotEqual(t, side, side.Other())
		assert.Equal(t, side, side.Other().Other())
	}
	_, err := flags.ParseSide("left")
	require.ErrorContains(t, err, `side "left" is neither old nor new`)
}
