package measure_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/bench/measure"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// taking is a variant whose operation takes exactly so long, on synctest's clock.
func taking(name string, d time.Duration) measure.Variant {
	return measure.Variant{Name: name, Do: func(context.Context, int) error {
		time.Sleep(d)
		return nil
	}}
}

func TestRatiosAreOfTheMediansOfEachRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls int
		uneven := measure.Variant{Name: "uneven", Do: func(context.Context, int) error {
			calls++
			if calls%10 == 0 {
				time.Sleep(time.Second) // an outlier, which no median shows
			}
			time.Sleep(30 * time.Microsecond)
			return nil
		}}
		found, err := measure.Run(t.Context(), measure.Plan{Rounds: 5, Turns: 20}, []measure.Variant{
			taking("direct", 20*time.Microsecond), uneven, taking("slow", 50*time.Microsecond),
		})
		require.NoError(t, err)
		assert.Equal(t, measure.Ratio{Value: 1.5}, found.Ratio("uneven", "direct"))
		assert.Equal(t, measure.Ratio{Value: 2.5}, found.Ratio("slow", "direct"))
		assert.InDelta(t, 30e3, found.Latency("uneven", 0.5), 0)
		assert.InDelta(t, 1e9+30e3, found.Latency("uneven", 0.99), 0)
		assert.Equal(t, []string{"direct", "uneven", "slow"}, found.Names())
		assert.True(t, found.Has("slow"))
		assert.False(t, found.Has("other"))
		assert.Panics(t, func() { found.Ratio("other", "direct") })
	})
}

func TestNoiseIsHalfOfWhatLiesBetweenTheQuartilesOfTheRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const turns = 4
		calls := 0
		// Rounds of 10, 11, 12, 13 and 14 us; the round before them does not count.
		growing := measure.Variant{Name: "growing", Do: func(context.Context, int) error {
			time.Sleep(time.Duration(9+calls/turns) * time.Microsecond)
			calls++
			return nil
		}}
		found, err := measure.Run(t.Context(), measure.Plan{Rounds: 5, Turns: turns}, []measure.Variant{
			taking("direct", 10*time.Microsecond), growing,
		})
		require.NoError(t, err)
		ratio := found.Ratio("growing", "direct")
		assert.InDelta(t, 1.2, ratio.Value, 1e-9)
		assert.InDelta(t, (1.3-1.1)/2, ratio.Noise, 1e-9)
	})
}

func TestRoundsThatNobodyHasTimeForAreLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls, rounds := 0, 0
		slower := measure.Variant{Name: "slower", Do: func(context.Context, int) error {
			calls++
			if calls > 10 {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(time.Millisecond) // twice as slow as in the round that it was judged by
			return nil
		}}
		plan := measure.Plan{Rounds: 20, Turns: 10, Budget: time.Second, Progress: func(int, int) { rounds++ }}
		found, err := measure.Run(t.Context(), plan, []measure.Variant{slower})
		require.NoError(t, err)
		assert.Equal(t, 10, rounds)
		assert.Equal(t, measure.Ratio{Value: 1}, found.Ratio("slower", "slower"))
	})
}

// orders notes in which order the variants ran.
type orders struct {
	mu  sync.Mutex
	ran []string
}

func (o *orders) variant(name string) measure.Variant {
	return measure.Variant{Name: name, Do: func(context.Context, int) error {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.ran = append(o.ran, name)
		return nil
	}}
}

func TestEveryTurnHasAFreshOrderThatTheSeedRepeats(t *testing.T) {
	run := func(seed uint64) []string {
		var o orders
		_, err := measure.Run(t.Context(), measure.Plan{Rounds: 2, Turns: 50, Seed: seed}, []measure.Variant{
			o.variant("a"), o.variant("b"), o.variant("c"),
		})
		require.NoError(t, err)
		return o.ran
	}
	ran := run(7)
	require.Len(t, ran, 3*50*3)
	seen := map[string]int{}
	for turn := range slices.Chunk(slices.Clone(ran), 3) {
		seen[turn[0]+turn[1]+turn[2]]++
		slices.Sort(turn)
		require.Equal(t, []string{"a", "b", "c"}, turn, "each variant once")
	}
	assert.Len(t, seen, 6, "all orders occur")
	assert.Equal(t, ran, run(7))
	assert.NotEqual(t, ran, run(8))
}

