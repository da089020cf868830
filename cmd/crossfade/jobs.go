package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/crossfade-db/crossfade/ledger"
)

// jobFlags say what is to be done about a job.
type jobFlags struct {
	actorFlags
	kind    string
	tenants []string
	detach  bool
	follow  bool
	cancel  bool
	resume  int64
	timeout time.Duration
}

// jobKinds are the commands that request work, in the order of the ladder.
var jobKinds = []struct{ kind, short, long string }{
	{
		ledger.JobBackfill, "Copy every key from one side to the other",
		`backfill copies every key from the side with authority to the other: to the new side at dual and
shadow; back to the old side, as a reverse backfill, at live and rampdown.`,
	},
	{
		ledger.JobVerify, "Compare both sides over every key",
		`verify compares both sides over every key, not only those that traffic happens to read, and ends
with exit code 7 when any differs: crossfade mismatches shows them.`,
	},
	{
		ledger.JobReconcile, "Copy stale keys now, those that failed before too",
		`reconcile copies the stale keys, of which one side missed a write. Workers do that all the time by
themselves; this asks them to try those that failed before again, without waiting.`,
	},
}

const jobsAlike = `

The work needs the application's own code: the command requests a job through the ledger, and
the worker that the application embeds (backfill.Worker) does it. The command follows it to its
end; Ctrl-C ends the following, never the job. There is one open job of a kind for a migration.`

func (a *app) jobCommands() []*cobra.Command {
	var commands []*cobra.Command
	for _, k := range jobKinds {
		commands = append(commands, a.jobCommand(k.kind, k.short, k.long+jobsAlike))
	}
	return commands
}

func (a *app) jobCommand(kind, short, long string) *cobra.Command {
	f := &jobFlags{kind: kind}
	cmd := &cobra.Command{
		Use:   kind + " MIGRATION",
		Short: short,
		Long:  long,
		Example: fmt.Sprintf(`  crossfade %[1]s customers-v2
  crossfade %[1]s customers-v2 --tenant acme --tenant initech
  crossfade %[1]s customers-v2 --detach
  crossfade %[1]s customers-v2 --follow
  crossfade %[1]s customers-v2 --cancel --reason "too much load"
  crossfade %[1]s customers-v2 --resume 12`, kind),
		Args:              exactly("MIGRATION"),
		ValidArgsFunction: a.completeArgs(a.migrationNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return a.withLedger(cmd.Context(), func(store *ledger.Store) error {
				return a.job(cmd.Context(), store, args[0], f)
			})
		},
	}
	a.addDatabase(cmd)
	f.actorFlags.add(cmd)
	cmd.Flags().StringArrayVar(&f.tenants, "tenant", nil, "only this `tenant`; may be given again (default every tenant)")
	cmd.Flags().BoolVar(&f.detach, "detach", false, "request the job and do not follow it")
	cmd.Flags().BoolVar(&f.follow, "follow", false, "follow the open job instead of requesting one")
	cmd.Flags().BoolVar(&f.cancel, "cancel", false, "cancel the open job instead of requesting one")
	cmd.Flags().Int64Var(&f.resume, "resume", 0, "request the cancelled or failed `job` again: it goes on from its checkpoints")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "stop following after this long; 0 means never")
	a.completeFlag(cmd, "tenant", a.tenantNames)
	return cmd
}

func (f *jobFlags) check() error {
	instead := 0
	for _, set := range []bool{f.follow, f.cancel, f.resume != 0} {
		if set {
			instead++
		}
	}
	switch {
	case instead > 1:
		return usagef("--follow, --cancel and --resume cannot go together")
	case instead > 0 && len(f.tenants) > 0:
		return usagef("--tenant goes with a new job only")
	case f.detach && (f.follow || f.cancel):
		return usagef("--detach goes with a new job, or with --resume")
	case f.resume < 0 || f.timeout < 0:
		return usagef("--resume and --timeout must not be negative")
	}
	return nil
}

