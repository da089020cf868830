package control_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

func TestGuardrailStepsTheBadTenantDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Live)
	m, c := w.join(control.MemberConfig{}), w.controller(control.ControllerConfig{})
	id := w.guardrail(ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.05, Action: ledger.ActionTenantDown})
	w.traffic(m, "good", 2000, 0)
	w.traffic(m, "bad", 60, 30)
	w.tick(c)
	p := w.inForce()
	assert.Equal(t, flags.Live, p.Default)
	assert.Equal(t, map[string]flags.Stage{"bad": flags.Shadow}, p.Overrides)
	e := w.newest(ledger.KindGuardrail)
	assert.Equal(t, "bad", e.Tenant)
	assert.Equal(t, "crossfade", e.Actor)
	assert.Contains(t, e.Reason, "30 of 60 failed on the new side and 0 of 60 on the old side, a difference of 50% (threshold 5%)")

	w.tick(c)
	assert.Equal(t, p.Overrides, w.inForce().Overrides, "what made it act does not do so twice")
	assert.Equal(t, p.Default, w.inForce().Default)
	g := w.load().Guard.Guardrails[0]
	assert.Equal(t, id, g.ID)
	assert.Equal(t, ledger.VerdictInconclusive, g.Verdict, "it begins anew")

	w.traffic(m, "bad", 60, 60)
	w.tick(c)
	w.tick(c) // the step before was settled by then
	assert.Equal(t, map[string]flags.Stage{"bad": flags.Dual}, w.inForce().Overrides)
	w.traffic(m, "bad", 60, 60)
	w.tick(c)
	assert.Equal(t, map[string]flags.Stage{"bad": flags.Dual}, w.inForce().Overrides, "no guardrail loses a backfill")
}

func TestGuardrailStepsEverybodyDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Shadow)
	w.step(control.Change{Migration: name, Kind: control.SetEach, Targets: map[string]flags.Stage{"pinned": flags.Live, "low": flags.Dual}, Actor: "ann"})
	w.step(control.Change{Migration: name, Kind: control.SetPercentage, To: flags.Live, Share: 500, Actor: "ann"})
	m, c := w.join(control.MemberConfig{}), w.controller(control.ControllerConfig{})
	w.guardrail(ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.05, Action: ledger.ActionEverybodyDown})
	w.traffic(m, "acme", 100, 20)
	w.tick(c)
	p := w.inForce()
	assert.Equal(t, flags.Shadow, p.Default)
	assert.Zero(t, p.Step.Share, "who was furthest up comes back")
	assert.Equal(t, map[string]flags.Stage{"pinned": flags.Shadow, "low": flags.Dual}, p.Overrides)
	assert.Contains(t, w.newest(ledger.KindGuardrail).Reason, "20 of 100 failed on the new side")
	w.tick(c)
	assert.Equal(t, p.Default, w.inForce().Default)

	w.traffic(m, "acme", 100, 20)
	w.tick(c)
	w.tick(c)
	assert.Equal(t, flags.Dual, w.inForce().Default)
	assert.Equal(t, map[string]flags.Stage{"pinned": flags.Dual, "low": flags.Dual}, w.inForce().Overrides)
}

func TestGuardrailWithoutACulpritHoldsAndSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Shadow)
	m, c := w.join(control.MemberConfig{}), w.controller(control.ControllerConfig{})
	w.guardrail(ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.05, Action: ledger.ActionTenantDown})
	for _, tenant := range []string{"a", "b", "c"} { // each of them has too few calls
		w.traffic(m, tenant, 30, 10)
	}
	w.tick(c)
	p := w.inForce()
	assert.Equal(t, flags.Shadow, p.Default)
	assert.Empty(t, p.Overrides)
	const says = "no tenant by itself has enough calls and is above the threshold: nobody is stepped down"
	assert.Contains(t, w.newest(ledger.KindGuardrail).Reason, says)
	g := w.load().Guard.Guardrails[0]
	assert.Equal(t, ledger.VerdictViolated, g.Verdict)
	assert.Contains(t, g.Numbers, says)
	_, err := w.plane.Apply(t.Context(), toDefault(flags.Live))
	require.ErrorContains(t, err, says)
}

