package control

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
)

func aCall(tenant string, side flags.Side, write, served, failed bool) repo.Called {
	return repo.Called{Migration: "m", Tenant: tenant, Side: side, Write: write, Served: served, Failed: failed, Took: time.Millisecond}
}

// ledgerOfFlushes keeps each flush once, by its number, as the ledger does.
type ledgerOfFlushes struct {
	fail error // what the sender is told
	lose bool  // whether a flush that fails does not arrive either
	have map[int64]ledger.Flush
}

func (l *ledgerOfFlushes) send(_ context.Context, f ledger.Flush) error {
	if l.fail == nil || !l.lose {
		if _, ok := l.have[f.Number]; !ok {
			l.have[f.Number] = f
		}
	}
	return l.fail
}

func (l *ledgerOfFlushes) sum(t require.TestingT) *Measurements {
	var all Measurements
	for _, f := range l.have {
		for _, part := range f.Of {
			var m Measurements
			require.NoError(t, m.decode(part.Content))
			assert.Equal(t, m.NewCalls(), part.NewCalls)
			all.Merge(&m)
		}
	}
	return &all
}

func TestFlushesAreNeitherLostNorCountedTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newMeter(time.Now())
		l := &ledgerOfFlushes{have: map[int64]ledger.Flush{}}
		calls := int64(0)
		for range rapid.IntRange(1, 20).Draw(t, "flushes") {
			for range rapid.IntRange(0, 3).Draw(t, "calls") {
				m.called(aCall("acme", flags.NewSide, false, true, false))
				calls++
			}
			l.fail, l.lose = nil, rapid.Bool().Draw(t, "lost")
			if rapid.Bool().Draw(t, "fails") {
				l.fail = errors.New("no answer")
			}
			_ = m.flush(context.Background(), [16]byte{1}, l.send)
		}
		l.fail = nil
		require.NoError(t, m.flush(context.Background(), [16]byte{1}, l.send))
		sum := l.sum(t)
		assert.Equal(t, calls, sum.NewCalls())
		if calls > 0 {
			assert.Equal(t, calls, sum.Tenants["acme"].Calls[flags.NewSide][Served][Reads])
			assert.InEpsilon(t, time.Millisecond, sum.Calls[flags.NewSide][Served][Reads].Quantile(0.5), 0.0201)
		}
	})
}

func TestMeasuredCallsAreToldApart(t *testing.T) {
	t.Parallel()
	m := newMeter(time.Now())
	m.called(aCall("acme", flags.OldSide, false, true, false))
	m.called(aCall("acme", flags.NewSide, false, false, true))
	m.called(aCall("initech", flags.NewSide, true, false, false))
	for _, o := range []repo.Outcome{
		repo.OutcomeMatched, repo.OutcomeMismatched, repo.OutcomeMismatched, repo.OutcomeIgnored, repo.OutcomeInconclusive, repo.OutcomeDropped,
	} {
		m.of("m").compared("acme", o)
	}
	got := m.of("m").take()
	assert.EqualValues(t, 1, got.Calls[flags.OldSide][Served][Reads].Calls)
	assert.EqualValues(t, 1, got.Calls[flags.NewSide][Compared][Reads].Failed)
	assert.EqualValues(t, 1, got.Calls[flags.NewSide][Compared][Writes].Calls)
	want := Comparisons{Matched: 1, Mismatched: 2, Ignored: 1, Inconclusive: 1, Dropped: 1}
	assert.Equal(t, want, got.Comparisons)
	assert.Equal(t, want, got.Tenants["acme"].Comparisons)
	assert.EqualValues(t, 1, got.Tenants["acme"].Failed[flags.NewSide][Compared][Reads])
	assert.EqualValues(t, 1, got.Tenants["initech"].Calls[flags.NewSide][Compared][Writes])
	assert.True(t, m.of("m").take().empty(), "what was taken is gone")
}

