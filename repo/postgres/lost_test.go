package postgres_test

import (
	"bytes"
	"testing"

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
	pool, err := pgxpool.New(t.Context(), through)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	w := newWorldOn(t, pool, flags.Old, nil)

	held := way.HoldNext(func(data []byte) bool { return bytes.Contains(data, []byte("commit\x00")) })
	saved := make(chan error, 1)
	go func() { saved <- w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}) }()
	<-held
	way.Abandon(func() bool { return true })
	err = <-saved
	var unknown *repo.UnknownOutcomeError
	require.ErrorAs(t, err, &unknown)
	way.Release()
	require.NoError(t, way.Ended(t.Context()))
	var n int
	require.NoError(t, direct.QueryRow(t.Context(), "select count(*) from notes_v1").Scan(&n))
	assert.Equal(t, 1, n, "it was committed")
}
