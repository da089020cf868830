package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/crossfade-db/crossfade/ledger"
)

// recordFlags are those of commands that write something down for the
// controller and the rules, and change no policy themselves.
type recordFlags struct {
	actorFlags
	dryRun bool
}

func (f *recordFlags) add(cmd *cobra.Command) {
	f.actorFlags.add(cmd)
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what would be done, and change nothing")
}

// record writes something down and says so. check, if not nil, is asked in a
// dry run as well.
func (a *app) record(
	ctx context.Context, migration, done string, f *recordFlags, check func(store *ledger.Store) error,
	do func(store *ledger.Store, actor string) error,
) error {
	actor, err := a.who(&f.actorFlags)
	if err != nil {
		return err
	}
	return a.withLedger(ctx, func(store *ledger.Store) error {
		if migration != "" {
			if _, err := store.Migration(ctx, migration); err != nil {
				return err
			}
		}
		if check != nil {
			if err := check(store); err != nil {
				return err
			}
		}
		if !f.dryRun {
			if err := do(store, actor); err != nil {
				return err
			}
		}
		if a.json {
			return a.document(map[string]any{"migration": migration, "done": done, "dry_run": f.dryRun})
		}
		who := migration
		if who == "" {
			who = "all migrations"
		}
		if f.dryRun {
			who = "would be done, nothing was changed: " + who
		}
		a.printf("%s: %s\n", who, printable(done))
		return nil
	})
}

// parent makes a command whose subcommands do the work.
func parent(use, short, long, example string, subcommands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usagef("say what to do: `crossfade %s --help` shows the commands", cmd.Name())
		},
	}
	cmd.AddCommand(subcommands...)
	return cmd
}
