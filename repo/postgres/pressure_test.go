package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/pgtest"
)

func TestComparisonsLeaveAnEighthOfThePoolToCallers(t *testing.T) {
	for most, want := range map[int32]int{1: 1, 2: 1, 4: 3, 16: 14, 40: 35} {
		cfg, err := pgxpool.ParseConfig(pgtest.New(t))
		require.NoError(t, err)
		cfg.MaxConns = most
		pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
		require.NoError(t, err)
		t.Cleanup(pool.Close)
		w := newWorldOn(t, pool, flags.Shadow, nil)
		backend, ok := w.notes.route.Backend().(interface{ Spare() int })
		require.True(t, ok)
		assert.Equal(t, want, backend.Spare(), "of %d", most)
		conn, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want-1, backend.Spare(), "of %d, one of which is taken", most)
		conn.Release()
	}
}

func TestReadsAreServedWhileComparisonsFindNoConnection(t *testing.T) {
	cfg, err := pgxpool.ParseConfig(pgtest.New(t))
	require.NoError(t, err)
	cfg.MaxConns = 2
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	w := newWorldOn(t, pool, flags.Dual, nil)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "a b"}))
	w.step(flags.Shadow)
	taken, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	for range 20 {
		_, err := w.notes.Get(t.Context(), tenant, 1)
		require.NoError(t, err)
	}
	assert.EqualValues(t, 20, w.comparer.Stats().Waiting, "the last connection is for callers")
	taken.Release()
	assert.EqualValues(t, 20, w.settled().Operations[0].Compared)
}
