package control

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

const aPlan = `{"steps": [
	{"to": "dual", "percent": 5, "hold": "1h"},
	{"to": "dual", "hold": "2h", "min_samples": 1000},
	{"to": "shadow", "tenants": ["acme"], "approval": true},
	{"to": "shadow", "percent": "12.5%", "hold": "30m", "approval": true}
]}`

func plan(t require.TestingT, text string) RampPlan {
	p, err := ParseRampPlan([]byte(text))
	require.NoError(t, err)
	return p
}

func TestPlansThatCannotBeWalkedAreRefused(t *testing.T) {
	t.Parallel()
	p := plan(t, aPlan)
	require.NoError(t, p.Validate(flags.Policy{Migration: "m", Default: flags.Old}))
	for text, problem := range map[string]string{
		`{}`:                              "no steps",
		`{"steps": [{"to": "sideways"}]}`: "sideways",
		`{"steps": [{"to": "old"}]}`:      "above old",
		`{"steps": [{"to": "dual", "holds": "1h"}]}`:                                                     "unknown field",
		`{"steps": [{"to": "dual", "hold": 3600}]}`:                                                      "a time is a text",
		`{"steps": [{"to": "dual", "percent": 0}]}`:                                                      "moves nobody",
		`{"steps": [{"to": "dual", "percent": 101}]}`:                                                    "101",
		`{"steps": [{"to": "dual", "percent": 5, "of": "requests"}]}`:                                    "requests",
		`{"steps": [{"to": "dual", "percent": 5, "tenants": ["a"]}]}`:                                    "do not go together",
		`{"steps": [{"to": "dual", "hold": "-1h"}]}`:                                                     "not be negative",
		`{"steps": [{"to": "dual"}], "zone": "Mars/Olympus"}`:                                            "Mars/Olympus",
		`{"steps": [{"to": "dual"}], "windows": [{"from": "9 am", "to": "17:00"}]}`:                      "9 am",
		`{"steps": [{"to": "dual"}], "windows": [{"from": "17:00", "to": "09:00"}]}`:                     "ends before it begins",
		`{"steps": [{"to": "dual"}], "windows": [{"days": ["monday"], "from": "09:00", "to": "10:00"}]}`: "monday",
	} {
		_, err := ParseRampPlan([]byte(text))
		var bad *RampError
		require.ErrorAs(t, err, &bad, text)
		assert.ErrorContains(t, err, problem)
	}
	for _, c := range []struct {
		text    string
		from    flags.Policy
		problem string
	}{
		{`{"steps": [{"to": "shadow"}]}`, flags.Policy{Default: flags.Old}, "further than to an adjacent rung"},
		{`{"steps": [{"to": "dual", "percent": 5}, {"to": "shadow"}]}`, flags.Policy{Default: flags.Old}, "step 2"},
		{`{"steps": [{"to": "dual", "percent": 50}, {"to": "dual", "percent": 5}]}`, flags.Policy{Default: flags.Old}, "a ramp only goes up"},
		{`{"steps": [{"to": "dual"}]}`, flags.Policy{Default: flags.Shadow}, "a ramp only goes up"},
		{`{"steps": [{"to": "dual", "tenants": ["acme"]}]}`, flags.Policy{Default: flags.Old, Overrides: map[string]flags.Stage{"acme": flags.Shadow}}, "stands at shadow already"},
		{`{"steps": [{"to": "dual", "percent": 5, "of": "keys"}]}`, flags.Policy{Default: flags.Old}, "keys"},
	} {
		c.from.Migration = "m"
		assert.ErrorContains(t, plan(t, c.text).Validate(c.from), c.problem, c.text)
	}
}

