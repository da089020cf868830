package repo

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/compare"
)

// slow is a comparison that takes two seconds.
type slow struct{ job }

func (s *slow) judge(context.Context) (compare.Verdict, func()) {
	time.Sleep(2 * time.Second)
	return compare.Matched, nil
}
func (s *slow) spare() int  { return 100 }
func (s *slow) source() any { return nil }

func TestWhatWaitsIsDroppedAtTheTimeoutHoweverLongTheRestIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pool
		var panics atomic.Int64
		var counters compare.Counters
		p.start(ComparerConfig{Workers: 4, Queue: 1024, Timeout: 5 * time.Second, Harm: -1}, &panics)
		p.pace.share.Store(whole / 50)
		submit := func(n int) {
			for range n {
				count := tally{counters: &counters, migration: "things-v2", entity: "Things", method: "Get"}
				require.True(t, p.reserve(&count))
				require.True(t, p.enqueue(&slow{job{count: count, ctx: context.Background()}}))
			}
		}
		submit(40)
		time.Sleep(3 * time.Second)
		assert.EqualValues(t, 36, p.waiting.Load(), "four were compared, and a rest of some 12s goes on")
		p.limit.Store(p.size)
		submit(1)
		time.Sleep(2*time.Second - 1)
		assert.EqualValues(t, 37, p.waiting.Load())
		time.Sleep(2 * time.Nanosecond)
		assert.EqualValues(t, 1, p.waiting.Load(), "what came later waits")
		time.Sleep(3 * time.Second)
		assert.Zero(t, p.waiting.Load())
		assert.EqualValues(t, 4, counters.Snapshot()[0].Compared)
		assert.EqualValues(t, 37, counters.Snapshot()[0].Dropped)
		require.NoError(t, p.shutdown(t.Context()))
	})
}

func TestRoomLiesBetweenAllConnectionsTakenAndNone(t *testing.T) {
	l := &lane{}
	assert.True(t, l.room(3))
	l.running = 1
	assert.True(t, l.room(3), "not taken yet")
	l.running = 3
	assert.False(t, l.room(3), "none taken yet, all three are spoken for")
	l.running = 2
	assert.True(t, l.room(1), "both taken")
	l.running = 1
	assert.True(t, l.room(1), "others took one")
	l.running = 2
	assert.False(t, l.room(1), "it is spoken for")
	l.running = 0
	assert.False(t, l.room(0))
	assert.True(t, l.room(1), "it is known anew")
	l.running = 1
	assert.False(t, l.room(0))
}
