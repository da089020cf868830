package control_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// ramp starts a ramp of ann's.
func (w *world) ramp(text string) int64 {
	w.t.Helper()
	plan, err := control.ParseRampPlan([]byte(text))
	require.NoError(w.t, err)
	id, err := w.plane.StartRamp(context.Background(), name, plan, "ann", "test")
	require.NoError(w.t, err)
	return id
}

// place returns where the ramp stands.
func (w *world) place() ledger.Ramp {
	w.t.Helper()
	r, ok, err := w.store.LastRamp(context.Background(), w.migration)
	require.NoError(w.t, err)
	require.True(w.t, ok)
	return r
}

// clock is moved by hand.
type clock struct{ now time.Time }

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

func TestRampOverDays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.ramp(`{
		"steps": [
			{"to": "dual", "percent": 5, "hold": "1h"},
			{"to": "dual", "hold": "1h"},
			{"to": "shadow", "percent": 50, "hold": "24h", "min_samples": 100},
			{"to": "shadow", "approval": true}
		],
		"windows": [{"days": ["mon", "tue", "wed", "thu"], "from": "09:00", "to": "17:00"}], "zone": "UTC"
	}`)
	at := &clock{time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)} // a Monday
	fresh := func() *control.Controller {
		w.exec(`update crossfade.controllers set expires_at = clock_timestamp()`)
		return w.controller(control.ControllerConfig{Tick: 20 * time.Minute, Now: func() time.Time { return at.now }})
	}
	c := fresh()
	ticks := func(n int) {
		t.Helper()
		for range n {
			w.tick(c)
			at.pass(20 * time.Minute)
		}
	}
	ticks(3) // 08:00 to 08:40
	assert.Equal(t, flags.Old, w.inForce().Default)
	assert.Contains(t, w.place().WaitingFor, "its window, which opens at 2026-01-05T09:00:00Z")
	ticks(1)
	assert.Equal(t, flags.Step{To: flags.Dual, Share: 500}, w.inForce().Step)
	assert.Equal(t, "ramp 1 of ann, step 1 of 4", w.newest(ledger.KindPercentage).Reason)
	ticks(3)
	assert.Equal(t, 40*time.Minute, w.place().Held, "from when it was settled")

	// The controllers are down for two days. The hold goes on, and only then the next step is taken.
	at.pass(48 * time.Hour) // Wednesday
	c = fresh()
	ticks(1)
	assert.Equal(t, 40*time.Minute, w.place().Held)
	assert.Equal(t, flags.Old, w.inForce().Default)
	ticks(2)
	assert.Equal(t, flags.Dual, w.inForce().Default)
	assert.Equal(t, 1, w.place().Step)

	// What blocks the next step is asked for, once.
	ticks(6)
	r := w.place()
	assert.Equal(t, 2, r.Step)
	assert.Contains(t, r.WaitingFor, "backfill 1 is requested")
	jobs, err := w.store.JobsOf(t.Context(), name, 10)
	require.NoError(t, err)
	require.Len(t, jobs, 1)
	assert.Equal(t, ledger.JobBackfill, jobs[0].Kind)
	assert.Empty(t, jobs[0].Tenants, "of everybody")
	w.exec(`update crossfade.jobs set state = 'failed', error = 'no room'`)
	ticks(2)
	assert.Contains(t, w.place().WaitingFor, "a person: backfill 1 is failed (no room)")
	w.exec(`update crossfade.jobs set state = 'done'; update crossfade.tenant_states set backfilled_at = now()`)
	ticks(1)
	jobs, err = w.store.JobsOf(t.Context(), name, 10)
	require.NoError(t, err)
	require.Len(t, jobs, 2)
	assert.Equal(t, ledger.JobVerify, jobs[0].Kind)
	w.backfilled()
	w.exec(`update crossfade.jobs set state = 'done'`)
	ticks(2)
	assert.Equal(t, flags.Step{To: flags.Shadow, Share: 5000}, w.inForce().Step)

	// Samples are those since the step settled.
	w.exec(`insert into crossfade.measurements (migration_id, process_id, number, began, at, new_calls, content)
		select id, gen_random_uuid(), 1, now() - interval '1 hour', now(), 99999, '' from crossfade.migrations`)
	ticks(80) // more than a day
	assert.Equal(t, "samples: 0 of 100 calls of the new side", w.place().WaitingFor)
	w.traffic(w.join(control.MemberConfig{}), "acme", 100, 0)
	at.now = time.Date(2026, 1, 8, 10, 0, 0, 0, time.UTC)
	ticks(2)
	assert.Contains(t, w.place().WaitingFor, "an approval by another person than ann")
	step := w.place().Step
	require.ErrorContains(t, w.store.ApproveRampStep(t.Context(), name, id, step, flags.Shadow, " ANN", ""), "another person approves it")
	ticks(1)
	assert.NotZero(t, w.inForce().Step.Share)
	require.NoError(t, w.store.ApproveRampStep(t.Context(), name, id, step, flags.Shadow, "ben", "looks good"))
	for w.place().State != ledger.RampDone { // the member takes its time to acknowledge
		require.True(t, w.place().Open())
		ticks(1)
	}
	assert.Equal(t, flags.Shadow, w.inForce().Default)
	assert.Equal(t, "ramp 1 is done", w.newest(ledger.KindRamp).To)
}

