package repo_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
)

// gauge notes what a meter is told.
type gauge struct {
	mu       sync.Mutex
	calls    []repo.Called
	outcomes []repo.Outcome
}

func (g *gauge) Called(c repo.Called) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.Took < 0 {
		panic("a call took less than nothing")
	}
	c.Took = 0
	g.calls = append(g.calls, c)
}

func (g *gauge) Compared(_, _ string, o repo.Outcome) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.outcomes = append(g.outcomes, o)
}

func (g *gauge) take() []repo.Called {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.calls
	g.calls = nil
	return all
}

// metered is the bench with a meter.
func metered(t testing.TB, stage flags.Stage, meter repo.Meter) *bench {
	t.Helper()
	b := newBench(t, stage, nil)
	route, err := repo.NewRoute(repo.Config[*things]{
		Migration: b.routed.route.Migration(), Flag: b.routed.route.Flag(), Backend: b.routed.route.Backend(), Copier: copier,
		Comparer: b.comparer, Meter: meter,
	})
	require.NoError(t, err)
	b.routed = routed{route}
	return b
}

func TestMeterIsToldOfEveryCallOfASide(t *testing.T) {
	t.Parallel()
	call := func(stage flags.Stage, side flags.Side, write, served, failed bool) repo.Called {
		return repo.Called{Migration: "things-v2", Tenant: "acme", Stage: stage, Side: side, Write: write, Served: served, Failed: failed}
	}
	fails := func(context.Context, string, []string) error { return errBoom }
	for _, c := range []struct {
		promise string
		stage   flags.Stage
		old     func(context.Context, string, []string) error
		new     func(context.Context, string, []string) error
		do      func(b *bench)
		want    []repo.Called
	}{
		{
			"a read at old is one call", flags.Old, nil, nil, func(b *bench) { _, _ = b.routed.Get(t.Context(), "a") },
			[]repo.Called{call(flags.Old, flags.OldSide, false, true, false)},
		},
		{
			"not found is no failure", flags.New, nil, nil, func(b *bench) { _, _ = b.routed.Get(t.Context(), "none") },
			[]repo.Called{call(flags.New, flags.NewSide, false, true, false)},
		},
		{
			"a read at shadow is compared", flags.Shadow, nil, nil, func(b *bench) { _, _ = b.routed.Get(t.Context(), "a") },
			[]repo.Called{call(flags.Shadow, flags.OldSide, false, true, false), call(flags.Shadow, flags.NewSide, false, false, false)},
		},
		{
			"the candidate's failure is its own", flags.Shadow, nil, fails, func(b *bench) { _, _ = b.routed.Get(t.Context(), "a") },
			[]repo.Called{call(flags.Shadow, flags.OldSide, false, true, false), call(flags.Shadow, flags.NewSide, false, false, true)},
		},
		{
			"a failure of the authority is seen", flags.Live, nil, fails, func(b *bench) { _, _ = b.routed.Get(t.Context(), "a") },
			[]repo.Called{call(flags.Live, flags.NewSide, false, true, true)},
		},
		{
			"a write at dual calls both sides", flags.Dual, nil, nil, func(b *bench) { _ = b.routed.Put(t.Context(), "a", nil) },
			[]repo.Called{call(flags.Dual, flags.OldSide, true, true, false), call(flags.Dual, flags.NewSide, true, false, false)},
		},
		{
			"a lenient failure of the new side is seen", flags.Dual, nil, fails, func(b *bench) { _ = b.routed.Put(t.Context(), "a", nil) },
			[]repo.Called{call(flags.Dual, flags.OldSide, true, true, false), call(flags.Dual, flags.NewSide, true, false, true)},
		},
		{
			"a strict failure is blamed on the side that erred", flags.Live, fails, nil, func(b *bench) { _ = b.routed.Put(t.Context(), "a", nil) },
			[]repo.Called{call(flags.Live, flags.NewSide, true, true, false), call(flags.Live, flags.OldSide, true, false, true)},
		},
		{"who gives up blames nobody", flags.Old, func(ctx context.Context, _ string, _ []string) error { return ctx.Err() }, nil, func(b *bench) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_ = b.routed.Put(ctx, "a", nil)
		}, []repo.Called{call(flags.Old, flags.OldSide, true, true, false)}},
	} {
		t.Run(c.promise, func(t *testing.T) {
			t.Parallel()
			var g gauge
			b := metered(t, c.stage, &g)
			require.NoError(t, b.old.Put(t.Context(), "a", []string{"x"}))
			require.NoError(t, b.new.Put(t.Context(), "a", []string{"x"}))
			b.old.on(c.old)
			b.new.on(c.new)
			c.do(b)
			require.NoError(t, b.comparer.Shutdown(context.Background()))
			got := g.take()
			require.GreaterOrEqual(t, len(got), len(c.want))
			assert.Equal(t, c.want, got[:len(c.want)])
			for _, more := range got[len(c.want):] {
				assert.False(t, more.Served, "what comes later only compares")
			}
		})
	}
}

func TestMeterIsToldWhatBecameOfComparisons(t *testing.T) {
	t.Parallel()
	var g gauge
	b := metered(t, flags.Shadow, &g)
	require.NoError(t, b.old.Put(t.Context(), "a", []string{"x"}))
	require.NoError(t, b.old.Put(t.Context(), "b", []string{"x"}))
	require.NoError(t, b.new.Put(t.Context(), "b", []string{"x"}))
	_, err := b.routed.Get(t.Context(), "a")
	require.NoError(t, err)
	_, err = b.routed.Get(t.Context(), "b")
	require.NoError(t, err)
	require.NoError(t, b.comparer.Shutdown(context.Background()))
	_, err = b.routed.Get(t.Context(), "b")
	require.NoError(t, err)
	assert.ElementsMatch(t, []repo.Outcome{repo.OutcomeMismatched, repo.OutcomeMatched, repo.OutcomeDropped}, g.outcomes)
}

// nothing is a meter for counting allocations.
type nothing struct{ total time.Duration }

func (n *nothing) Called(c repo.Called)                  { n.total += c.Took }
func (n *nothing) Compared(string, string, repo.Outcome) {}

func TestMeterCostsNoAllocation(t *testing.T) { //nolint:paralleltest // AllocsPerRun must run alone
	count := func(meter repo.Meter) float64 {
		b := metered(t, flags.Old, meter)
		return testing.AllocsPerRun(200, func() { _, _ = b.routed.Get(t.Context(), "none") })
	}
	assert.InDelta(t, count(nil), count(&nothing{}), 0)
}
