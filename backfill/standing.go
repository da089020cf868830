package backfill

import (
	"context"
	"fmt"
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// standing is who stands where: the policy in force and the older ones that
// somebody may still act on, as one look at the ledger saw them.
type standing struct {
	state    *ledger.State
	compiled []*flags.Compiled // as state.Policies
}

func (s *standing) current() flags.Policy { return s.state.Current().Policy }

// version names the policy in force.
func (s *standing) version(m ledger.Migration) ledger.Version {
	return ledger.Version{Migration: m.Name, MigrationID: m.ID, Epoch: s.current().Epoch, PolicyID: s.current().ID}
}

// unsettled returns a *NotSettledError when somebody may still act on an older
// policy that has the tenant, or with "" any tenant, where only one side is
// written: a key that is copied now could be written on that side alone
// afterwards.
func (s *standing) unsettled(tenant string) error {
	for i, p := range s.state.Outstanding() {
		stage := p.Default
		if tenant != "" {
			stage, _ = s.compiled[i].Stage(tenant)
		}
		if tenant != "" && stage.Plan().WritesBoth || tenant == "" && everybody(p.Policy) {
			continue
		}
		err := &NotSettledError{
			Migration: p.Migration, Tenant: tenant, Epoch: p.Epoch, Stage: stage,
			Acknowledged: p.AcknowledgedAt != nil, Drained: p.DrainedAt != nil,
		}
		for _, process := range s.state.Processes {
			if process.Epoch <= p.Epoch || process.Unknown {
				err.Processes = append(err.Processes, process.String())
				err.Acknowledged = false
			}
		}
		if !err.Acknowledged || !err.Drained {
			return err
		}
	}
	return nil
}

// look returns the standing at an epoch or a newer one; zero means now.
func (j *job) look(ctx context.Context, epoch int64) (*standing, error) {
	j.mu.Lock()
	known := j.state
	j.mu.Unlock()
	if known != nil && epoch > 0 && known.current().Epoch >= epoch {
		return known, nil
	}
	state, err := j.w.store.Load(ctx, j.m.Name)
	if err != nil {
		return nil, err
	}
	s := &standing{state: state}
	for _, p := range state.Policies {
		c, err := p.Compile()
		if err != nil {
			return nil, err
		}
		s.compiled = append(s.compiled, c)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state = s
	j.progress.Epoch = s.current().Epoch
	return s, nil
}

// settle waits until check, which asks whether a standing is settled, says yes,
// and returns that standing. It helps: what nobody acts on any more it writes
// down, as the control plane does.
func (j *job) settle(ctx context.Context, tenant string, s *standing, check func(*standing) error) (*standing, error) {
	deadline := time.Now().Add(j.w.cfg.SettleTimeout)
	defer j.waitsFor(tenant, "")
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		open := check(s)
		if open == nil {
			return s, nil
		}
		if !time.Now().Before(deadline) {
			return nil, open
		}
		j.waitsFor(tenant, describe(open))
		if _, err := j.w.store.MarkAcknowledged(ctx, j.m); err != nil {
			return nil, err
		}
		for _, p := range s.state.Outstanding() {
			if p.DrainedAt != nil {
				continue
			}
			if _, err := j.w.store.Drain(ctx, j.m, p.Epoch, pause); err != nil {
				return nil, err
			}
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
		var err error
		if s, err = j.look(ctx, 0); err != nil {
			return nil, err
		}
	}
}

// admit decides anew for the tenant of a run, and checks that the work may go
// on: that both sides are written, by everybody, and have been all the time
// since the checkpoint. Where they were not, the run begins anew: what it had
// passed may have been written on one side alone.
func (j *job) admit(ctx context.Context, r *run) error {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		decision, err := j.decide(ctx, r.tenant)
		if err != nil {
			return err
		}
		s, err := j.look(ctx, decision.Epoch)
		if err != nil {
			return err
		}
		if current := s.current(); current.Epoch != decision.Epoch || current.ID != decision.PolicyID {
			// This process has not heard of the newest policy yet.
			if err := j.e.flag().Refused(ctx, flags.Subject{Tenant: r.tenant}, decision); err != nil {
				return fmt.Errorf("load the policy in force: %w", err)
			}
			j.forget()
			if err := sleep(ctx, pause); err != nil {
				return err
			}
			continue
		}
		if err := r.allowed(decision.Stage); err != nil {
			return err
		}
		if s.unsettled(r.tenant) != nil {
			if _, err := j.settle(ctx, r.tenant, s, func(s *standing) error { return s.unsettled(r.tenant) }); err != nil {
				return err
			}
			continue // time has passed: decide again
		}
		return j.carryOn(ctx, r, decision)
	}
}

func (j *job) decide(ctx context.Context, tenant string) (flags.Decision, error) {
	use, err := j.e.flag().Enter(ctx, flags.Subject{Tenant: tenant})
	if err != nil {
		return flags.Decision{}, err
	}
	defer use.Done()
	if !use.Guarded() {
		return flags.Decision{}, errUnguarded
	}
	return use.Decision, nil
}

// forget has the next look ask the ledger.
func (j *job) forget() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state = nil
}

// carryOn puts the run under a decision. The checkpoint is only worth something
// if both sides were written under every policy since it was made.
func (j *job) carryOn(ctx context.Context, r *run, decision flags.Decision) error {
	if r.cp.Epoch != 0 && r.cp.Epoch != decision.Epoch {
		between, err := j.w.store.PoliciesBetween(ctx, j.m, r.cp.Epoch, decision.Epoch)
		if err != nil {
			return err
		}
		for _, p := range between {
			c, err := p.Compile()
			if err != nil {
				return err
			}
			if stage, _ := c.Stage(r.tenant); !stage.Plan().WritesBoth {
				r.restart()
			}
		}
	}
	r.cp.Epoch = decision.Epoch
	r.decision = decision
	return nil
}
