package backfill_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

func TestCaptureAsksForADirectConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Dual)
	_, through := pgtest.Bouncer(t, w.pool.Config().ConnString(), nil)
	config, err := pgxpool.ParseConfig(through + "&default_query_exec_mode=exec")
	require.NoError(t, err)
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	capture := backfill.NewCapture(pool, nil)
	_, err = capture.Install(t.Context(), migrationName, flags.OldSide, false, captured[flags.OldSide])
	var pooler *ledger.PoolerError
	require.ErrorAs(t, err, &pooler)
	require.ErrorContains(t, err, "change the triggers of capture: the DSN leads to a connection pooler")
	assert.False(t, w.captureState()[flags.OldSide].Installed)
	planned, err := capture.Install(t.Context(), migrationName, flags.OldSide, true, captured[flags.OldSide])
	require.NoError(t, err, "to look what it would do needs none")
	assert.NotEmpty(t, planned.Statements)
}