func TestCallsOfManyGoroutinesAreAllCounted(t *testing.T) {
	t.Parallel()
	m := newMeter(time.Now())
	part := (&Member{meter: m}).MeterOf("m")
	const callers, each = 8, 5*32 + 7 // what is left over is counted as well
	var sum Measurements
	var running sync.WaitGroup
	for range callers {
		running.Go(func() {
			for i := range each {
				part.Called(aCall("acme", flags.NewSide, false, true, i%2 == 0))
			}
		})
	}
	for range 20 {
		sum.Merge(m.of("m").take())
	}
	running.Wait()
	sum.Merge(m.of("m").take())
	series := sum.Calls[flags.NewSide][Served][Reads]
	assert.EqualValues(t, callers*each, series.Calls)
	assert.EqualValues(t, callers*(each+1)/2, series.Failed)
	assert.EqualValues(t, callers*each, series.Latency.Count())
	assert.EqualValues(t, callers*each, sum.Tenants["acme"].Calls[flags.NewSide][Served][Reads])
}

func TestOnlyTheBusiestTenantsAreKeptByName(t *testing.T) {
	t.Parallel()
	m := newMeter(time.Now())
	const tenants = collected + 100
	for i := range tenants {
		m.called(aCall(fmt.Sprintf("t%d", i), flags.NewSide, false, true, false))
	}
	for range 5 {
		m.called(aCall("t7", flags.NewSide, false, true, false))
	}
	got := m.of("m").take()
	assert.Len(t, got.Tenants, maxTenants)
	assert.EqualValues(t, 6, got.Tenants["t7"].Calls[flags.NewSide][Served][Reads])
	sum := int64(0)
	for _, tenant := range got.Tenants {
		sum += tenant.Calls[flags.NewSide][Served][Reads]
	}
	assert.EqualValues(t, tenants+5, sum, "the rest is summed up")
	for range forgetAfter {
		m.of("m").take()
	}
	assert.Len(t, m.of("m").tenants, 1, "idle tenants are forgotten")
}

func TestMeasuringACallAllocatesNothing(t *testing.T) { //nolint:paralleltest // AllocsPerRun must run alone
	m := newMeter(time.Now())
	c := aCall("acme", flags.NewSide, true, true, true)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		m.called(c)
		m.of("m").compared("acme", repo.OutcomeMatched)
	}))
}

// drawn makes measurements of a few tenants.
func drawn(t *rapid.T) *Measurements {
	m := newMeter(time.Now())
	m.of("m")
	for range rapid.IntRange(0, 20).Draw(t, "calls") {
		c := aCall(rapid.SampledFrom([]string{"", "acme", "initech"}).Draw(t, "tenant"), flags.Side(rapid.IntRange(0, 1).Draw(t, "side")),
			rapid.Bool().Draw(t, "write"), rapid.Bool().Draw(t, "served"), rapid.Bool().Draw(t, "failed"))
		c.Took = time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "took"))
		m.called(c)
		m.of("m").compared(c.Tenant, repo.Outcome(rapid.IntRange(1, 5).Draw(t, "outcome")))
	}
	return m.of("m").take()
}

func sumOf(all ...*Measurements) *Measurements {
	var sum Measurements
	for _, m := range all {
		sum.Merge(m)
	}
	return &sum
}

func TestMeasurementsMergeInAnyOrderAndSurviveTheLedger(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawn(t), drawn(t), drawn(t)
		assert.Equal(t, sumOf(a, b, c), sumOf(c, sumOf(b, a)))
		content, err := a.encode()
		require.NoError(t, err)
		back := drawn(t) // what it held before is gone
		require.NoError(t, back.decode(content))
		assert.Equal(t, a, back)
		for i := range content {
			require.Error(t, back.decode(content[:i]))
		}
		content[0]++
		require.ErrorContains(t, back.decode(content), "not known to this program")
	})
}
