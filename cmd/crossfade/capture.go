package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

func (a *app) captureCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "capture",
		Short: "Record or refuse what is written past the application",
		Long: `capture watches the tables of a migration by triggers. What is written past the application, by
plain SQL, cascades, other triggers, TRUNCATE or replication, is recorded as stale on the other side
and copied by the worker, or where that would come too late, refused with SQLSTATE XF006. The control
plane switches between the two, as the ladder needs it.`,
	}
	cmd.AddCommand(a.captureInstall(), a.captureStatus(), a.captureAccept(), a.captureRemove())
	return cmd
}

// captureFlags are those of the commands that work on one side.
type captureFlags struct {
	actorFlags
	side    string
	dryRun  bool
	timeout time.Duration
	// complete and tables are those of install.
	complete bool
	tables   []backfill.CaptureTable
}

func (f *captureFlags) add(a *app, cmd *cobra.Command, waits bool) {
	a.addDatabase(cmd)
	f.actorFlags.add(cmd)
	cmd.Flags().StringVar(&f.side, "side", "", "the `side` of the migration: old or new")
	if waits {
		cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "print the SQL, and change nothing")
		cmd.Flags().DurationVar(&f.timeout, "timeout", 5*time.Minute, "how long to wait for open writers of the tables")
	}
	a.completeFlag(cmd, "side", func(context.Context, []string) []string { return []string{"old", "new"} })
}

func (f *captureFlags) parsed() (flags.Side, error) {
	side, err := flags.ParseSide(f.side)
	if err != nil {
		return 0, usagef("--side %q: say old or new", f.side)
	}
	if f.timeout < 0 {
		return 0, usagef("--timeout must not be negative")
	}
	return side, nil
}

// tableFlag begins a table, or fills in the last one.
type tableFlag struct {
	tables *[]backfill.CaptureTable
	kind   string
	set    func(t *backfill.CaptureTable, text string)
}

func (t *tableFlag) String() string { return "" }
func (t *tableFlag) Type() string   { return t.kind }

func (t *tableFlag) Set(text string) error {
	if t.kind == "table" {
		schema, table, ok := strings.Cut(text, ".")
		if !ok || schema == "" || table == "" {
			return errors.New("name it with its schema, as in shop.customers")
		}
		*t.tables = append(*t.tables, backfill.CaptureTable{Schema: schema, Table: table})
		return nil
	}
	if len(*t.tables) == 0 {
		return fmt.Errorf("--table comes first, and its --tenant and --key after it")
	}
	t.set(&(*t.tables)[len(*t.tables)-1], text)
	return nil
}

func (a *app) captureInstall() *cobra.Command {
	f := &captureFlags{}
	cmd := &cobra.Command{
		Use:   "install MIGRATION",
		Short: "Install the triggers on tables of one side, or those that are missing",
		Long: `install makes the triggers of one side's tables, on every partition, in one transaction: it waits
until no write to them is uncommitted, and lets others write between its attempts. Each --table is
followed by its own --tenant and --key: the columns whose texts are the tenant and the entity's key,
several separated by commas. Tables without --tenant belong to the one tenant of migrations without
tenants. The old side begins by recording (by refusing, where somebody stands at live or above), the
new side by refusing. Installed on the old side at dual or shadow, the backfill counts no more. Run it
again after a partition was attached. With --complete, writes at old and new run without a fence:
writers of a table that was forgotten are not seen, and a late write into it is then lost. Capture a
further table before the side writes it. The role must own the tables and be granted what an
application's role is, and create on schema crossfade.`,
		Example: `  crossfade capture install customers-v2 --side old --table shop.customers --tenant org --key id --complete
  crossfade capture install customers-v2 --side new --table shop.people --key id --dry-run`,
		Args:              exactly("MIGRATION"),
		ValidArgsFunction: a.completeArgs(a.migrationNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			side, err := f.parsed()
			if err != nil {
				return err
			}
			if len(f.tables) == 0 {
				return usagef("name at least one table: --table schema.table --tenant column --key column")
			}
			return a.withLedger(cmd.Context(), func(store *ledger.Store) error { return a.installCapture(cmd.Context(), store, args[0], side, f) })
		},
	}
	f.add(a, cmd, true)
	cmd.Flags().Var(&tableFlag{tables: &f.tables, kind: "table"}, "table", "a `table` with its schema; may be given again")
	cmd.Flags().Var(&tableFlag{tables: &f.tables, kind: "column", set: func(t *backfill.CaptureTable, text string) { t.Tenant = text }},
		"tenant", "the `column` of the table before with the tenant")
	cmd.Flags().Var(&tableFlag{tables: &f.tables, kind: "columns", set: func(t *backfill.CaptureTable, text string) { t.Key = append(t.Key, strings.Split(text, ",")...) }},
		"key", "the `columns` of the table before with the key, separated by commas")
	cmd.Flags().BoolVar(&f.complete, "complete", false, "these are all the tables that the side writes: writes at old and new then need no fence")
	return cmd
}

