package control_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
)

// controller makes one that a test ticks by hand.
func (w *world) controller(cfg control.ControllerConfig) *control.Controller {
	w.t.Helper()
	cfg.Logger = slog.New(slog.DiscardHandler)
	c, err := control.NewController(w.plane, &cfg)
	require.NoError(w.t, err)
	return c
}

// tick looks once, which must go well, but for a step before that is not settled yet:
// then it looks again, as the controller would.
func (w *world) tick(c *control.Controller) {
	w.t.Helper()
	var err error
	require.Eventually(w.t, func() bool {
		var worked bool
		worked, err = c.Tick(w.t.Context())
		_, waits := errors.AsType[*control.StepError](err)
		return !waits && worked || err != nil && !waits
	}, time.Minute, 10*time.Millisecond)
	require.NoError(w.t, err)
}

// traffic is measured by a member and flushed: n calls of each side at shadow,
// of which some of the new side fail.
func (w *world) traffic(m *control.Member, tenant string, n, failed int) {
	w.t.Helper()
	require.NoError(w.t, m.Flush(context.Background())) // what follows began now
	for i := range n {
		call := repo.Called{Migration: name, Tenant: tenant, Stage: flags.Shadow, Side: flags.OldSide, Served: true, Took: time.Millisecond}
		m.Called(call)
		call.Side, call.Served, call.Failed = flags.NewSide, false, i < failed
		m.Called(call)
		m.Compared(name, tenant, repo.OutcomeMatched)
	}
	require.NoError(w.t, m.Flush(context.Background()))
}

func (w *world) guardrail(g ledger.Guardrail) int64 {
	w.t.Helper()
	g.CreatedBy = "ann"
	if g.Window == 0 {
		g.Window = 5 * time.Minute
	}
	if g.MinSample == 0 {
		g.MinSample = 50
	}
	id, err := w.store.AddGuardrail(context.Background(), name, g, "test")
	require.NoError(w.t, err)
	return id
}

func (w *world) load() *control.State {
	w.t.Helper()
	s, err := w.store.Load(context.Background(), name)
	require.NoError(w.t, err)
	return s
}

// newest returns the newest entry of the history of a kind.
func (w *world) newest(kind string) ledger.Entry {
	w.t.Helper()
	all, err := w.store.History(context.Background(), name, ledger.HistoryFilter{})
	require.NoError(w.t, err)
	for _, e := range all {
		if e.Kind == kind {
			return e
		}
	}
	w.t.Fatalf("the history has no entry of kind %q", kind)
	return ledger.Entry{}
}

func TestOneControllerAtATimeAndAnotherTakesOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.controller(control.ControllerConfig{Name: "first"}), w.controller(control.ControllerConfig{Name: "second"})
	w.tick(first)
	worked, err := second.Tick(t.Context())
	require.NoError(t, err)
	assert.False(t, worked)
	duties, err := w.store.Duties(t.Context())
	require.NoError(t, err)
	require.Len(t, duties, 1)
	assert.Equal(t, "first", duties[0].Holder)
	stale := duties[0].Duty

	w.exec(`update crossfade.controllers set expires_at = clock_timestamp()`)
	w.tick(second)
	worked, err = first.Tick(t.Context())
	require.NoError(t, err)
	assert.False(t, worked)

	// What the first one still wants to do, it may not.
	state := w.load()
	require.ErrorIs(t, w.store.Judge(t.Context(), stale, state.Migration, []ledger.Judgement{{Verdict: ledger.VerdictOK}}), ledger.ErrDutyLost)
	_, err = w.store.RequestJobOnDuty(t.Context(), stale, state.Migration, ledger.JobRequest{Kind: ledger.JobBackfill, Actor: "first"})
	require.ErrorIs(t, err, ledger.ErrDutyLost)
	_, err = w.store.Change(t.Context(), name, state.Migration.Epoch, func(s *ledger.State) (*ledger.Draft, error) {
		next := s.Current().Policy
		next.Default = flags.Dual
		return &ledger.Draft{Next: next, Duty: &stale}, nil
	})
	require.ErrorIs(t, err, ledger.ErrDutyLost)
	assert.Equal(t, flags.Old, w.inForce().Default)
}

