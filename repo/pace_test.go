package repo_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/versions"
)

const callers = 4

// crowd is the bench on a machine on which reads take a millisecond, and the
// more the more comparisons run.
type crowd struct {
	*bench
	harm    atomic.Int64 // in microseconds for each comparison that runs
	running atomic.Int64
}

func newCrowd(t *testing.T, cfg *repo.ComparerConfig) *crowd {
	t.Helper()
	c := &crowd{bench: newBench(t, flags.Shadow, cfg)}
	c.old.rows["a"], c.new.rows["a"] = []string{"x"}, []string{"x"}
	c.old.on(func(context.Context, string, []string) error {
		time.Sleep(time.Millisecond + time.Duration(c.running.Load()*c.harm.Load())*time.Microsecond)
		return nil
	})
	c.new.on(func(context.Context, string, []string) error {
		c.running.Add(1)
		time.Sleep(time.Millisecond)
		c.running.Add(-1)
		return nil
	})
	return c
}

// read has the callers read in closed loops, and returns what a read took on
// average, and which share of the reads was not compared.
func (c *crowd) read(t *testing.T, d time.Duration) (took time.Duration, shed float64) {
	t.Helper()
	var reads atomic.Int64
	before, end := c.now(), time.Now().Add(d)
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for time.Now().Before(end) {
				_, err := c.routed.Get(t.Context(), "a")
				assert.NoError(t, err)
				reads.Add(1)
			}
		})
	}
	all.Wait()
	after := c.now()
	meant := after.Meant() - before.Meant() + c.comparer.Stats().Waiting
	assert.InDelta(t, reads.Load(), meant, 2048, "every read was compared, dropped or waits")
	return d * callers / time.Duration(reads.Load()), float64(after.Dropped-before.Dropped) / float64(reads.Load())
}

func (c *crowd) now() compare.Counts {
	for _, counts := range c.comparer.Stats().Operations {
		return counts
	}
	return compare.Counts{}
}

func TestComparisonsAreShedBeforeTheyHarmReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, &repo.ComparerConfig{Workers: callers})

		took, shed := c.read(t, 2*time.Second)
		assert.Equal(t, time.Millisecond, took.Round(time.Microsecond))
		assert.Less(t, shed, 0.25, "there is room for them, but for the rests")
		assert.InDelta(t, 1, c.comparer.Stats().Share, 0)

		c.harm.Store(250) // four comparisons double what a read takes
		c.read(t, 3*time.Second)
		took, shed = c.read(t, 3*time.Second)
		assert.Less(t, took, 1050*time.Microsecond)
		assert.Greater(t, shed, 0.8)
		assert.Less(t, shed, 1.0, "some are compared all the same")
		assert.Less(t, c.comparer.Stats().Share, 0.2)

		c.harm.Store(0)
		c.read(t, 8*time.Second)
		_, shed = c.read(t, time.Second)
		assert.Less(t, shed, 0.25, "it recovers")
		assert.InDelta(t, 1, c.comparer.Stats().Share, 0)
	})
}

func TestComparisonsMayHarmReadsWhereThatIsWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, &repo.ComparerConfig{Workers: callers, Harm: -1})
		c.harm.Store(250)
		c.read(t, time.Second)
		took, shed := c.read(t, time.Second)
		assert.Greater(t, took, 1300*time.Microsecond)
		assert.Less(t, shed, 0.25)
	})
}

func TestReadsNeverWaitForComparisons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, flags.Shadow, &repo.ComparerConfig{Workers: 2, Queue: 10})
		require.NoError(t, b.routed.Put(t.Context(), "a", []string{"x"}))
		b.new.on(func(ctx context.Context, _ string, _ []string) error { <-ctx.Done(); return ctx.Err() })
		began := time.Now()
		for range 5_000 {
			_, err := b.routed.Get(t.Context(), "a")
			require.NoError(t, err)
		}
		assert.Zero(t, time.Since(began))
		counts := b.counts(t)
		assert.EqualValues(t, 4_988, counts.Dropped)
		assert.EqualValues(t, 5_000, counts.Meant())
	})
}

// tight is a backend with few connections.
type tight struct {
	repo.Backend[*things]
	spare atomic.Int64
}

func (b *tight) Spare() int { return int(b.spare.Load()) }

// tighten gives the bench a backend with that many connections to spare.
func (b *bench) tighten(t *testing.T, spare int64) *tight {
	t.Helper()
	backend := &tight{Backend: b.routed.route.Backend()}
	backend.spare.Store(spare)
	migration, err := versions.Must(versions.New("things", "v1", "v2")).Last()
	require.NoError(t, err)
	route, err := repo.NewRoute(repo.Config[*things]{
		Migration: migration, Flag: b.set.Flag("things-v2"), Backend: backend, Copier: copier, Comparer: b.comparer,
	})
	require.NoError(t, err)
	b.routed = routed{route}
	return backend
}

func TestComparisonsLeaveTheLastConnectionsToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, flags.Shadow, nil)
		require.NoError(t, b.routed.Put(t.Context(), "a", []string{"x"}))
		backend := b.tighten(t, 0)
		var mu sync.Mutex
		running, most := 0, 0
		b.new.on(func(context.Context, string, []string) error {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(10 * time.Millisecond)
			mu.Lock()
			running--
			mu.Unlock()
			return nil
		})
		for range 10 {
			_, err := b.routed.Get(t.Context(), "a")
			require.NoError(t, err)
		}
		time.Sleep(time.Second)
		assert.EqualValues(t, 10, b.comparer.Stats().Waiting, "none is free")
		backend.spare.Store(2)
		time.Sleep(time.Second)
		assert.EqualValues(t, 10, b.counts(t).Compared)
		assert.Equal(t, 2, most)
	})
}

func TestComparisonThatWaitedTooLongIsDroppedAndLetsGoOfItsEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, flags.Shadow, &repo.ComparerConfig{Timeout: time.Second})
		require.NoError(t, b.routed.Put(t.Context(), "a", []string{"x"}))
		b.tighten(t, 0)
		_, err := b.routed.Get(t.Context(), "a")
		require.NoError(t, err)
		b.at(t, flags.Dual)
		time.Sleep(time.Second / 2)
		assert.EqualValues(t, 1, b.set.Oldest()[0].Epoch, "it waits")
		time.Sleep(time.Second)
		assert.EqualValues(t, 2, b.set.Oldest()[0].Epoch)
		assert.EqualValues(t, 1, b.counts(t).Dropped)
	})
}
