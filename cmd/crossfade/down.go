package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// downFlags say who goes down, and how far.
type downFlags struct {
	actorFlags
	to       string
	tenants  []string
	backfill bool
	dryRun   bool
	timeout  time.Duration
	drain    time.Duration
}

func (a *app) downCommand() *cobra.Command {
	var f downFlags
	cmd := &cobra.Command{
		Use:   "down MIGRATION",
		Short: "Go down rung by rung, as fast as the rules allow: the way back in an emergency",
		Long: `down takes everybody who stands above --to down to it, rung by rung: the default, a percentage
step, and pinned tenants too; with --tenant those tenants alone, who are then pinned.

It waits for whatever goes away by itself (transactions that end, or are terminated after
--drain-timeout; leases that run out; stale keys of the old side that a worker repairs; a
reverse backfill that is under way) and says for what. Where somebody else changes the policy
meanwhile, it says so and goes on from there, down. Whom a rule stops that waiting does not
satisfy it leaves behind by name, pinned where it stands, and says why; the others go on. Ctrl-C
and --timeout end the way where it is. --dry-run shows the way, and what speaks against its
first step now.

From new it goes to live at once. Further down it goes only after a reverse backfill, since the
old side misses what was written at new: --backfill requests it and goes on when it is done.`,
		Example: `  crossfade down customers-v2 --reason "wrong totals"
  crossfade down customers-v2 --dry-run
  crossfade down customers-v2 --to shadow
  crossfade down customers-v2 --tenant acme --tenant initech
  crossfade down customers-v2 --backfill`,
		Args:              exactly("MIGRATION"),
		ValidArgsFunction: a.completeArgs(a.migrationNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := flags.ParseStage(f.to)
			switch {
			case err != nil:
				return usagef("--to: %v", err)
			case f.timeout < 0 || f.drain < 0:
				return usagef("--timeout and --drain-timeout must not be negative")
			}
			return a.down(cmd.Context(), args[0], to, &f)
		},
	}
	a.addDatabase(cmd)
	f.add(cmd)
	cmd.Flags().StringVar(&f.to, "to", flags.Old.String(), "end at this `stage`")
	cmd.Flags().StringArrayVar(&f.tenants, "tenant", nil, "take this `tenant` down; may be given again")
	cmd.Flags().BoolVar(&f.backfill, "backfill", false, "request a reverse backfill where one is needed, and go on when it is done")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "show the way and what is against its first step; change nothing")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "end the way after this long; 0 means never")
	cmd.Flags().DurationVar(&f.drain, "drain-timeout", 30*time.Second, "terminate transactions that act on an older policy after this long; 0 means never")
	a.completeFlag(cmd, "tenant", a.tenantNames)
	a.completeFlag(cmd, "to", a.stageNames)
	return cmd
}

// down walks down, and requests the reverse backfill that is in its way.
func (a *app) down(ctx context.Context, migration string, to flags.Stage, f *downFlags) error {
	actor, err := a.who(&f.actorFlags)
	if err != nil {
		return err
	}
	return a.withLedger(ctx, func(store *ledger.Store) error {
		state, err := a.checkTenants(ctx, store, migration, f.tenants, false)
		if err != nil {
			return err
		}
		if below(state.Current().Policy, f.tenants, to) {
			return usagef("%s: some of them stand below %s: `crossfade step` takes them up", migration, to)
		}
		if f.dryRun {
			return a.way(ctx, control.New(store, nil), control.Walk{Migration: migration, To: to, Tenants: f.tenants, Everybody: true})
		}
		walking, stop := ctx, func() {}
		if f.timeout > 0 {
			walking, stop = context.WithTimeoutCause(ctx, f.timeout, errTimeout)
		}
		defer stop()
		show := a.changing(migration)
		defer show.line.clear()
		plane := (&changeFlags{drain: f.drain}).plane(store)
		walk := control.Walk{
			Migration: migration, To: to, Tenants: f.tenants, Everybody: true, Actor: actor, Reason: f.reason,
			Report: show.progress, Step: func(r control.Result) { show.result(r, r.Settled) },
		}
		steps := 0
		for {
			done, err := plane.Walk(walking, walk)
			steps += len(done)
			tenants, missed := needsBackfill(err)
			switch {
			case err == nil:
				show.walked(to, steps)
				return nil
			case missed && !f.backfill && !a.json:
				a.note("%s: `crossfade down %s --backfill` requests the reverse backfill, and goes on when it is done", migration, migration)
			case missed && f.backfill:
				if err := requestReverse(walking, store, migration, actor, f.reason, tenants); err != nil {
					return err
				}
				continue
			}
			return a.walkEnded(ctx, walking, migration, steps, err)
		}
	})
}

// below reports whether anybody who is to go down would have to go up.
func below(p flags.Policy, tenants []string, to flags.Stage) bool {
	if len(tenants) == 0 {
		return p.Default < to
	}
	compiled, err := p.Compile()
	return err == nil && slices.ContainsFunc(tenants, func(t string) bool {
		stage, _ := compiled.Stage(t)
		return stage < to
	})
}

// needsBackfill reports whether all that ends a walk down is an old side that
// missed writes, and whose; no tenants means everybody's.
func needsBackfill(err error) (tenants []string, missed bool) {
	refused, ok := errors.AsType[*control.StepError](err)
	if !ok {
		return nil, false
	}
	all := false
	for _, b := range refused.Blocks {
		switch {
		case b.Kind == control.BlockOldIncomplete && !b.Mends:
			missed, all = true, all || b.Others
			tenants = append(tenants, b.Tenants...)
		case !b.Mends && !b.Kind.Passes():
			return nil, false
		}
	}
	if all {
		return nil, missed
	}
	return tenants, missed
}

// requestReverse requests a backfill, which copies back at rampdown and live.
func requestReverse(ctx context.Context, store *ledger.Store, migration, actor, reason string, tenants []string) error {
	id, err := store.RequestJob(ctx, ledger.JobRequest{Migration: migration, Kind: ledger.JobBackfill, Tenants: tenants, Actor: actor, Reason: reason})
	if err != nil {
		return hinted(err, migration)
	}
	return remember(ctx, store, migration, actor, &jobFlags{kind: ledger.JobBackfill, tenants: tenants, actorFlags: actorFlags{reason: reason}}, fmt.Sprintf("job %d requested", id))
}
