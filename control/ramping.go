package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/crossfade-db/crossfade/ledger"
)

// ramp makes the next move of the ramp in progress.
func (c *Controller) ramp(ctx context.Context, d ledger.Duty, m ledger.Migration) error {
	state, err := c.store.Load(ctx, m.Name)
	if err != nil || state.Guard.Ramp == nil || state.Guard.Ramp.State != ledger.RampRunning {
		return err
	}
	r := *state.Guard.Ramp
	look := &rampLook{
		ramp: r, policy: state.Current().Policy, settled: settled(state), approvals: state.Guard.Approvals,
		now: c.now(state), tick: c.cfg.Tick,
	}
	if look.plan, err = ParseRampPlan(r.Plan); err != nil {
		return err
	}
	if r.SettledAt != nil {
		if look.samples, err = c.store.NewCallsSince(ctx, m, *r.SettledAt); err != nil {
			return err
		}
	}
	move := look.next()
	if !move.take {
		return c.saveRamp(ctx, d, state, r, move)
	}
	change := look.plan.Steps[r.Step].change(m.Name)
	change.Actor, change.NoWait, change.ExpectEpoch = keeperActor, true, state.Migration.Epoch
	change.Reason = fmt.Sprintf("ramp %d of %s, step %d of %d", r.ID, r.Author, r.Step+1, len(look.plan.Steps))
	change.behalf = behalf{author: r.Author, ramp: r.ID, duty: &d, place: &ledger.RampMove{ID: r.ID, Before: r.RampPlace, After: move.place}}
	result, err := c.plane.Apply(ctx, change)
	var refused *StepError
	var conflict *ConflictError
	switch {
	case errors.As(err, &conflict): // the next tick looks at the other's policy
		return nil
	case errors.As(err, &refused):
		waits := rampMove{place: r.RampPlace}
		waits.place.TickedAt = look.stamp()
		if waits.place.WaitingFor, err = c.helped(ctx, d, state, refused.Blocks, change.Reason); err != nil {
			return err
		}
		return c.saveRamp(ctx, d, state, r, waits)
	case errors.Is(err, ledger.ErrRampMoved):
		return nil
	case err == nil && !result.Changed:
		return c.saveRamp(ctx, d, state, r, move)
	}
	return err
}

func (c *Controller) saveRamp(ctx context.Context, d ledger.Duty, state *State, r ledger.Ramp, move rampMove) error {
	var entry ledger.Entry
	if move.entry != "" {
		entry = ledger.Entry{Actor: keeperActor, Kind: ledger.KindRamp, From: r.State, To: move.entry, Reason: move.place.WaitingFor}
	}
	_, err := c.store.SaveRamp(ctx, d, state.Migration, r.ID, r.RampPlace, move.place, move.settle, entry)
	return err // a ramp that a person changed meanwhile is looked at again in the next tick
}

// manyTenants is from how many tenants on a job is requested for all of them.
const manyTenants = 1000

// helped requests the jobs that would take blocks away, unless one of their
// kind is open or ended badly, and returns what is waited for.
func (c *Controller) helped(ctx context.Context, d ledger.Duty, state *State, blocks []Block, reason string) (string, error) {
	var waits []string
	requested := map[string]*ledger.JobRequest{}
	everybody := map[string]bool{}
	for _, b := range blocks {
		waits = append(waits, b.Text)
		kind := map[BlockKind]string{BlockBackfill: ledger.JobBackfill, BlockVerify: ledger.JobVerify}[b.Kind]
		if kind == "" {
			continue
		}
		r := requested[kind]
		if r == nil {
			r = &ledger.JobRequest{Migration: state.Migration.Name, Kind: kind, Actor: keeperActor, Reason: reason}
			requested[kind] = r
		}
		r.Tenants = append(r.Tenants, b.Tenants...)
		everybody[kind] = everybody[kind] || b.Others
	}
	// A verification counts only after the backfill.
	request := requested[ledger.JobBackfill]
	if request == nil {
		request = requested[ledger.JobVerify]
	}
	if request == nil {
		return strings.Join(waits, "; "), nil
	}
	slices.Sort(request.Tenants)
	if request.Tenants = slices.Compact(request.Tenants); everybody[request.Kind] || len(request.Tenants) > manyTenants {
		request.Tenants = nil
	}
	jobs, err := c.store.JobsOf(ctx, state.Migration.Name, 50)
	if err != nil {
		return "", err
	}
	for _, j := range jobs { // the newest first
		if j.Kind != request.Kind {
			continue
		}
		if j.State == ledger.JobFailed || j.State == ledger.JobCancelled {
			return fmt.Sprintf("a person: %s %d is %s (%s): `crossfade %s %s --resume %d` goes on with it",
				j.Kind, j.ID, j.State, j.Error, j.Kind, state.Migration.Name, j.ID), nil
		}
		break
	}
	_, err = c.store.RequestJobOnDuty(ctx, d, state.Migration, *request)
	return strings.Join(waits, "; "), err
}

// StartRamp stores a plan for the controller to walk, by whom and why, and
// returns its number. A plan that does not fit the policy in force is a
// [*RampError]; where a ramp is in progress, the error is a
// [*ledger.RampOpenError].
func (p *Plane) StartRamp(ctx context.Context, migration string, plan RampPlan, author, reason string) (int64, error) {
	policy, err := p.store.Policy(ctx, migration)
	if err != nil {
		return 0, err
	}
	if err := plan.Validate(policy); err != nil {
		return 0, err
	}
	text, err := json.Marshal(plan)
	if err != nil {
		return 0, &RampError{Problem: err.Error()}
	}
	return p.store.StartRamp(ctx, migration, text, policy.Default, author, reason)
}
