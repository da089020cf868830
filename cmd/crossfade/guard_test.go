package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/versions"
)

// tick has a controller look once.
func (w *world) tick() {
	w.t.Helper()
	c, err := control.NewController(w.plane, nil)
	require.NoError(w.t, err)
	w.exec(`update crossfade.controllers set expires_at = clock_timestamp()`)
	_, err = c.Tick(context.Background())
	require.NoError(w.t, err)
}

// file writes a file and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestGuardrailsOnTheCommandLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ok("guardrail", "list", name).says("no guardrails")
	w.ok("guardrail", "add", name, "error-rate", "--above", "1%", "--dry-run").says("would be done, nothing was changed", "guardrail added: error-rate above 1%, over 5m0s: hold")
	w.ok("guardrail", "list", name).says("no guardrails")
	w.ok("guardrail", "add", name, "error-rate", "--above", "1%", "--do", "step-everybody-down", "--reason", "canary")
	w.ok("guardrail", "add", name, "latency-p99", "--above", "1.5", "--window", "10m", "--min-sample", "1000")
	w.ok("guardrail", "add", name, "stale-age", "--above", "10m", "--do", "webhook", "--url", "https://hooks.example.com/x", "--secret-env", "HOOK")
	w.ok("guardrail", "list", name).says("error-rate    above 1%", "latency-p99   above 1.5x", "not judged yet", "step-everybody-down", "of at least 1000")
	for _, wrong := range [][]string{
		{"error-rate"},
		{"error-rate", "--above", "0.01"},
		{"latency-p99", "--above", "fast"},
		{"stale-age", "--above", "10"},
		{"weather", "--above", "1"},
		{"error-rate", "--above", "1%", "--do", "panic"},
		{"error-rate", "--above", "1%", "--do", "webhook"},
		{"error-rate", "--above", "1%", "--window", "48h"},
		{"error-rate", "--above", "1%", "--min-sample", "0"},
	} {
		w.run(append([]string{"guardrail", "add", name}, wrong...)...).is(exitInput)
	}
	w.run("guardrail").is(exitInput).blames("say what to do")
	w.run("guardrail", "sideways").is(exitInput)

	w.tick()
	w.climb(flags.Dual)
	w.run("guardrail", "check", name).is(exitDiffers).says("error-rate: inconclusive", "latency-p99: idle", "stale-age: ok").blames("1 guardrail violated or inconclusive")
	w.tick()
	w.backfilled()
	w.run("step", name, "shadow").is(exitRefused).blames("guardrail 1 (error-rate above 1%, over 5m0s) is inconclusive")
	w.run("step", name, "shadow", "--force").is(exitInput).blames("--force needs")
	w.ok("status", name).says("1 of 3 hold steps up")
	w.ok("step", name, "shadow", "--force", "--reason", "nobody writes here")
	w.ok("history", name).says("nobody writes here (forced past: guardrail 1")

	w.run("guardrail", "remove", name, "99").is(exitInput).blames("has no guardrail 99")
	w.ok("guardrail", "remove", name, "1", "--reason", "noise").says("guardrail 1 removed")
	var out struct{ Guardrails []guardrailJSON }
	require.NoError(t, json.Unmarshal([]byte(w.ok("guardrail", "list", name, "--json").out), &out))
	require.Len(t, out.Guardrails, 2)
	assert.InEpsilon(t, 600, out.Guardrails[1].Threshold, 0.001)
	assert.Equal(t, "HOOK", out.Guardrails[1].SecretEnv)
	w.ok("history", name).says("guardrail 1: step-everybody-down on error-rate", "removed", "noise")
}

const rampYAML = `
steps:
  - {to: dual, percent: 5, hold: 1h}
  - {to: dual, approval: true}
windows:
  - {from: "00:00", to: "24:00"}
zone: Europe/Berlin
`

func TestRampOnTheCommandLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := file(t, "ramp.yaml", rampYAML)
	w.run("ramp", "status", name).is(exitConflict).blames("there is no ramp to show")
	w.ok("ramp", "start", name, path, "--dry-run").says("would be done, nothing was changed", "ramp of 2 steps started")
	w.run("ramp", "status", name).is(exitConflict)
	w.ok("ramp", "start", name, path, "--actor", "ann", "--reason", "release")
	w.run("ramp", "start", name, path).is(exitConflict).blames("ramp 1 of ann is in progress")
	w.tick()
	w.tick()
	w.tick()
	w.ok("ramp", "status", name).says("ramp 1 of ann is running, step 1 of 2 (5% of the tenants to dual) is holding", "of its hold of 1h0m0s", "done in", "> ", "everybody to dual, approval")
	w.ok("status", name).says("Ramp        ramp 1 of ann is running, step 1 of 2")
	var out struct{ Ramp rampJSON }
	require.NoError(t, json.Unmarshal([]byte(w.ok("ramp", "status", name, "--json").out), &out))
	assert.Equal(t, 1, out.Ramp.Step)
	require.NotNil(t, out.Ramp.Done)

	w.run("ramp", "approve", name, "--actor", "ANN").is(exitInput).blames("another person approves it")
	w.run("ramp", "approve", name, "--step", "7", "--actor", "ben").is(exitInput).blames("no step 7")
	w.ok("ramp", "approve", name, "--actor", "ben").says("step 2 of ramp 1 approved (everybody to dual)")
	w.ok("ramp", "pause", name, "--reason", "lunch").says("ramp paused")
	w.run("ramp", "pause", name).is(exitConflict).blames("cannot pause the ramp: it is paused")
	w.ok("ramp", "resume", name)
	w.ok("ramp", "abort", name, "--down", "--dry-run").says("would be done")
	w.ok("ramp", "abort", name, "--down", "--reason", "wrong totals").says("ramp aborted", "arrived at old after 1 step")
	assert.Equal(t, flags.Old, w.policy().Default)
	assert.Zero(t, w.policy().Step.Share)

	for _, wrong := range []string{"steps: [", "steps: []", "steps: [{to: shadow}]", "steps: [{to: dual, colour: red}]", `{"steps": [{"to": "dual", "hold": 5}]}`} {
		w.run("ramp", "start", name, file(t, "wrong.yaml", wrong)).is(exitInput)
	}
	w.run("ramp", "start", name, "no-such-file").is(exitInput)
	w.climb(flags.RampDown)
	w.run("ramp", "start", name, file(t, "new.json", `{"steps": [{"to": "new"}]}`)).is(exitRefused).blames("point of no return")
}

func TestFreezeAndApprovalOnTheCommandLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run("freeze", name).is(exitInput).blames("say why")
	w.run("freeze", name, "--all", "--reason", "x").is(exitInput)
	w.run("freeze", "--reason", "x").is(exitInput).blames("MIGRATION is missing")
	w.run("freeze", name, "--reason", "x", "--until", "tomorrow").is(exitInput).blames("36h from now on")
	w.ok("freeze", name, "--reason", "sale", "--until", "36h").says("frozen until")
	w.run("step", name, "dual").is(exitRefused).blames("frozen by ann@laptop", "sale")
	w.ok("status", name).says("Freeze      frozen by ann@laptop until")
	w.ok("unfreeze", name)
	assert.Contains(t, w.ok("unfreeze", name).err, "no freeze to end")
	w.ok("freeze", "--all", "--reason", "holidays", "--from", time.Now().Add(time.Hour).Format(time.RFC3339))
	w.ok("status", name).says("Freeze      from ")
	w.ok("step", name, "dual")
	w.ok("unfreeze", "--all")

	w.run("protect", name, "old").is(exitInput)
	w.ok("protect", name, "shadow").says("shadow needs an approval")
	w.backfilled()
	w.ok("approve", name, "shadow", "--for", "1h")
	w.run("step", name, "shadow").is(exitRefused).blames("shadow is protected: another person than ann@laptop runs `crossfade approve customers-v2 shadow`")
	w.ok("approve", name, "shadow", "--for", "1h", "--actor", "ben")
	w.ok("step", name, "shadow", "--dry-run")
	w.ok("protect", name, "shadow", "--off")
	w.ok("step", name, "shadow")
	w.run("approve", name, "old").is(exitInput)
}

func TestControllerOnTheCommandLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run("controller", "status").is(exitFailure).blames("no controller runs")
	w.run("controller", "run", "--tick", "0s").is(exitInput)
	s := w.start(nil, "controller", "run", "--tick", "10ms")
	require.Eventually(t, func() bool {
		duties, err := w.store.Duties(context.Background())
		return err == nil && len(duties) == 1 && duties[0].Held
	}, wait, tick)
	w.ok("controller", "status").says("controller", "held by")
	s.cancel()
	s.ends().is(exitOK)
	w.run("controller", "status").is(exitFailure).says("held by nobody since")
}

func TestStatusShowsWishes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, ok, err := w.store.TakeDuty(t.Context(), "wishes", [16]byte{1}, "test", time.Hour)
	require.NoError(t, err)
	require.True(t, ok)
	require.NoError(t, w.store.NoteLook(t.Context(), d, w.migration(), ledger.WishLook{
		Tenants: 9, Arrived: 6, Walking: 2, Without: 1, Problem: "the flag is missing",
		Waiting: []ledger.Wish{{Tenant: "acme", Stage: flags.Dual, Wish: flags.Live, WaitingFor: "the backfill"}},
	}))
	w.ok("status", name).says("6 arrived, 2 not yet, 1 stay as their wish cannot be read: the flag is missing", `tenant "acme": dual -> live: the backfill`)

	_, err = w.store.Register(t.Context(), versions.Migration{Name: "orders-v2", Entity: "orders", From: "v1", To: "v2"}, "")
	require.NoError(t, err)
	w.ok("guardrail", "add", name, "stale-age", "--above", "1m")
	w.ok("freeze", name, "--reason", "sale")
	w.ok("ramp", "start", name, file(t, "ramp.yaml", rampYAML))
	w.ok("status").says("1 guardrail holding; frozen; ramp running at step 1 of 2; 2 wishes not granted yet")
}