// Every measure of which a tenant can be stepped down is measured by tenant.
func TestTenantsAreJudgedByEveryMeasureThatStepsThemDown(t *testing.T) {
	t.Parallel()
	for _, measure := range ledger.Measures {
		g := ledger.Guardrail{Measure: measure, Threshold: 0.01, MinSample: 10, Window: time.Minute, Action: ledger.ActionTenantDown}
		if g.Validate() != nil {
			continue
		}
		bad := &control.TenantMeasurements{Comparisons: control.Comparisons{Matched: 20, Mismatched: 20, Dropped: 20}}
		bad.Calls[flags.OldSide][control.Served][control.Reads] = 40
		bad.Calls[flags.NewSide][control.Compared][control.Reads] = 40
		bad.Failed[flags.NewSide][control.Compared][control.Reads] = 20
		e := &control.Evidence{Policy: flags.Policy{Default: flags.Shadow}, At: now}
		e.Tenants = map[string]*control.TenantMeasurements{"bad": bad}
		e.Stale = []ledger.StaleCount{{Tenant: "bad", Keys: 1, Oldest: now.Add(-time.Hour)}}
		found := control.JudgeTenants(g, e)
		require.Len(t, found, 1, measure)
		assert.Equal(t, "bad", found[0].Tenant, measure)
	}
}

func TestHoldBlocksAManualStepWithAllReasonsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Shadow)
	m, c := w.join(control.MemberConfig{}), w.controller(control.ControllerConfig{})
	w.guardrail(ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.05, Action: ledger.ActionHold})
	w.guardrail(ledger.Guardrail{Measure: ledger.MeasureMismatchRate, Threshold: 0.05, MinSample: 1000, Action: ledger.ActionHold})
	w.traffic(m, "acme", 100, 20)
	w.tick(c)
	_, err := w.store.AddFreeze(t.Context(), ledger.Freeze{Actor: "ben", Reason: "Christmas"})
	require.NoError(t, err)
	_, err = w.store.Protect(t.Context(), name, flags.Live, true, "ben", "")
	require.NoError(t, err)
	w.exec(`insert into crossfade.mismatches (migration_id, tenant, operation, key, field, kind, stage, epoch, served, other, first_seen, last_seen)
		select id, 'acme', 'Get', 'k', 'Name', 'value', 'shadow', 1, 'a', 'b', now(), now() from crossfade.migrations`)
	_, err = w.plane.Apply(t.Context(), toDefault(flags.Live))
	var refused *control.StepError
	require.ErrorAs(t, err, &refused)
	found := map[control.BlockKind]bool{}
	for _, b := range refused.Blocks {
		found[b.Kind] = true
	}
	assert.Equal(t, map[control.BlockKind]bool{
		control.BlockMismatches: true, control.BlockGuardrail: true, control.BlockFreeze: true, control.BlockApproval: true,
	}, found)
	for _, text := range []string{
		"20 of 100 failed", "is inconclusive: 100 comparisons are too few, 1000 are needed", "frozen by ben: Christmas",
		"another person than ann runs `crossfade approve customers-v2 live`", "1 confirmed mismatches",
	} {
		require.ErrorContains(t, err, text)
	}
	w.step(toDefault(flags.Dual)) // down always works
	assert.Contains(t, w.newest(ledger.KindFreeze).Reason, "Christmas", "a freeze of all is in the history of each")
}

func TestApprovalLetsAnotherPersonStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.store.Protect(t.Context(), name, flags.Dual, true, "ben", "")
	require.NoError(t, err)
	require.NoError(t, w.store.Approve(t.Context(), name, flags.Dual, time.Hour, "ANN", "myself"))
	_, err = w.plane.Apply(t.Context(), toDefault(flags.Dual))
	require.ErrorContains(t, err, "another person than ann")
	require.NoError(t, w.store.Approve(t.Context(), name, flags.Dual, time.Hour, "ann@bastion", "from elsewhere"))
	_, err = w.plane.Apply(t.Context(), toDefault(flags.Dual))
	require.ErrorContains(t, err, "another person than ann")
	require.NoError(t, w.store.Approve(t.Context(), name, flags.Dual, time.Hour, "ben", "fine"))
	w.exec(`update crossfade.approvals set until_at = now() - interval '1 second' where actor = 'ben'`)
	_, err = w.plane.Apply(t.Context(), toDefault(flags.Dual))
	require.Error(t, err, "an approval ends")
	require.NoError(t, w.store.Approve(t.Context(), name, flags.Dual, time.Hour, "ben", "fine"))
	w.step(toDefault(flags.Dual))
}

// receiver is a webhook that fails a few times.
type receiver struct {
	t      *testing.T
	fails  int
	mu     sync.Mutex
	keys   []string
	bodies [][]byte
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := io.ReadAll(q.Body)
	assert.NoError(r.t, err)
	assert.Equal(r.t, control.Signature([]byte("s3cret"), q.Header.Get(control.TimestampHeader), body), q.Header.Get(control.SignatureHeader))
	assert.Equal(r.t, "application/json", q.Header.Get("Content-Type"))
	r.keys, r.bodies = append(r.keys, q.Header.Get(control.KeyHeader)), append(r.bodies, body)
	if len(r.keys) <= r.fails {
		w.WriteHeader(http.StatusBadGateway)
	}
}