func TestWindowsOpenAndClose(t *testing.T) {
	t.Parallel()
	p := plan(t, `{"steps": [{"to": "dual"}], "zone": "Europe/Berlin",
		"windows": [{"days": ["mon", "tue", "wed", "thu"], "from": "09:00", "to": "16:30"}, {"days": ["fri"], "from": "09:00", "to": "12:00"}]}`)
	for at, opens := range map[string]string{
		"2026-01-05T08:30:00Z": "2026-01-05T08:30:00Z", // Monday, half past nine in Berlin
		"2026-01-05T07:59:59Z": "2026-01-05T08:00:00Z",
		"2026-01-05T15:30:00Z": "2026-01-06T08:00:00Z", // the end is not in it
		"2026-01-09T11:00:00Z": "2026-01-12T08:00:00Z", // Friday noon: over the weekend
		"2026-03-27T20:00:00Z": "2026-03-30T07:00:00Z", // summer time begins in between
	} {
		when, err := time.Parse(time.RFC3339, at)
		require.NoError(t, err)
		assert.Equal(t, opens, p.opens(when).UTC().Format(time.RFC3339), at)
	}
	always := plan(t, `{"steps": [{"to": "dual"}]}`)
	now := time.Now()
	assert.Equal(t, now, always.opens(now))
}

// walker walks a plan without a ledger: a refused step is left out, a taken one
// is settled at once.
type walker struct {
	look rampLook
	took []int // the steps taken, in order
}

func newWalker(t require.TestingT, text string) *walker {
	w := &walker{}
	w.look.plan = plan(t, text)
	w.look.ramp = ledger.Ramp{ID: 3, Author: "ann", RampPlace: ledger.RampPlace{State: ledger.RampRunning, Phase: ledger.RampDue}}
	w.look.policy = flags.Policy{Migration: "m", Default: flags.Old}
	w.look.now = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	w.look.tick, w.look.settled = time.Minute, true
	return w
}

// tick lets time pass, and looks.
func (w *walker) tick(t require.TestingT, passes time.Duration) rampMove {
	w.look.now = w.look.now.Add(passes)
	if w.look.ramp.State != ledger.RampRunning {
		return rampMove{place: w.look.ramp.RampPlace}
	}
	m := w.look.next()
	if m.take {
		c := w.look.plan.Steps[m.place.Step].change("m")
		next, _, err := c.next(w.look.policy)
		require.NoError(t, err)
		w.look.policy = next
		w.took = append(w.took, m.place.Step)
	}
	w.look.ramp.RampPlace = m.place
	return m
}

func TestRampHoldsOnlyWhileSomebodyLooks(t *testing.T) {
	t.Parallel()
	w := newWalker(t, aPlan)
	w.tick(t, 0)
	assert.Equal(t, []int{0}, w.took)
	w.tick(t, time.Minute) // settled: the hold begins
	for range 59 {
		w.tick(t, time.Minute)
	}
	assert.Equal(t, 59*time.Minute, w.look.ramp.Held)
	w.tick(t, 24*time.Hour) // nobody looked on for a day
	assert.Equal(t, 59*time.Minute, w.look.ramp.Held)
	assert.Equal(t, "1m0s more of its hold of 1h0m0s", w.look.ramp.WaitingFor)
	m := w.tick(t, time.Minute)
	assert.Equal(t, ledger.RampDue, m.place.Phase, "the hold ends in one tick, the next step is taken in another")
	assert.Equal(t, []int{0}, w.took)
	w.tick(t, time.Minute)
	assert.Equal(t, []int{0, 1}, w.took)
}

