package backfill_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
)

// joined is a session whose writes at old needed no record, as it noted.
func joined(w *world) *pgx.Conn {
	w.t.Helper()
	w.fill(acme, 1)
	w.capture(flags.OldSide)
	conn, err := pgx.ConnectConfig(context.Background(), w.pool.Config().ConnConfig)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	_, err = conn.Exec(context.Background(), "update notes_v1 set seen = 1 where id = 1")
	require.NoError(w.t, err)
	require.Empty(w.t, w.recorded())
	return conn
}

// What a session noted of the epoch before is a place to begin, and no proof:
// neither that it still joins that epoch, nor that it is in force.
func TestStepToDualWaitsForSessionsThatJoinedBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Old)
	conn := joined(w)
	for _, promise := range []string{"in the epoch that it joined before", "in a later one"} {
		m := w.migration()
		straggler, err := conn.Begin(t.Context())
		require.NoError(t, err)
		_, err = straggler.Exec(t.Context(), "update notes_v1 set body = 'late' where id = 1")
		require.NoError(t, err)
		w.publish(flags.Policy{Default: flags.Dual}, noEffects)
		drained, err := w.store.Drain(t.Context(), m, m.Epoch, 10*time.Millisecond)
		require.NoError(t, err)
		assert.False(t, drained, promise)
		_, err = straggler.Exec(t.Context(), "update notes_v1 set body = 'later' where id = 1")
		require.NoError(t, err)
		require.NoError(t, straggler.Commit(t.Context()))
		assert.Equal(t, []string{"acme:new:1"}, w.recorded(), promise)
		drained, err = w.store.Drain(t.Context(), m, m.Epoch, time.Minute)
		require.NoError(t, err)
		assert.True(t, drained, promise)
		w.step(flags.Old)
	}
}

func TestSessionsThatJoinedBeforeRecordWhatCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Old)
	conn := joined(w)
	old, err := conn.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	require.NoError(t, err)
	_, err = old.Exec(t.Context(), "select") // from here on it sees everybody at old
	require.NoError(t, err)
	w.step(flags.Dual)
	_, err = old.Exec(t.Context(), "update notes_v1 set body = 'by an old snapshot' where id = 1")
	require.NoError(t, err)
	require.NoError(t, old.Commit(t.Context()))
	assert.Equal(t, []string{"acme:new:1"}, w.recorded())

	epoch := w.one("select epoch::text from crossfade.migrations")
	for _, noted := range []string{epoch, "", "1"} { // whatever somebody sets
		_, err = conn.Exec(t.Context(), "select set_config('crossfade.epoch_' || (select id from crossfade.migrations), $1, false)", noted)
		require.NoError(t, err)
		_, err = conn.Exec(t.Context(), "update notes_v1 set seen = seen + 1 where id = 1")
		require.NoError(t, err)
		assert.Equal(t, []string{"acme:new:1"}, w.recorded(), noted)
	}
}
