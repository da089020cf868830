package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// stepDownFloor is the rung below which no guardrail takes anybody: further
// down nothing is gained for callers that an operator could not have, and the
// backfill would be lost.
const stepDownFloor = flags.Dual

// Findings judges all guardrails of a migration now, and changes nothing.
// tenants are the findings about single tenants, of guardrails that step them
// down.
func (p *Plane) Findings(ctx context.Context, migration string) (all, tenants []Finding, err error) {
	state, err := p.store.Load(ctx, migration)
	if err != nil {
		return nil, nil, err
	}
	return p.findings(ctx, state)
}

func (p *Plane) findings(ctx context.Context, state *State) (all, tenants []Finding, err error) {
	rules := state.Guard.Guardrails
	if len(rules) == 0 {
		return nil, nil, nil
	}
	longest := time.Duration(0)
	for _, g := range rules {
		longest = max(longest, g.Window)
	}
	rows, err := p.store.MeasurementsSince(ctx, state.Migration, state.At.Add(-longest))
	if err != nil {
		return nil, nil, err
	}
	evidence, unreadable := gather(state, rows)
	for i, g := range rules {
		if unreadable != nil {
			// What cannot be read may be what speaks against going on.
			all = append(all, Finding{Guardrail: g, Verdict: ledger.VerdictInconclusive, Numbers: unreadable.Error()})
			continue
		}
		f := Judge(g, &evidence[i])
		if g.Action == ledger.ActionTenantDown {
			culprits := JudgeTenants(g, &evidence[i])
			f.without(culprits)
			tenants = append(tenants, culprits...)
		}
		all = append(all, f)
	}
	return all, tenants, nil
}

// gather sums up for each guardrail what was measured in its window.
func gather(state *State, rows []ledger.Measurement) ([]Evidence, error) {
	all := make([]Evidence, len(state.Guard.Guardrails))
	for i := range all {
		all[i] = Evidence{Policy: state.Current().Policy, Stale: state.Stale, At: state.At}
	}
	var one Measurements
	for _, r := range rows {
		if err := one.decode(r.Content); err != nil {
			return nil, err
		}
		for i, g := range state.Guard.Guardrails {
			if r.At.After(state.At.Add(-g.Window)) && !r.Began.Before(g.Since) {
				all[i].Merge(&one)
			}
		}
	}
	return all, nil
}

// guard judges the guardrails, writes down what they found and acts on it.
func (c *Controller) guard(ctx context.Context, d ledger.Duty, m ledger.Migration) error {
	state, err := c.store.Load(ctx, m.Name)
	if err != nil || len(state.Guard.Guardrails) == 0 {
		return err
	}
	all, tenants, err := c.plane.findings(ctx, state)
	if err != nil {
		return err
	}
	var judged []ledger.Judgement
	for i, f := range all {
		for _, t := range tenants {
			if t.Guardrail.ID == f.Guardrail.ID && f.Verdict != ledger.VerdictViolated {
				f.Verdict, f.Numbers = t.Verdict, fmt.Sprintf("tenant %q: %s", t.Tenant, t.Numbers)
			}
		}
		all[i] = f
		judged = append(judged, c.judgement(state, f))
	}
	if err := c.store.Judge(ctx, d, state.Migration, judged); err != nil {
		return err
	}
	var errs []error
	for _, f := range all {
		if f.Verdict == ledger.VerdictViolated {
			errs = append(errs, c.act(ctx, d, state, f, tenants))
		}
	}
	return errors.Join(errs...)
}

