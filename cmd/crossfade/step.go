package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// stepFlags say who is to move.
type stepFlags struct {
	changeFlags
	percent string
	of      string
	tenants []string
	walk    bool
}

func (a *app) stepCommand() *cobra.Command {
	var f stepFlags
	cmd := &cobra.Command{
		Use:   "step MIGRATION STAGE",
		Short: "Move everybody, a percentage or some tenants to an adjacent rung",
		Long: `step moves to STAGE, which is one of old, dual, shadow, live, rampdown and new,

  everybody whom no pin names, which ends a percentage step,
  with --percent that share of them, always the same ones first (0 takes the step back);
  with --of keys, that share of the keys of each of them, between stages that write both sides,
  with --tenant those tenants, who are then pinned there, as by crossfade pin.

A step leads to an adjacent rung, up or down, and is refused with every reason that speaks
against it. Once the new policy is in force, step waits until no transaction and no process of
the fleet acts on an older one; Ctrl-C and --timeout end that waiting, never the step.

With --walk it goes rung by rung, as fast as the rules allow: down to old for a rollback.

Past new there is no instant way back: that step needs --yes.`,
		Example: `  crossfade step customers-v2 dual --percent 5 --reason "canary"
  crossfade step customers-v2 dual
  crossfade step customers-v2 live --percent 5 --of keys
  crossfade step customers-v2 shadow --tenant acme --tenant initech
  crossfade step customers-v2 live --dry-run
  crossfade step customers-v2 old --walk --reason "wrong totals"
  crossfade step customers-v2 new --yes --expect-epoch 17`,
		Args:              exactly("MIGRATION", "STAGE"),
		ValidArgsFunction: a.completeArgs(a.migrationNames, a.stageNames, nil),
		RunE: func(cmd *cobra.Command, args []string) error {
			stage, err := flags.ParseStage(args[1])
			if err != nil {
				return err
			}
			if err := f.check(); err != nil {
				return err
			}
			if f.walk {
				return a.walk(cmd.Context(), args[0], stage, &f)
			}
			c, err := f.change(args[0], stage)
			if err != nil {
				return err
			}
			return a.withLedger(cmd.Context(), func(store *ledger.Store) error {
				return a.step(cmd.Context(), store, c, &f)
			})
		},
	}
	a.addDatabase(cmd)
	f.add(cmd)
	f.addNewTenant(cmd)
	cmd.Flags().StringVar(&f.percent, "percent", "", "move this `percentage` of the tenants or keys, 0 to 100 in steps of 0.01")
	cmd.Flags().StringVar(&f.of, "of", "", "`what` --percent is a share of: tenants (the default) or keys")
	cmd.Flags().StringArrayVar(&f.tenants, "tenant", nil, "move this `tenant`; may be given again")
	cmd.Flags().BoolVar(&f.walk, "walk", false, "go rung by rung to the stage")
	a.completeFlag(cmd, "tenant", a.tenantNames)
	a.completeFlag(cmd, "of", func(context.Context, []string) []string { return []string{"tenants", "keys"} })
	return cmd
}

func (f *stepFlags) check() error {
	switch {
	case f.percent != "" && len(f.tenants) > 0:
		return usagef("--percent and --tenant cannot go together: a percentage is of the tenants whom no pin names")
	case f.of != "" && f.percent == "":
		return usagef("--of says what --percent is a share of: name both")
	case f.walk && f.percent != "":
		return usagef("--walk and --percent cannot go together: a walk is for everybody, or for --tenant")
	case f.walk && (f.dryRun || f.noWait):
		return usagef("--walk takes no --dry-run and no --no-wait: each of its steps depends on the one before")
	case f.walk && f.force:
		return usagef("--walk takes no --force: force one step at a time")
	case f.walk && f.expect > 0:
		return usagef("--walk takes no --expect-epoch: it passes several epochs")
	}
	return f.changeFlags.check()
}

func (f *stepFlags) change(migration string, stage flags.Stage) (control.Change, error) {
	c := control.Change{Migration: migration, Kind: control.SetDefault, To: stage}
	switch {
	case len(f.tenants) > 0:
		c.Kind, c.Tenants = control.SetTenants, f.tenants
	case f.percent != "":
		share, err := flags.ParseShare(f.percent)
		if err != nil {
			return c, err
		}
		c.Kind, c.Share = control.SetPercentage, share
		if f.of != "" {
			if c.Of, err = flags.ParseShareOf(f.of); err != nil {
				return c, usagef("--of: %v", err)
			}
		}
	}
	return c, nil
}

func (a *app) step(ctx context.Context, store *ledger.Store, c control.Change, f *stepFlags) error {
	if c.Kind == control.SetPercentage && c.Share == 0 {
		policy, err := store.Policy(ctx, c.Migration)
		if err != nil {
			return err
		}
		if policy.Step.Share > 0 && policy.Step.To != c.To {
			return usagef("%s: the percentage step in force leads to %s, not to %s", c.Migration, policy.Step.To, c.To)
		}
	}
	return a.change(ctx, store, c, &f.changeFlags)
}

// walk goes rung by rung.
func (a *app) walk(ctx context.Context, migration string, to flags.Stage, f *stepFlags) error {
	actor, err := a.who(&f.actorFlags)
	if err != nil {
		return err
	}
	return a.withLedger(ctx, func(store *ledger.Store) error {
		state, err := a.checkTenants(ctx, store, migration, f.tenants, f.newTenant)
		if err != nil {
			return err
		}
		if to == flags.New && !f.yes && !arrived(state.Current().Policy, f.tenants) {
			return &noReturnError{migration}
		}
		walking, stop := ctx, func() {}
		if f.timeout > 0 {
			walking, stop = context.WithTimeoutCause(ctx, f.timeout, errTimeout)
		}
		defer stop()
		show := a.changing(migration)
		defer show.line.clear()
		done, err := f.plane(store).Walk(walking, control.Walk{
			Migration: migration, To: to, Tenants: f.tenants, Actor: actor, Reason: f.reason,
			Report: show.progress, Step: func(r control.Result) { show.result(r, r.Settled) },
		})
		if err != nil {
			return a.walkEnded(ctx, walking, migration, len(done), err)
		}
		show.walked(to, len(done))
		return nil
	})
}

// arrived reports whether nobody of those who walk has to step into new.
func arrived(p flags.Policy, tenants []string) bool {
	if len(tenants) == 0 {
		return p.Default == flags.New && p.Step.Share == 0
	}
	for _, t := range tenants {
		if p.Overrides[t] != flags.New {
			return false
		}
	}
	return true
}

// walkEnded says what an error means after some steps of a walk.
func (a *app) walkEnded(ctx, walking context.Context, migration string, done int, err error) error {
	if done > 0 && !a.json {
		a.note("%s: %s of the walk stay done", migration, plural(done, "step"))
	}
	timedOut := errors.Is(context.Cause(walking), errTimeout) && ctx.Err() == nil
	if timedOut && !is[*control.UnsettledError](err) && !is[*control.StepError](err) && !is[*ledger.ConflictError](err) {
		return &waitingError{fmt.Sprintf("%s: the walk stopped: %v: `crossfade status %s` shows where it stands", migration, errTimeout, migration)}
	}
	return a.unsure(ctx, migration, err)
}

// walked shows the end of a walk.
func (c *changing) walked(to flags.Stage, steps int) {
	if c.app.json {
		c.app.event(map[string]any{"event": "walked", "migration": c.migration, "to": to, "steps": steps})
		return
	}
	c.line.keep(fmt.Sprintf("%s: arrived at %s after %s", c.migration, to, plural(steps, "step")))
}