func TestWebhookIsSignedRetriedAndOutlivesTheController(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Shadow)
	r := &receiver{t: t, fails: 2}
	server := httptest.NewServer(r)
	defer server.Close()
	secret := ""
	env := func(name string) string {
		assert.Equal(t, "HOOK_SECRET", name)
		return secret
	}
	m, c := w.join(control.MemberConfig{}), w.controller(control.ControllerConfig{Env: env, HTTP: server.Client()})
	w.guardrail(ledger.Guardrail{
		Measure: ledger.MeasureErrorRate, Threshold: 0.05, Action: ledger.ActionWebhook, URL: server.URL + "/token", SecretEnv: "HOOK_SECRET",
	})
	w.traffic(m, "acme", 100, 20)
	w.tick(c)
	messages, err := w.store.Webhooks(t.Context(), w.migration, 10)
	require.NoError(t, err)
	require.Len(t, messages, 1)
	assert.Equal(t, ledger.WebhookWaiting, messages[0].State)
	assert.Contains(t, messages[0].LastError, "the variable HOOK_SECRET, which holds the secret, is not set")
	assert.NotContains(t, messages[0].LastError, "token")
	assert.Empty(t, r.keys, "nothing is sent unsigned")

	secret = "s3cret"
	w.exec(`update crossfade.controllers set expires_at = clock_timestamp()`)
	c = w.controller(control.ControllerConfig{Env: env, HTTP: server.Client()}) // another one goes on with it
	for range 3 {
		w.exec(`update crossfade.webhooks set next_at = now()`)
		w.tick(c)
	}
	w.exec(`update crossfade.webhooks set next_at = now()`)
	w.tick(c)
	require.Len(t, r.keys, 3, "delivered once, while the guardrail stays violated")
	assert.Equal(t, r.keys[0], r.keys[2])
	var body map[string]any
	require.NoError(t, json.Unmarshal(r.bodies[0], &body))
	assert.Equal(t, "guardrail-violated", body["event"])
	assert.InEpsilon(t, 0.2, body["value"], 0.001)
	messages, err = w.store.Webhooks(t.Context(), w.migration, 10)
	require.NoError(t, err)
	require.Len(t, messages, 1)
	assert.Equal(t, ledger.WebhookDelivered, messages[0].State)
	assert.Equal(t, 4, messages[0].Attempts)
}

func TestWebhookIsGivenUpInTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Shadow)
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	m, c := w.join(control.MemberConfig{}), w.controller(control.ControllerConfig{Env: func(string) string { return "x" }, HTTP: server.Client()})
	w.guardrail(ledger.Guardrail{Measure: ledger.MeasureErrorRate, Action: ledger.ActionWebhook, URL: server.URL, SecretEnv: "S"})
	w.traffic(m, "acme", 100, 20)
	w.tick(c)
	w.exec(`update crossfade.webhooks set attempts = 15, next_at = now()`)
	w.tick(c)
	messages, err := w.store.Webhooks(t.Context(), w.migration, 10)
	require.NoError(t, err)
	assert.Equal(t, ledger.WebhookGivenUp, messages[0].State)
	assert.Equal(t, "the answer was 404", messages[0].LastError)
}

func TestGuardrailThatCannotBeUsedIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 1, MinSample: 1, Window: time.Minute, Action: ledger.ActionHold, CreatedBy: "ann"}
	for problem, change := range map[string]func(*ledger.Guardrail){
		"is no measure":    func(g *ledger.Guardrail) { g.Measure = "weather" },
		"is no action":     func(g *ledger.Guardrail) { g.Action = "panic" },
		"not negative":     func(g *ledger.Guardrail) { g.Threshold = -1 },
		"at most 24h":      func(g *ledger.Guardrail) { g.Window = 25 * time.Hour },
		"a minimum sample": func(g *ledger.Guardrail) { g.MinSample = 0 },
		"URL must begin":   func(g *ledger.Guardrail) { g.Action, g.URL = ledger.ActionWebhook, "ftp://x" },
		"latency-p99 is not measured tenant by tenant: use step-everybody-down": func(g *ledger.Guardrail) {
			g.Measure, g.Action = ledger.MeasureLatencyP99, ledger.ActionTenantDown
		},
		"latency-p50 is not measured tenant by tenant": func(g *ledger.Guardrail) {
			g.Measure, g.Action = ledger.MeasureLatencyP50, ledger.ActionTenantDown
		},
		"holds the webhook's secre": func(g *ledger.Guardrail) { g.Action, g.URL = ledger.ActionWebhook, "https://x" },
		"go with the action":        func(g *ledger.Guardrail) { g.URL = "https://x" },
		"say who asks":              func(g *ledger.Guardrail) { g.CreatedBy = "" },
	} {
		g := good
		change(&g)
		_, err := w.store.AddGuardrail(t.Context(), name, g, "")
		var input *ledger.InputError
		require.ErrorAs(t, err, &input)
		require.ErrorContains(t, err, problem)
	}
}
