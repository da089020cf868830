package repo_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
)

// pooled is a backend that shares its connections with others.
type pooled struct {
	*tight
	pool *int
}

func (b *pooled) Pool() any { return b.pool }

// lasting has comparisons last for a while, and returns how many ran at once at
// most.
func (b *bench) lasting() (most func() int64) {
	var running, highest atomic.Int64
	b.new.on(func(context.Context, string, []string) error {
		now := running.Add(1)
		for old := highest.Load(); now > old && !highest.CompareAndSwap(old, now); old = highest.Load() {
			continue
		}
		time.Sleep(10 * time.Millisecond)
		running.Add(-1)
		return nil
	})
	return highest.Load
}

func get(t *testing.T, r routed, times int) {
	t.Helper()
	for range times {
		_, err := r.Get(t.Context(), "a")
		require.NoError(t, err)
	}
}

func TestBusyDatabaseHoldsUpNoComparisonsOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, flags.Shadow, nil)
		require.NoError(t, b.routed.Put(t.Context(), "a", []string{"x"}))
		backend := b.tighten(t, 0)
		busy := b.routed
		b.tighten(t, 100)
		get(t, busy, 10)
		get(t, b.routed, 10)
		get(t, busy, 10)
		time.Sleep(time.Second)
		assert.EqualValues(t, 20, b.comparer.Stats().Waiting, "those of the busy database")
		backend.spare.Store(1)
		time.Sleep(time.Second)
		assert.Zero(t, b.comparer.Stats().Waiting)
		assert.EqualValues(t, 30, b.counts(t).Compared)
	})
}

func TestBusyDatabaseLeavesPlacesInTheQueueToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, flags.Shadow, &repo.ComparerConfig{Queue: 16, Workers: 4})
		require.NoError(t, b.routed.Put(t.Context(), "a", []string{"x"}))
		b.tighten(t, 0)
		busy := b.routed
		b.tighten(t, 100)
		get(t, busy, 1)
		time.Sleep(100 * time.Millisecond)
		get(t, busy, 100)
		assert.EqualValues(t, 10, b.comparer.Stats().Waiting, "half of them")
		get(t, b.routed, 5)
		time.Sleep(100 * time.Millisecond)
		assert.EqualValues(t, 10, b.comparer.Stats().Waiting)
		counts := b.counts(t)
		assert.EqualValues(t, 91, counts.Dropped)
		assert.EqualValues(t, 106, counts.Meant())
	})
}

func TestComparisonsAreCountedAgainstTheirOwnDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, flags.Shadow, &repo.ComparerConfig{Workers: 8})
		require.NoError(t, b.routed.Put(t.Context(), "a", []string{"x"}))
		b.tighten(t, 2)
		first := b.routed
		b.tighten(t, 3)
		most := b.lasting()
		get(t, first, 20)
		get(t, b.routed, 20)
		time.Sleep(2 * time.Second)
		assert.EqualValues(t, 40, b.counts(t).Compared)
		assert.EqualValues(t, 5, most())
	})
}

func TestRoutesThatShareTheirConnectionsAreCountedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, flags.Shadow, &repo.ComparerConfig{Workers: 8})
		require.NoError(t, b.routed.Put(t.Context(), "a", []string{"x"}))
		pool := new(int)
		b.share(t, &pooled{b.tighten(t, 2), pool})
		first := b.routed
		b.share(t, &pooled{b.tighten(t, 2), pool})
		most := b.lasting()
		get(t, first, 20)
		get(t, b.routed, 20)
		time.Sleep(2 * time.Second)
		assert.EqualValues(t, 40, b.counts(t).Compared)
		assert.EqualValues(t, 2, most())
	})
}

func TestConnectionThatAComparisonTookIsNotCountedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, flags.Shadow, &repo.ComparerConfig{Workers: 4})
		require.NoError(t, b.routed.Put(t.Context(), "a", []string{"x"}))
		backend := b.tighten(t, 3) // of four
		// Each is taken before the next comparison begins.
		var least atomic.Int64
		least.Store(3)
		b.new.on(func(context.Context, string, []string) error {
			left := backend.spare.Add(-1)
			for old := least.Load(); left < old && !least.CompareAndSwap(old, left); old = least.Load() {
				continue
			}
			time.Sleep(10 * time.Millisecond)
			backend.spare.Add(1)
			return nil
		})
		get(t, b.routed, 40)
		time.Sleep(2 * time.Second)
		assert.EqualValues(t, 40, b.counts(t).Compared)
		assert.Zero(t, least.Load(), "all three were used, and not the fourth")
	})
}

// share routes the bench through another backend.
func (b *bench) share(t *testing.T, backend repo.Backend[*things]) {
	t.Helper()
	route, err := repo.NewRoute(repo.Config[*things]{
		Migration: b.routed.route.Migration(), Flag: b.routed.route.Flag(), Backend: backend, Copier: copier, Comparer: b.comparer,
	})
	require.NoError(t, err)
	b.routed = routed{route}
}
