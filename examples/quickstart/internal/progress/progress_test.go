package progress_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/progress"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/seed"
	"github.com/crossfade-db/crossfade/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestProgressOutlivesItsProcess(t *testing.T) {
	ctx, pool := context.Background(), pgtest.Pool(t)
	s := progress.New(pool)
	_, err := s.Load(ctx)
	require.ErrorIs(t, err, progress.ErrNone)

	d := seed.Data{Seed: 1<<63 + 5, Tenants: 2, Customers: 10}
	require.NoError(t, s.Begin(ctx, progress.Walk{Data: d, PlantBug: true, Rate: 12.5}))
	require.Error(t, s.Begin(ctx, progress.Walk{Data: d}), "a walk begins once")
	s = progress.New(pool)
	w, err := s.Load(ctx)
	require.NoError(t, err)
	assert.Equal(t, d, w.Data)
	assert.True(t, w.PlantBug)
	assert.InDelta(t, 12.5, w.Rate, 0)
	assert.Equal(t, progress.FaultNone, w.Fault)

	t.Run("the fault is planted until it is lifted", func(t *testing.T) {
		for _, fault := range []progress.Fault{progress.FaultPlanted, progress.FaultFound, progress.FaultLifted, progress.FaultRepaired} {
			require.NoError(t, s.SetFault(ctx, fault))
			planted, err := progress.Planted(ctx, pool)
			require.NoError(t, err)
			assert.Equal(t, fault == progress.FaultPlanted || fault == progress.FaultFound, planted)
		}
		require.NoError(t, s.AddRepaired(ctx, 3, progress.FaultCounted))
		w, err := s.Load(ctx)
		require.NoError(t, err)
		assert.EqualValues(t, 3, w.RepairedKeys)
		assert.Equal(t, progress.FaultCounted, w.Fault)
	})
	t.Run("phases add up in the order in which they came", func(t *testing.T) {
		require.NoError(t, s.Spend(ctx, "dual", time.Second))
		require.NoError(t, s.Spend(ctx, "backfill", time.Second))
		require.NoError(t, s.Spend(ctx, "dual", 500*time.Millisecond))
		phases, err := s.Phases(ctx)
		require.NoError(t, err)
		assert.Equal(t, []progress.Phase{{Name: "dual", Seconds: 1.5}, {Name: "backfill", Seconds: 1}}, phases)
	})
	t.Run("the last check at a stage counts", func(t *testing.T) {
		require.NoError(t, s.AddCheck(ctx, progress.Check{Stage: "rampdown", KeysRead: 10, DifferingKeys: 1, LostUpdates: 2, StaleReads: 3, Undecided: 4, Problems: []string{"x"}}))
		passed := progress.Check{Stage: "rampdown", KeysRead: 11, Passed: true, Problems: []string{}}
		require.NoError(t, s.AddCheck(ctx, passed))
		checks, err := s.Checks(ctx)
		require.NoError(t, err)
		assert.Equal(t, []progress.Check{passed}, checks)
	})
	t.Run("comparisons of all processes add up", func(t *testing.T) {
		one := uuid.New()
		require.NoError(t, s.Compared(ctx, one, compare.Counts{Compared: 1}))
		require.NoError(t, s.Compared(ctx, one, compare.Counts{Compared: 5, Ignored: 1, Dropped: 2, Inconclusive: 3, Mismatched: 4}))
		require.NoError(t, s.Compared(ctx, uuid.New(), compare.Counts{Compared: 10}))
		sum, err := s.Comparisons(ctx)
		require.NoError(t, err)
		assert.Equal(t, compare.Counts{Compared: 15, Ignored: 1, Dropped: 2, Inconclusive: 3, Mismatched: 4}, sum)
	})
}
