package control_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
)

// With no worker running nobody finds out that the new side cannot take a key.
func TestNobodyEntersLiveWithAKeyThatNobodyTriedToCopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Shadow)
	w.staleKey(flags.NewSide, "")
	up := toDefault(flags.Live)
	up.DryRun = true
	_, err := w.plane.Apply(t.Context(), up)
	require.NoError(t, err, "a worker still has a minute to try")

	w.exec(`update crossfade.stale_keys set recorded_at = now() - interval '2 minutes'`)
	_, err = w.plane.Apply(t.Context(), toDefault(flags.Live))
	var refused *control.StepError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, []control.BlockKind{control.BlockFailing}, kinds(refused.Blocks))
	b := refused.Blocks[0]
	assert.Equal(t, []string{"acme"}, b.Tenants)
	assert.EqualValues(t, 1, b.Keys)
	assert.True(t, b.Mends, "a worker that runs tries it")
	assert.Contains(t, b.Text, "nobody tried to copy 1 keys of tenant \"acme\"")
	assert.Contains(t, b.Text, "see that a worker runs")

	w.exec(`update crossfade.stale_keys set tried_at = now(), attempts = 1`)
	_, err = w.plane.Apply(t.Context(), up)
	require.NoError(t, err, "it was tried, and nothing failed")
	w.exec(`update crossfade.stale_keys set last_error = 'SQLSTATE 23505'`)
	w.exec(`insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause, recorded_at)
		select id, 'acme', 'new', '2', 1, 'test', now() - interval '1 hour' from crossfade.migrations`)
	_, err = w.plane.Apply(t.Context(), up)
	require.ErrorContains(t, err, "1 keys of tenant \"acme\" cannot be copied to the new side")
	require.ErrorContains(t, err, "nobody tried to copy 1 keys")
}