func (a *app) installCapture(ctx context.Context, store *ledger.Store, migration string, side flags.Side, f *captureFlags) error {
	actor, err := a.who(&f.actorFlags)
	if err != nil {
		return err
	}
	var done backfill.Installed
	err = a.capturing(ctx, store, f, func(ctx context.Context, c *backfill.Capture) (err error) {
		done, err = c.Install(ctx, migration, side, f.dryRun, f.tables...)
		return err
	})
	if err != nil {
		return err
	}
	names := make([]string, len(f.tables))
	for i, t := range f.tables {
		names[i] = t.String()
	}
	if done.Changed && !f.dryRun {
		err := store.AddHistory(ctx, migration, ledger.Entry{
			Actor: actor, Reason: f.reason, Kind: "capture", To: captureDone(side, names, done),
		})
		if err != nil {
			return fmt.Errorf("capture was installed, but that is not in the history: %w", err)
		}
	}
	if a.json {
		return a.document(map[string]any{
			"migration": migration, "side": side.String(), "tables": names, "mode": done.Mode.String(), "changed": done.Changed,
			"backfill_cleared": done.Cleared, "dry_run": f.dryRun, "statements": done.Statements,
			"declared_complete": done.Declared,
		})
	}
	if f.dryRun {
		for _, statement := range done.Statements {
			a.printf("%s;\n\n", strings.TrimSpace(statement))
		}
		a.printf("-- nothing was changed; the numbers in the names may differ\n")
		return nil
	}
	switch {
	case !done.Changed:
		a.printf("%s: every trigger of the %s side stood already\n", migration, side)
	default:
		a.printf("%s: the %s side is captured (%s); mode: %s\n", migration, side, strings.Join(names, ", "), done.Mode)
	}
	if done.Declared {
		a.printf("These count as all tables that the %s side writes\n", side)
	}
	if done.Cleared {
		a.printf("What was written past the application before is nowhere recorded: run `crossfade backfill %s` again\n", migration)
	}
	return nil
}

// captureDone is what the history says of an install.
func captureDone(side flags.Side, names []string, done backfill.Installed) string {
	text := fmt.Sprintf("%s side: %s, which begins to %s", side, strings.Join(names, ", "), done.Mode)
	if done.Declared {
		text += "; declared to be all tables of the side"
	}
	return text
}

// capturing runs fn with a Capture that shows for whom it waits, within the
// time that the user gave it.
func (a *app) capturing(ctx context.Context, store *ledger.Store, f *captureFlags, fn func(context.Context, *backfill.Capture) error) error {
	line := a.line(plainEvery)
	defer line.clear()
	c := backfill.NewCapture(store.Pool(), &backfill.CaptureConfig{Complete: f.complete, Report: func(w backfill.CaptureWait) {
		if a.json {
			a.event(map[string]any{"event": "waiting", "tables": w.Tables, "holders": toHolders(w.Holders), "waited_seconds": w.Waited.Seconds()})
			return
		}
		line.pass(fmt.Sprintf("waiting %s for writers of %s: %s", short(w.Waited), strings.Join(w.Tables, ", "), holderTexts(w.Holders, 3)))
	}})
	waiting, stop := ctx, context.CancelFunc(func() {})
	if f.timeout > 0 {
		waiting, stop = context.WithTimeoutCause(ctx, f.timeout, errTimeout)
	}
	defer stop()
	err := fn(waiting, c)
	if busy, ok := errors.AsType[*backfill.CaptureBusyError](err); ok && ctx.Err() == nil {
		return &waitingError{busy.Error()}
	}
	return err
}