func TestControllerThatStopsGivesItsDutyUpAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.controller(control.ControllerConfig{Lease: time.Hour}), w.controller(control.ControllerConfig{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- first.Run(ctx) }()
	eventually(t, func() bool {
		duties, err := w.store.Duties(t.Context())
		return err == nil && len(duties) == 1 && duties[0].Held
	}, "the first one has it")
	cancel()
	require.NoError(t, <-done)
	w.tick(second)
}

// Controllers whose lease is lost twenty times never take a step twice.
func TestTwoControllersAtOnceWalkARampOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ramp(`{"steps": [{"to": "dual", "percent": 10}, {"to": "dual", "percent": 20}, {"to": "dual", "percent": 30}, {"to": "dual"}]}`)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for range 3 {
		c := w.controller(control.ControllerConfig{Tick: time.Millisecond, Lease: time.Second})
		running.Go(func() { _ = c.Run(ctx) })
	}
	lost, last := 0, time.Now()
	eventually(t, func() bool {
		if lost < 20 && time.Since(last) > 50*time.Millisecond {
			w.exec(`update crossfade.controllers set expires_at = clock_timestamp()`)
			lost, last = lost+1, time.Now()
		}
		r, ok, err := w.store.LastRamp(t.Context(), w.migration)
		return err == nil && ok && r.State == ledger.RampDone
	}, "the ramp is done")
	cancel()
	running.Wait()
	history, err := w.store.History(t.Context(), name, ledger.HistoryFilter{})
	require.NoError(t, err)
	steps := 0
	for _, e := range history {
		if e.Kind == ledger.KindPercentage || e.Kind == ledger.KindDefault {
			steps++
		}
	}
	assert.Equal(t, 4, steps)
	assert.Equal(t, flags.Dual, w.inForce().Default)
}

func TestControllerSettlesWhatNobodyWaitsFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane = control.New(w.store, &control.Config{DrainTimeout: time.Millisecond})
	writer := w.fence(w.inForce(), "a")
	c := toDefault(flags.Dual)
	c.NoWait = true
	w.step(c)
	ticker := w.controller(control.ControllerConfig{})
	eventually(t, func() bool {
		w.tick(ticker)
		return len(w.load().Outstanding()) == 0
	}, "over several ticks, a transaction that takes too long is terminated")
	require.Error(t, writer.Commit(t.Context()))
}

func TestMeasurementsAreMergedAndForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.join(control.MemberConfig{})
	c := w.controller(control.ControllerConfig{})
	for range 3 {
		w.traffic(m, "acme", 10, 1)
	}
	w.guardrail(ledger.Guardrail{Measure: ledger.MeasureErrorRate, Action: ledger.ActionHold, Window: time.Hour, MinSample: 1})
	w.exec(`update crossfade.guardrails set since = now() - interval '1 day'`)
	w.climb(flags.Dual)
	w.exec(`update crossfade.measurements set began = now() - interval '11 minutes', at = now() - interval '10 minutes'`)
	count := func(where string) (n int) {
		require.NoError(t, w.pool.QueryRow(t.Context(), `select count(*) from crossfade.measurements where `+where).Scan(&n))
		return n
	}
	require.Equal(t, 3, count("true"))
	before, _, err := w.plane.Findings(t.Context(), name)
	require.NoError(t, err)
	assert.Contains(t, before[0].Numbers, "3 of 30 failed on the new side")
	w.tick(c)
	assert.Equal(t, 1, count("true"))
	after, _, err := w.plane.Findings(t.Context(), name)
	require.NoError(t, err)
	assert.Equal(t, before[0].Numbers, after[0].Numbers, "merging loses nothing")

	w.exec(`update crossfade.measurements set at = now() - interval '26 hours', began = now() - interval '26 hours'`)
	w.tick(c)
	assert.Equal(t, 1, count("content = '' and new_calls = 30"))
	w.exec(`update crossfade.measurements set at = now() - interval '31 days'`)
	w.tick(c)
	assert.Zero(t, count("true"))
}
