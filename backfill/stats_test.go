package backfill_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
)

func TestStaleKeysAreMeasuredAndTheirRepairIsTold(t *testing.T) {
	w := newWorld(t, flags.Live)
	var told atomic.Int64
	worker := w.worker(func(c *backfill.Config) {
		c.ReconcileEvery = time.Millisecond
		c.AfterRepair = func(_ context.Context, migration string) error {
			assert.Equal(t, "notes-v2", migration)
			told.Add(1)
			return nil
		}
	})
	w.exec("insert into notes_v1 (tenant, id, body) values ($1, 1, 'of old')", acme)
	w.markStale("new", "1", "2")
	w.markStale("old", "3")
	w.exec("update crossfade.stale_keys set recorded_at = now() - interval '1 hour', last_error = 'it is broken' where key = '2'")
	s, err := worker.Stats(t.Context())
	require.NoError(t, err)
	require.Len(t, s.Stale, 2)
	assert.Equal(t, flags.OldSide, s.Stale[0].Side)
	assert.EqualValues(t, 1, s.Stale[0].Keys)
	assert.Less(t, s.Stale[0].Oldest, time.Hour)
	assert.Equal(t, "notes-v2", s.Stale[1].Migration)
	assert.EqualValues(t, 2, s.Stale[1].Keys)
	assert.EqualValues(t, 1, s.Stale[1].Failing)
	assert.GreaterOrEqual(t, s.Stale[1].Oldest, time.Hour)
	assert.Zero(t, told.Load())

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx) }()
	require.Eventually(t, func() bool { return len(w.stale()) == 0 && told.Load() > 0 }, time.Minute, time.Millisecond)
	cancel()
	require.NoError(t, <-done)
	s, err = worker.Stats(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 3, s.Repaired)
	for _, side := range s.Stale {
		assert.Zero(t, side.Keys)
		assert.Zero(t, side.Oldest)
	}
}
