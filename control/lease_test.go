package control

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/internal/deadline"
)

const ttl = 10 * time.Second

// newCountedLease returns a lease, and how often it has run out.
func newCountedLease() (*lease, *atomic.Int32) {
	n := &atomic.Int32{}
	return newLease(ttl, func(time.Time) {}, func() { n.Add(1) }), n
}

// pass lets time pass in a bubble.
func pass(d time.Duration) { <-time.After(d) }

func valid(l *lease) bool {
	_, ok := l.begin()
	return ok
}

func TestLeaseRunsOutCountedFromWhenTheHeartbeatWasSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, expired := newCountedLease()
		assert.False(t, valid(l), "before the first heartbeat there is none")
		sent := time.Now()
		pass(4 * time.Second) // the answer took so long
		require.True(t, l.renew(sent))
		pass(6*time.Second - 1)
		assert.True(t, valid(l))
		assert.Zero(t, expired.Load())
		pass(1)
		synctest.Wait()
		assert.False(t, valid(l))
		assert.EqualValues(t, 1, expired.Load())
		pass(time.Hour)
		assert.EqualValues(t, 1, expired.Load(), "once for each time that it runs out")
	})
}

func TestLeaseIsRenewedAndRecovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, expired := newCountedLease()
		for range 100 {
			require.True(t, l.renew(time.Now()))
			pass(ttl - time.Second)
		}
		assert.Zero(t, expired.Load())
		pass(ttl)
		synctest.Wait()
		assert.EqualValues(t, 1, expired.Load())
		require.True(t, l.renew(time.Now()))
		assert.True(t, valid(l))
		pass(ttl)
		synctest.Wait()
		assert.EqualValues(t, 2, expired.Load())
	})
}

func TestAnswerThatCameTooLateRenewsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, _ := newCountedLease()
		sent := time.Now()
		pass(ttl)
		assert.False(t, l.renew(sent))
		assert.False(t, valid(l))
	})
}

func TestOlderHeartbeatDoesNotShortenTheLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, expired := newCountedLease()
		early := time.Now()
		pass(5 * time.Second)
		require.True(t, l.renew(time.Now()))
		require.True(t, l.renew(early))
		pass(9 * time.Second)
		assert.True(t, valid(l))
		assert.Zero(t, expired.Load())
		l.end()
	})
}

func TestEndedLeaseIsNeverRenewed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, expired := newCountedLease()
		require.True(t, l.renew(time.Now()))
		l.end()
		assert.EqualValues(t, 1, expired.Load())
		assert.False(t, l.renew(time.Now()))
		l.end()
		assert.EqualValues(t, 1, expired.Load())
	})
}

func TestWhatWasReadUnderAnEarlierLeaseDoesNotCount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		over func(l *lease) // how the lease runs out
	}{
		{"the timer fires", func(*lease) { pass(ttl); synctest.Wait() }},
		{"time passes while no timer fires, as in a process that is stopped", func(l *lease) { l.timer.Stop(); pass(ttl) }},
		{"only the wall clock went on, as in a machine that was suspended", func(l *lease) {
			l.ends = deadline.Apart(time.Now().Add(ttl), time.Now().Add(-1))
		}},
		{"only the monotonic clock went on: the wall clock was set back", func(l *lease) {
			l.ends = deadline.Apart(time.Now().Add(-1), time.Now().Add(ttl))
		}},
	} {
		for _, renewed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, renewed %v", c.name, renewed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					l, expired := newCountedLease()
					require.True(t, l.renew(time.Now()))
					generation, ok := l.begin()
					require.True(t, ok)
					c.over(l)
					if renewed {
						require.True(t, l.renew(time.Now()), "a heartbeat after the lapse")
					}
					ok, err := l.during(generation, func() error { t.Error("it ran"); return nil })
					require.NoError(t, err)
					assert.False(t, ok)
					assert.EqualValues(t, 1, expired.Load(), "the policies went out of use in between")
					if renewed {
						generation, ok = l.begin()
						require.True(t, ok)
						ok, _ = l.during(generation, func() error { return nil })
						assert.True(t, ok, "what is read from now on does")
					}
					l.end()
				})
			})
		}
	}
}

func TestRenewedLeaseKeepsItsGeneration(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, _ := newCountedLease()
		require.True(t, l.renew(time.Now()))
		generation, _ := l.begin()
		pass(ttl - 1)
		require.True(t, l.renew(time.Now()))
		pass(ttl - 1)
		ok, _ := l.during(generation, func() error { return nil })
		assert.True(t, ok)
		l.end()
	})
}

func TestUsesKnowUntilWhenTheLeaseHolds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var until []time.Time
		l := newLease(ttl, func(t time.Time) { until = append(until, t) }, func() {})
		sent := time.Now()
		pass(time.Second)
		require.True(t, l.renew(sent))
		assert.Equal(t, []time.Time{sent.Add(ttl)}, until)
		require.True(t, l.renew(sent.Add(-1)))
		assert.Len(t, until, 1, "an older heartbeat changes nothing")
		l.end()
	})
}

func TestErrorsOfWhatRunsUnderALeaseComeBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, _ := newCountedLease()
		require.True(t, l.renew(time.Now()))
		boom := errors.New("boom")
		ok, err := l.during(0, func() error { return boom })
		assert.True(t, ok)
		assert.Equal(t, boom, err)
		l.end()
	})
}

func TestBackoffGrowsToTheInterval(t *testing.T) {
	t.Parallel()
	assert.Equal(t, time.Second, backoff(0, time.Second))
	assert.Equal(t, 50*time.Millisecond, backoff(1, time.Second))
	assert.Equal(t, 100*time.Millisecond, backoff(2, time.Second))
	assert.Equal(t, time.Second, backoff(6, time.Second))
	assert.Equal(t, time.Second, backoff(1_000_000, time.Second))
	assert.Equal(t, 10*time.Millisecond, backoff(1, 10*time.Millisecond))
}