func TestRampIsPausedResumedAndAborted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ramp(`{"steps": [{"to": "dual", "percent": 5}, {"to": "dual"}]}`)
	c := w.controller(control.ControllerConfig{})
	w.tick(c)
	_, err := w.store.SetRampState(t.Context(), name, ledger.RampPaused, "ben", "lunch")
	require.NoError(t, err)
	for range 4 {
		w.tick(c)
	}
	assert.Equal(t, flags.Old, w.inForce().Default)
	_, err = w.store.SetRampState(t.Context(), name, ledger.RampPaused, "ben", "")
	require.ErrorContains(t, err, "cannot pause the ramp: it is paused")
	plan, err := control.ParseRampPlan([]byte(`{"steps": [{"to": "dual"}]}`))
	require.NoError(t, err)
	_, err = w.plane.StartRamp(t.Context(), name, plan, "ben", "")
	var open *ledger.RampOpenError
	require.ErrorAs(t, err, &open)
	_, err = w.store.SetRampState(t.Context(), name, ledger.RampRunning, "ben", "")
	require.NoError(t, err)
	w.tick(c)
	_, err = w.store.SetRampState(t.Context(), name, ledger.RampAborted, "ben", "enough")
	require.NoError(t, err)
	w.tick(c)
	w.tick(c)
	assert.Equal(t, flags.Old, w.inForce().Default)
	_, err = w.store.SetRampState(t.Context(), name, ledger.RampAborted, "ben", "")
	require.ErrorContains(t, err, "there is no ramp to abort")
}

func TestRampStopsWhenAGuardrailTakesItsStepBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Shadow)
	w.ramp(`{"steps": [{"to": "live", "percent": 5, "hold": "1h"}, {"to": "live"}]}`)
	m, c := w.join(control.MemberConfig{}), w.controller(control.ControllerConfig{})
	w.tick(c)
	require.NotZero(t, w.inForce().Step.Share)
	w.guardrail(ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.05, Action: ledger.ActionEverybodyDown})
	w.traffic(m, "acme", 100, 20)
	w.tick(c)
	assert.Zero(t, w.inForce().Step.Share)
	assert.Equal(t, ledger.RampPaused, w.place().State)
	assert.Contains(t, w.place().WaitingFor, "the policy is not as the ramp left it (shadow)")
	_, err := w.store.SetRampState(t.Context(), name, ledger.RampRunning, "ann", "")
	require.NoError(t, err)
	w.tick(c)
	assert.Contains(t, w.place().WaitingFor, "is inconclusive", "and does not go up again while the guardrail holds")
	assert.Zero(t, w.inForce().Step.Share)
}

func TestFreezeHoldsARamp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ramp(`{"steps": [{"to": "dual"}]}`)
	c := w.controller(control.ControllerConfig{})
	_, err := w.store.AddFreeze(t.Context(), ledger.Freeze{Migration: name, Actor: "ben", Reason: "sale"})
	require.NoError(t, err)
	w.tick(c)
	assert.Contains(t, w.place().WaitingFor, "frozen by ben: sale")
	assert.Equal(t, flags.Old, w.inForce().Default)
	_, err = w.store.EndFreezes(t.Context(), name, "ben", "")
	require.NoError(t, err)
	w.tick(c)
	assert.Equal(t, flags.Dual, w.inForce().Default)
}