// job requests, resumes, cancels or follows a job.
func (a *app) job(ctx context.Context, store *ledger.Store, migration string, f *jobFlags) error {
	if f.follow {
		open, err := openJob(ctx, store, migration, f.kind)
		if err != nil {
			return err
		}
		return a.follow(ctx, store, open.ID, f)
	}
	actor, err := a.who(&f.actorFlags)
	if err != nil {
		return err
	}
	var id int64
	verb := "requested"
	switch {
	case f.cancel:
		return a.cancelJob(ctx, store, migration, actor, f)
	case f.resume > 0:
		id, verb = f.resume, "resumed"
		err = resumeJob(ctx, store, migration, f)
	default:
		id, err = store.RequestJob(ctx, ledger.JobRequest{Migration: migration, Kind: f.kind, Tenants: f.tenants, Actor: actor, Reason: f.reason})
	}
	if err != nil {
		return hinted(err, migration)
	}
	if err := remember(ctx, store, migration, actor, f, fmt.Sprintf("job %d %s", id, verb)); err != nil {
		return fmt.Errorf("%s job %d was %s, but that is not in the history: %w", f.kind, id, verb, err)
	}
	if f.detach {
		return a.showDetached(migration, f.kind, id, verb)
	}
	return a.follow(ctx, store, id, f)
}

// hinted says how to look at the job that is in the way.
func hinted(err error, migration string) error {
	if open, ok := errors.AsType[*ledger.JobOpenError](err); ok {
		return fmt.Errorf("%w (`crossfade %s %s --follow` or `--cancel`)", err, open.Kind, migration)
	}
	return err
}

// remember writes into the history what was asked for.
func remember(ctx context.Context, store *ledger.Store, migration, actor string, f *jobFlags, what string) error {
	entry := ledger.Entry{Actor: actor, Reason: f.reason, Kind: f.kind, To: what}
	switch len(f.tenants) {
	case 0:
	case 1:
		entry.Tenant = f.tenants[0]
	default:
		entry.To += " for " + plural(len(f.tenants), "tenant")
	}
	return store.AddHistory(ctx, migration, entry)
}

func (a *app) showDetached(migration, kind string, id int64, verb string) error {
	if a.json {
		a.event(map[string]any{"event": verb, "migration": migration, "kind": kind, "job": id})
		return nil
	}
	a.printf("%s: %s job %d is %s: `crossfade %s %s --follow` shows how it goes on\n", migration, kind, id, verb, kind, migration)
	return nil
}

// openJob returns the requested or running job of a kind.
func openJob(ctx context.Context, store *ledger.Store, migration, kind string) (ledger.JobDetail, error) {
	jobs, err := store.JobsOf(ctx, migration, 0)
	if err != nil {
		return ledger.JobDetail{}, err
	}
	for _, j := range jobs {
		if j.Kind == kind && j.Open() {
			return j, nil
		}
	}
	return ledger.JobDetail{}, usagef("%s: no %s job is open", migration, kind)
}

func (a *app) cancelJob(ctx context.Context, store *ledger.Store, migration, actor string, f *jobFlags) error {
	open, err := openJob(ctx, store, migration, f.kind)
	if err != nil {
		return err
	}
	if err := store.CancelJob(ctx, open.ID, actor, f.reason); err != nil {
		return err
	}
	if err := remember(ctx, store, migration, actor, f, fmt.Sprintf("job %d cancelled", open.ID)); err != nil {
		return fmt.Errorf("%s job %d was cancelled, but that is not in the history: %w", f.kind, open.ID, err)
	}
	if a.json {
		a.event(map[string]any{"event": "cancelled", "migration": migration, "kind": f.kind, "job": open.ID})
		return nil
	}
	a.printf("%s: %s job %d is cancelled. What it did stays done: `crossfade %s %s --resume %d` goes on from there\n",
		migration, f.kind, open.ID, f.kind, migration, open.ID)
	return nil
}

func resumeJob(ctx context.Context, store *ledger.Store, migration string, f *jobFlags) error {
	if _, err := store.Migration(ctx, migration); err != nil {
		return err
	}
	job, err := store.JobByID(ctx, f.resume)
	if err != nil {
		return err
	}
	if job.Migration != migration || job.Kind != f.kind {
		return usagef("job %d is a %s job of %s: crossfade %s %s --resume %d", job.ID, job.Kind, job.Migration, job.Kind, job.Migration, job.ID)
	}
	return store.ResumeJob(ctx, f.resume)
}