func (a *app) captureRemove() *cobra.Command {
	f := &captureFlags{}
	cmd := &cobra.Command{
		Use:   "remove MIGRATION",
		Short: "Take the triggers of one side away",
		Long: `remove takes the triggers of one side away, where nothing needs them any more: of the old side while
everybody is at old, or at new if writes at old never ran without a fence (one that is late would be
lost); of the new side while everybody is at new, or at old if writes at new never did; and with no
policy in force or outstanding by which writes of that side run without a fence. Otherwise it says
what it needs, notes that the side's capture is to go, so that the control plane stops relying on it,
and is to be run again.`,
		Example: `  crossfade capture remove customers-v2 --side new
  crossfade capture remove customers-v2 --side old --dry-run`,
		Args:              exactly("MIGRATION"),
		ValidArgsFunction: a.completeArgs(a.migrationNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			side, err := f.parsed()
			if err != nil {
				return err
			}
			return a.withLedger(cmd.Context(), func(store *ledger.Store) error { return a.removeCapture(cmd.Context(), store, args[0], side, f) })
		},
	}
	f.add(a, cmd, true)
	return cmd
}

func (a *app) removeCapture(ctx context.Context, store *ledger.Store, migration string, side flags.Side, f *captureFlags) error {
	actor, err := a.who(&f.actorFlags)
	if err != nil {
		return err
	}
	var statements []string
	err = a.capturing(ctx, store, f, func(ctx context.Context, c *backfill.Capture) (err error) {
		statements, err = c.Remove(ctx, migration, side, f.dryRun)
		return err
	})
	if err != nil {
		return err
	}
	if !f.dryRun {
		err := store.AddHistory(ctx, migration, ledger.Entry{Actor: actor, Reason: f.reason, Kind: "capture", From: side.String() + " side", To: "removed"})
		if err != nil {
			return fmt.Errorf("capture was removed, but that is not in the history: %w", err)
		}
	}
	if a.json {
		return a.document(map[string]any{"migration": migration, "side": side.String(), "dry_run": f.dryRun, "statements": statements})
	}
	if f.dryRun {
		a.printf("%s;\n-- nothing was changed\n", strings.Join(statements, ";\n"))
		return nil
	}
	a.printf("%s: the %s side is no longer captured\n", migration, side)
	return nil
}

func (a *app) captureAccept() *cobra.Command {
	f := &captureFlags{}
	cmd := &cobra.Command{
		Use:   "accept MIGRATION",
		Short: "Take note of what bypassed the application, so that it holds no step up",
		Long: `accept takes note of the statements that bypassed the application so far: they hold the step into
live no more. Those that come later do, and at live they are refused.`,
		Example: `  crossfade capture accept customers-v2 --side old --reason "the nightly job is switched off"`,
		Args:    exactly("MIGRATION"), ValidArgsFunction: a.completeArgs(a.migrationNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			side, err := f.parsed()
			if err != nil {
				return err
			}
			return a.withLedger(cmd.Context(), func(store *ledger.Store) error { return a.acceptCaptures(cmd.Context(), store, args[0], side, f) })
		},
	}
	f.add(a, cmd, false)
	return cmd
}

func (a *app) acceptCaptures(ctx context.Context, store *ledger.Store, migration string, side flags.Side, f *captureFlags) error {
	actor, err := a.who(&f.actorFlags)
	if err != nil {
		return err
	}
	m, err := store.Migration(ctx, migration)
	if err != nil {
		return err
	}
	state, err := store.Load(ctx, migration)
	if err != nil {
		return err
	}
	c := state.Capture[side]
	if _, err := store.AcceptCaptures(ctx, m, side); err != nil {
		return err
	}
	what := fmt.Sprintf("%s side: %s accepted", side, plural(c.Bypassed, "statement"))
	if err := store.AddHistory(ctx, migration, ledger.Entry{Actor: actor, Reason: f.reason, Kind: "capture", From: strings.Join(slices.Sorted(slices.Values(c.Writers)), ", "), To: what}); err != nil {
		return fmt.Errorf("they were accepted, but that is not in the history: %w", err)
	}
	if a.json {
		return a.document(map[string]any{"migration": migration, "side": side.String(), "accepted_statements": c.Bypassed})
	}
	a.printf("%s: %s\n", migration, what)
	return nil
}
