package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// changeFlags are those of every command that changes who stands where.
type changeFlags struct {
	actorFlags
	expect    int64
	dryRun    bool
	noWait    bool
	yes       bool
	newTenant bool
	force     bool
	timeout   time.Duration
	drain     time.Duration
}

func (f *changeFlags) add(cmd *cobra.Command) {
	f.actorFlags.add(cmd)
	cmd.Flags().Int64Var(&f.expect, "expect-epoch", 0, "refuse unless this `epoch` is in force (as status showed it)")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "answer as the change would, and change nothing")
	cmd.Flags().BoolVar(&f.noWait, "no-wait", false, "end as soon as the new policy is in force")
	cmd.Flags().BoolVar(&f.force, "force", false, "set aside what may be set aside; needs --reason")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "step into new, the point of no return")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 2*time.Minute, "how long to wait until nobody acts on an older policy; 0 means for ever")
	cmd.Flags().DurationVar(&f.drain, "drain-timeout", 30*time.Second, "terminate transactions that act on an older policy after this long; 0 means never")
}

// addNewTenant adds the flag of commands that name tenants.
func (f *changeFlags) addNewTenant(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.newTenant, "new-tenant", false, "allow tenants that the ledger does not know yet")
}

func (f *changeFlags) check() error {
	switch {
	case f.timeout < 0 || f.drain < 0:
		return usagef("--timeout and --drain-timeout must not be negative")
	case f.force && strings.TrimSpace(f.reason) == "":
		return usagef("--force needs a --reason: the history says what was set aside, and why")
	case f.expect < 0:
		return usagef("--expect-epoch must not be negative")
	}
	return nil
}

func (f *changeFlags) plane(store *ledger.Store) *control.Plane {
	drain := f.drain
	if drain == 0 {
		drain = -1
	}
	return control.New(store, &control.Config{DrainTimeout: drain})
}

// change applies one change and shows how it goes on.
func (a *app) change(ctx context.Context, store *ledger.Store, c control.Change, f *changeFlags) (err error) {
	if c.Actor, err = a.who(&f.actorFlags); err != nil {
		return err
	}
	c.Reason, c.ExpectEpoch, c.DryRun, c.NoWait, c.Force = f.reason, f.expect, f.dryRun, f.noWait, f.force
	if len(c.Tenants) > 0 {
		// Who is pinned may be unpinned, whatever else is known of him.
		if _, err := a.checkTenants(ctx, store, c.Migration, c.Tenants, f.newTenant || c.Kind == control.Unpin); err != nil {
			return err
		}
	}
	plane := f.plane(store)
	if !f.yes && !f.dryRun {
		if err := guardNoReturn(ctx, store, plane, &c); err != nil {
			return err
		}
	}
	waiting, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	show := a.changing(c.Migration)
	defer show.line.clear()
	c.Report = func(p control.Progress) {
		if p.Kind == control.Committed && f.timeout > 0 {
			timer := time.AfterFunc(f.timeout, func() { stop(errTimeout) })
			context.AfterFunc(waiting, func() { timer.Stop() })
		}
		show.progress(p)
	}
	result, err := plane.Apply(waiting, c)
	if err == nil || result.Changed {
		show.result(result, err == nil && !f.noWait)
	}
	if err != nil && result.Changed && !is[*control.UnsettledError](err) { // the waiting did not even begin
		err = &control.UnsettledError{Migration: c.Migration, Err: err}
	}
	return a.unsure(ctx, c.Migration, err)
}

var errTimeout = errors.New("--timeout has passed")

// unsure says of an error in the middle of a change that the change may have
// been made.
func (a *app) unsure(ctx context.Context, migration string, err error) error {
	server, ok := errors.AsType[*ledger.ServerError](err)
	switch {
	case err == nil || is[*control.UnsettledError](err):
		return err
	case ctx.Err() != nil:
		return &interruptedError{fmt.Sprintf("interrupted: whether the policy of %s was changed is not known: `crossfade status %s` shows it", migration, migration)}
	case ok && server.Problem == ledger.Lost:
		return fmt.Errorf("%w (whether the policy was changed is not known: `crossfade status %s` shows it)", err, migration)
	}
	return err
}

// settleFirst is how long a step that may be the point of no return waits for
// the step before, so that it can be previewed.
const settleFirst = time.Second

// guardNoReturn refuses a change by which anybody would enter new. Only who
// can be asked to a change that may lead there is looked at twice.
func guardNoReturn(ctx context.Context, store *ledger.Store, plane *control.Plane, c *control.Change) error {
	policy, err := store.Policy(ctx, c.Migration)
	if err != nil {
		return err
	}
	asked := c.To == flags.New && c.Kind != control.Unpin && (c.Kind != control.SetPercentage || c.Share > 0)
	if !asked && policy.Default != flags.New && policy.Step.To != flags.New {
		return nil
	}
	brief, cancel := context.WithTimeout(ctx, settleFirst)
	_, _ = plane.Settle(brief, c.Migration, nil) // what is still open then, the preview reports
	cancel()
	preview := *c
	preview.DryRun, preview.Report = true, nil
	result, err := plane.Apply(ctx, preview)
	if err != nil {
		return err
	}
	entering, err := entersNew(result.Before, result.After)
	if err != nil || !entering {
		if c.ExpectEpoch == 0 {
			c.ExpectEpoch = result.Before.Epoch // what was looked at is what is changed
		}
		return err
	}
	return &noReturnError{c.Migration}
}

// entersNew reports whether any tenant stands at new by one policy and not by
// the one before.
func entersNew(before, after flags.Policy) (bool, error) {
	was, err := before.Compile()
	if err != nil {
		return false, err
	}
	is, err := after.Compile()
	if err != nil {
		return false, err
	}
	for _, policy := range []flags.Policy{before, after} {
		for tenant := range policy.Overrides {
			from, _ := was.Stage(tenant)
			if to, _ := is.Stage(tenant); to == flags.New && from != flags.New {
				return true, nil
			}
		}
	}
	// All tenants in one bucket stand alike, and between two shares all buckets do.
	for _, bucket := range []flags.Share{0, before.Step.Share, after.Step.Share} {
		if bucket < flags.Buckets && atBucket(after, bucket) == flags.New && atBucket(before, bucket) != flags.New {
			return true, nil
		}
	}
	return false, nil
}

func atBucket(p flags.Policy, bucket flags.Share) flags.Stage {
	if bucket < p.Step.Share {
		return p.Step.To
	}
	return p.Default
}