func TestRampWaitsForSamplesAndForAnotherPerson(t *testing.T) {
	t.Parallel()
	w := newWalker(t, aPlan)
	w.look.policy.Default = flags.Dual
	w.look.ramp.RampPlace = ledger.RampPlace{State: ledger.RampRunning, Step: 1, Phase: ledger.RampHolding, Held: 2 * time.Hour, TickedAt: &w.look.now}
	w.look.samples = 999
	assert.Equal(t, "samples: 999 of 1000 calls of the new side", w.tick(t, time.Minute).place.WaitingFor)
	w.look.samples = 1000
	w.tick(t, time.Minute)
	assert.Contains(t, w.tick(t, time.Minute).place.WaitingFor, "an approval by another person than ann")
	for _, a := range []ledger.Approval{
		{Ramp: 3, Step: 2, Actor: "ANN"}, {Ramp: 3, Step: 2, Actor: "ann@bastion"}, {Ramp: 3, Step: 3, Actor: "ben"}, {Ramp: 2, Step: 2, Actor: "ben"}, {Step: 2, Actor: "ben"},
	} {
		w.look.approvals = []ledger.Approval{a}
		assert.False(t, w.tick(t, time.Minute).take)
	}
	w.look.approvals = append(w.look.approvals, ledger.Approval{Ramp: 3, Step: 2, Actor: "ben"})
	assert.True(t, w.tick(t, time.Minute).take)
}

func TestRampStepThatSomebodyTookByHandStillNeedsItsApproval(t *testing.T) {
	t.Parallel()
	w := newWalker(t, `{"steps": [{"to": "dual", "hold": "2m", "min_samples": 10, "approval": true}, {"to": "shadow"}],
		"windows": [{"from": "10:00", "to": "11:00"}]}`)
	w.look.policy.Default = flags.Dual // by hand, before the window
	w.look.samples = 1000
	for range 10 {
		m := w.tick(t, time.Minute)
		assert.Contains(t, m.place.WaitingFor, "step 1 stands already, but needs an approval by another person than ann: `crossfade ramp approve m`")
		assert.Equal(t, ledger.RampDue, m.place.Phase)
		assert.False(t, m.take || m.settle)
		assert.Zero(t, m.place.Held, "the hold begins with the approval")
		assert.Nil(t, m.place.TakenAt)
	}
	w.look.approvals = []ledger.Approval{{Ramp: 3, Step: 0, Actor: "ann@bastion"}}
	assert.Equal(t, ledger.RampDue, w.tick(t, time.Minute).place.Phase)
	w.look.approvals = []ledger.Approval{{Ramp: 3, Step: 0, Actor: "ben"}}
	m := w.tick(t, time.Minute)
	assert.Equal(t, ledger.RampSettling, m.place.Phase, "outside of the window, as nothing is taken any more")
	assert.False(t, m.take)
	m = w.tick(t, time.Minute)
	assert.True(t, m.settle, "samples count from here on")
	assert.Contains(t, w.tick(t, time.Minute).place.WaitingFor, "1m0s more of its hold")
	assert.Equal(t, 1, w.tick(t, time.Minute).place.Step)
	assert.Empty(t, w.took)
}

func TestRampPausesWhenThePolicyIsNotItsOwn(t *testing.T) {
	t.Parallel()
	w := newWalker(t, aPlan)
	w.tick(t, 0)
	w.tick(t, time.Minute)
	w.look.policy.Step = flags.Step{} // a guardrail took it back
	m := w.tick(t, time.Minute)
	assert.Equal(t, ledger.RampPaused, m.place.State)
	assert.Contains(t, m.place.WaitingFor, "the policy is not as the ramp left it (old)")
	w.look.ramp.State = ledger.RampRunning
	w.tick(t, time.Minute)
	assert.Equal(t, []int{0, 0}, w.took, "resumed, it takes the step again and holds it again")
	assert.Zero(t, w.look.ramp.Held)

	w = newWalker(t, `{"steps": [{"to": "dual", "percent": 1}, {"to": "dual", "percent": 10}, {"to": "dual", "percent": 50}, {"to": "dual"}]}`)
	for range 12 {
		w.tick(t, time.Minute)
	}
	assert.Equal(t, []int{0, 1, 2, 3}, w.took)
	w = newWalker(t, `{"steps": [{"to": "dual", "percent": 1}, {"to": "dual", "percent": 10}, {"to": "dual", "percent": 50}, {"to": "dual"}]}`)
	for range 8 {
		w.tick(t, time.Minute)
	}
	require.Equal(t, []int{0, 1, 2}, w.took)
	w.look.policy.Step.Share = 100
	assert.Equal(t, 1, w.tick(t, time.Minute).place.Step, "it goes back to what stands, and skips nothing")
}