// judgement makes an entry of the history where a guardrail begins or ceases
// to be violated, and a message where it begins to be.
func (c *Controller) judgement(state *State, f Finding) ledger.Judgement {
	g := f.Guardrail
	j := ledger.Judgement{Guardrail: g.ID, Verdict: f.Verdict, Numbers: f.Numbers, URL: g.URL, SecretEnv: g.SecretEnv}
	begins := f.Verdict == ledger.VerdictViolated && g.Verdict != ledger.VerdictViolated
	ceases := f.Verdict == ledger.VerdictOK && g.Verdict == ledger.VerdictViolated
	if begins || ceases {
		j.Entry = ledger.Entry{
			Actor: keeperActor, Kind: ledger.KindGuardrail, Reason: f.Numbers,
			From: g.Verdict, To: fmt.Sprintf("guardrail %d (%s) %s", g.ID, describeGuardrail(g), f.Verdict),
		}
	}
	if begins && g.Action == ledger.ActionWebhook {
		j.Body = message(state, f)
	}
	return j
}

// message is what a webhook gets: figures and names, and no value of any user.
func message(state *State, f Finding) string {
	body, err := json.Marshal(map[string]any{
		"event": "guardrail-violated", "migration": state.Migration.Name, "epoch": state.Migration.Epoch, "at": state.At,
		"guardrail": f.Guardrail.ID, "measure": f.Guardrail.Measure, "threshold": f.Guardrail.Threshold,
		"window_seconds": f.Guardrail.Window.Seconds(), "value": f.Value, "numbers": f.Numbers,
	})
	if err != nil { // a value that is no number
		return fmt.Sprintf(`{"event":"guardrail-violated","migration":%q,"guardrail":%d}`, state.Migration.Name, f.Guardrail.ID)
	}
	return string(body)
}

// act takes the step that a violated guardrail asks for. The guardrail begins
// anew in the same transaction, so that what made it act does not do so twice.
func (c *Controller) act(ctx context.Context, d ledger.Duty, state *State, f Finding, tenants []Finding) error {
	g := f.Guardrail
	if g.Measure == ledger.MeasureStaleAge && state.At.Sub(g.Since) < g.Window {
		return nil // keys stay stale after a step down: one step for each window
	}
	change := Change{
		Migration: state.Migration.Name, Kind: SetEach, Targets: map[string]flags.Stage{}, Actor: keeperActor, NoWait: true,
		Reason: fmt.Sprintf("guardrail %d: %s", g.ID, f.Numbers), ExpectEpoch: state.Migration.Epoch,
		behalf: behalf{kind: ledger.KindGuardrail, reasons: map[string]string{}, duty: &d, acted: []int64{g.ID}},
	}
	policy := state.Current().Policy
	switch g.Action {
	case ledger.ActionEverybodyDown:
		everybodyDown(policy, &change)
	case ledger.ActionTenantDown:
		compiled, err := policy.Compile()
		if err != nil {
			return err
		}
		for _, t := range tenants {
			if _, stage := compiled.Range(t.Tenant); t.Guardrail.ID == g.ID && stage > stepDownFloor {
				change.Targets[t.Tenant] = stage.Toward(flags.Old)
				change.reasons[t.Tenant] = fmt.Sprintf("guardrail %d: %s", g.ID, t.Numbers)
			}
		}
	}
	if len(change.Targets) == 0 && !change.To.Valid() {
		return nil
	}
	err := c.plane.applyLeaving(ctx, change, policy)
	var conflict *ConflictError
	if errors.As(err, &conflict) {
		return nil // the next tick looks at the other's policy
	}
	return err
}

// everybodyDown takes those who stand furthest up down by one rung. Where they
// stand decides, and not what the default says: a step of all tenants leaves
// nobody at the default. A step of some joins two adjacent rungs, so that it
// ends where everybody stands at the lower one.
func everybodyDown(p flags.Policy, c *Change) {
	top := flags.Old
	for stage := range occupied(p) {
		top = max(top, stage)
	}
	if top <= stepDownFloor {
		return
	}
	unnamed := p
	unnamed.Overrides = nil
	if occupied(unnamed)[top] {
		c.To = top.Toward(flags.Old)
	}
	for tenant, stage := range p.Overrides {
		if stage == top {
			c.Targets[tenant] = top.Toward(flags.Old)
		}
	}
}
