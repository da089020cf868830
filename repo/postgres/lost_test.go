package postgres_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/internal/proxy"
	"github.com/crossfade-db/crossfade/repo"
)

// pgx calls an answer that never came "conn closed" and safe to retry, as it
// does a statement that was not sent.
func TestCommitWhoseConnectionEndsBeforeItsAnswerIsAnUnknownOutcome(t *testing.T) {
	dsn := pgtest.New(t)
	direct, err := pgxpool.New(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(direct.Close)
	way, through, err := proxy.For(dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, way.Close()) })
	cfg, err := pgxpool.ParseConfig(through)
	require.NoError(t, err)
	cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec // statements are sent as they are written
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	w := newWorldOn(t, pool, flags.Old, nil)

	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 2, Text: "one"}))

	seen := func() (n int) {
		require.NoError(t, direct.QueryRow(t.Context(), "select seen from notes_v1 where id = 2").Scan(&n))
		return n
	}
	held := way.HoldNext(func(data []byte) bool { return bytes.Contains(data, []byte("commit\x00")) })
	saved := make(chan error, 1)
	go func() { saved <- w.notes.See(t.Context(), tenant, 2) }()
	<-held
	way.Abandon(func() bool { return true })
	var unknown *repo.UnknownOutcomeError
	require.ErrorAs(t, <-saved, &unknown)
	way.Release()
	require.NoError(t, way.Ended(t.Context()))
	require.Eventually(t, func() bool { return seen() == 1 }, time.Minute, 5*time.Millisecond, "it was committed")

	// All of a write in one batch, of which no answer comes: here it was not even
	// executed, which nobody can know.
	held = way.HoldNext(func(data []byte) bool { return bytes.Contains(data, []byte("insert into notes_v1")) })
	go func() { saved <- w.notes.Save(t.Context(), tenant, note{ID: 2, Text: "one", Seen: 7}) }()
	<-held
	way.CutSome(func() bool { return true })
	unknown = nil
	require.ErrorAs(t, <-saved, &unknown)
	way.Release()
	assert.Equal(t, 1, seen())
}