func TestRampWaitsForItsWindow(t *testing.T) {
	t.Parallel()
	w := newWalker(t, `{"steps": [{"to": "dual"}], "windows": [{"from": "10:00", "to": "11:00"}]}`)
	assert.Equal(t, "its window, which opens at 2026-01-05T10:00:00Z", w.tick(t, 0).place.WaitingFor)
	assert.True(t, w.tick(t, 2*time.Hour).take)
}

func TestRampETA(t *testing.T) {
	t.Parallel()
	w := newWalker(t, `{"steps": [{"to": "dual", "percent": 5, "hold": "1h"}, {"to": "dual", "hold": "2h"}], "windows": [{"from": "10:00", "to": "11:00"}]}`)
	next, done, ok := RampETA(w.look.plan, w.look.ramp, w.look.now)
	require.True(t, ok)
	assert.Equal(t, "10:00", next.Format("15:04"))
	assert.Equal(t, "2026-01-06 12:00", done.Format("2006-01-02 15:04"), "the hold ends after the window, so that the next step waits a day")
	w.look.ramp.State = ledger.RampPaused
	_, _, ok = RampETA(w.look.plan, w.look.ramp, w.look.now)
	assert.False(t, ok)
}

// The rule: whatever happens between two looks, no step is taken before the one
// before it was held, measured and approved, and never two at once.
func TestRampNeverSkipsAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWalker(t, aPlan)
		watched := map[int]time.Duration{} // time between looks that are not far apart, while a step stood
		var last time.Time
		for range rapid.IntRange(1, 400).Draw(t, "ticks") {
			passes := rapid.SampledFrom([]time.Duration{0, time.Minute, time.Minute, 2 * time.Minute, 5 * time.Hour}).Draw(t, "passes")
			w.look.samples = rapid.SampledFrom([]int64{0, 999, 1000}).Draw(t, "samples")
			w.look.settled = rapid.Bool().Draw(t, "settled")
			w.look.approvals = nil
			if rapid.Bool().Draw(t, "approved") {
				w.look.approvals = []ledger.Approval{{Ramp: 3, Step: rapid.IntRange(0, 3).Draw(t, "of"), Actor: "ben"}}
			}
			before, took := w.look.ramp.RampPlace, len(w.took)
			if before.Phase == ledger.RampDue && before.State == ledger.RampRunning && rapid.IntRange(0, 9).Draw(t, "by hand") == 0 {
				c := w.look.plan.Steps[before.Step].change("m")
				next, _, err := c.next(w.look.policy)
				require.NoError(t, err)
				w.look.policy = next
			}
			m := w.tick(t, passes)
			if before.Phase == ledger.RampDue && m.place.Phase == ledger.RampSettling && w.look.plan.Steps[before.Step].Approval {
				require.NotEmpty(t, w.look.approvals, "whoever took it")
				require.Equal(t, before.Step, w.look.approvals[0].Step)
			}
			if passes <= observedGap*time.Minute && before.Phase == ledger.RampHolding && !last.IsZero() {
				watched[before.Step] += passes
			}
			last = w.look.now
			require.LessOrEqual(t, len(w.took), took+1)
			if m.place.Step > before.Step {
				step := w.look.plan.Steps[before.Step]
				require.Equal(t, ledger.RampHolding, before.Phase)
				require.GreaterOrEqual(t, watched[before.Step], time.Duration(step.Hold))
				require.GreaterOrEqual(t, w.look.samples, step.MinSamples)
				require.Len(t, w.took, took, "not in the tick that takes one")
			}
			if m.take && w.look.plan.Steps[m.place.Step].Approval {
				require.Equal(t, m.place.Step, w.look.approvals[0].Step)
			}
		}
	})
}
