package control_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

func each(targets map[string]flags.Stage) control.Change {
	return control.Change{Migration: name, Kind: control.SetEach, Targets: targets, Actor: "ann"}
}

func TestEachTenantGetsAStageOfItsOwnInOneEpoch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Dual)
	epoch := w.inForce().Epoch
	w.backfilled()
	w.step(each(map[string]flags.Stage{"up": flags.Shadow, "down": flags.Old}))
	assert.Equal(t, epoch+1, w.inForce().Epoch)
	assert.Equal(t, map[string]flags.Stage{"up": flags.Shadow, "down": flags.Old}, w.inForce().Overrides)

	w.step(each(map[string]flags.Stage{"up": flags.Dual, "down": 0}))
	assert.Equal(t, map[string]flags.Stage{"up": flags.Dual}, w.inForce().Overrides)
	history, err := w.store.History(t.Context(), name, ledger.HistoryFilter{Limit: 2})
	require.NoError(t, err)
	assert.Equal(t, `tenant "up" from shadow (pinned) to dual (pinned)`, history[0].Change())
	assert.Equal(t, `tenant "down" from old (pinned) to dual`, history[1].Change())

	c := each(map[string]flags.Stage{"up": flags.Old})
	c.To = flags.Old
	w.step(c)
	assert.Equal(t, flags.Old, w.inForce().Default, "everybody whom nothing names moves with them")
}

func TestEachTenantIsHeldToTheLadder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.plane.Apply(t.Context(), each(map[string]flags.Stage{"a": flags.Dual, "b": flags.Shadow}))
	var refused *control.StepError
	require.ErrorAs(t, err, &refused)
	require.Len(t, refused.Blocks, 1, "a jump into shadow")
	for _, b := range refused.Blocks {
		assert.Equal(t, []string{"b"}, b.Tenants)
	}
	for _, wrong := range []control.Change{each(nil), each(map[string]flags.Stage{"": flags.Dual}), each(map[string]flags.Stage{"a": 99})} {
		_, err := w.plane.Apply(t.Context(), wrong)
		var bad *control.ChangeError
		require.ErrorAs(t, err, &bad)
	}
	wrong := toDefault(flags.Dual)
	wrong.Targets = map[string]flags.Stage{"a": flags.Dual}
	_, err = w.plane.Apply(t.Context(), wrong)
	require.ErrorContains(t, err, "targets go with a change of kind each only")
}