func TestBlocksRunTogetherAndAreSettledBefore(t *testing.T) {
	var o orders
	settle := func(context.Context) error {
		o.ran = append(o.ran, "|")
		return nil
	}
	found, err := measure.Run(t.Context(), measure.Plan{Rounds: 1, Turns: 2, Block: 3, Settle: settle}, []measure.Variant{
		o.variant("a"), o.variant("b"),
	})
	require.NoError(t, err)
	require.Len(t, o.ran, 2*2*2*4)
	for turn := range slices.Chunk(o.ran, 4) {
		assert.Equal(t, "|", turn[0])
		assert.Equal(t, []string{turn[1], turn[1], turn[1]}, turn[1:])
	}
	assert.True(t, found.Has("b"))
	_, err = measure.Run(t.Context(), measure.Plan{Workers: 2, Settle: settle}, nil)
	require.ErrorIs(t, err, measure.ErrSettleAlone)
}

func TestABudgetIsKeptHoweverLongAnOperationTakes(t *testing.T) {
	for _, each := range []time.Duration{20 * time.Microsecond, 2 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			rounds := 0
			plan := measure.Plan{Rounds: 10, Turns: 10, Budget: time.Second, Progress: func(_, of int) {
				rounds++
				assert.Equal(t, 10, of)
			}}
			_, err := measure.Run(t.Context(), plan, []measure.Variant{taking("a", each), taking("b", each)})
			require.NoError(t, err)
			first := 20 * each
			assert.Equal(t, time.Second, time.Since(began)-first, "on synctest's clock")
			assert.Equal(t, 10, rounds)
		})
	}
}

func TestManyWorkersShareTheTurns(t *testing.T) {
	var calls, highest atomic.Int64
	_, err := measure.Run(t.Context(), measure.Plan{Rounds: 2, Turns: 40, Workers: 4, Keys: 10}, []measure.Variant{{
		Name: "a", Do: func(_ context.Context, i int) error {
			calls.Add(1)
			assert.Less(t, i, 10)
			highest.Store(max(highest.Load(), int64(i)))
			return nil
		},
	}})
	require.NoError(t, err)
	assert.EqualValues(t, 3*40, calls.Load())
	assert.Positive(t, highest.Load())
}

func TestAnErrorEndsTheRunAndNamesTheVariant(t *testing.T) {
	broken := errors.New("broken")
	failing := measure.Variant{Name: "failing", Do: func(context.Context, int) error { return broken }}
	waiting := measure.Variant{Name: "waiting", Do: func(ctx context.Context, _ int) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	_, err := measure.Run(t.Context(), measure.Plan{Workers: 3}, []measure.Variant{failing})
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "failing")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = measure.Run(ctx, measure.Plan{}, []measure.Variant{waiting})
	require.ErrorIs(t, err, context.Canceled)
	_, err = measure.Load{Callers: 2}.Run(t.Context(), []measure.Variant{failing})
	require.ErrorIs(t, err, broken)
	_, err = measure.Allocations(t.Context(), 3, 1, nil, failing)
	require.ErrorIs(t, err, broken)
	_, err = measure.Allocations(t.Context(), 0, 1, nil, failing)
	require.ErrorIs(t, err, measure.ErrNoOperations)
}

func TestQuantilesLieBetweenTheirNeighbours(t *testing.T) {
	for _, c := range []struct {
		of   []float64
		q    float64
		want float64
	}{
		{nil, 0.5, 0},
		{[]float64{3}, 0.99, 3},
		{[]float64{1, 2}, 0.5, 1.5},
		{[]float64{1, 2, 3, 4, 5}, 0.25, 2},
		{[]float64{1, 2, 3, 4, 5}, 1, 5},
		{[]float64{0, 10}, 0.99, 9.9},
	} {
		assert.InDelta(t, c.want, measure.Quantile(c.of, c.q), 1e-9, "%v of %v", c.q, c.of)
	}
}
