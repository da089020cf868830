package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

func (a *app) statusCommand() *cobra.Command {
	var watch, count bool
	var every time.Duration
	var about flags.Subject
	cmd := &cobra.Command{
		Use:   "status [MIGRATION]",
		Short: "Show who stands where, and what blocks the next step",
		Long: `status shows a migration, or all of them in short:

  the share of the tenants at each stage, by default and percentage, and how many of the
  tenants that the ledger knows by name stand there, pins included;
  what speaks against the next step up and down of those whom no pin names;
  which processes acknowledged the policy in force;
  stale keys, with the age of the oldest; reads compared of those meant to be;
  rows by the version that wrote them, for tables that the application declared;
  open mismatches; jobs with rate and time left.

With --watch it looks again every two seconds, until Ctrl-C. With --tenant it explains where one
tenant stands and why, and with --key where one of its keys does. Rows by version are what the server's
statistics and an index say, and no table is read for them; --count-rows counts them.`,
		Example: `  crossfade status
  crossfade status customers-v2 --watch
  crossfade status customers-v2 --tenant acme --key 42
  crossfade status customers-v2 --json | jq '.migrations[0].up.blocks'`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeArgs(a.migrationNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			if every <= 0 {
				return usagef("--every must be more than zero")
			}
			if count && (watch || about.Tenant != "") {
				return usagef("--count-rows reads whole tables: it goes neither with --watch nor with --tenant")
			}
			if err := checkAbout(about, cmd.Flags().Changed("tenant"), watch, args); err != nil {
				return err
			}
			return a.withLedger(cmd.Context(), func(store *ledger.Store) error {
				if about.Tenant != "" {
					return a.explain(cmd.Context(), store, args[0], about)
				}
				if !watch {
					return a.status(cmd.Context(), store, args, count)
				}
				return a.watch(cmd.Context(), store, args, every)
			})
		},
	}
	a.addDatabase(cmd)
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "look again and again, until Ctrl-C")
	cmd.Flags().DurationVar(&every, "every", 2*time.Second, "time between two looks of --watch")
	cmd.Flags().BoolVar(&count, "count-rows", false, "count rows by their version: reads those tables from end to end, for a minute each at most")
	cmd.Flags().StringVar(&about.Tenant, "tenant", "", "explain where this `tenant` stands; \"default\" where the application has none")
	cmd.Flags().StringVar(&about.Key, "key", "", "explain where this `key` of --tenant stands, by its canonical text")
	a.completeFlag(cmd, "tenant", a.tenantNames)
	return cmd
}

func (a *app) status(ctx context.Context, store *ledger.Store, args []string, count bool) error {
	reports, err := reportsOf(ctx, store, args, count)
	if err != nil {
		return err
	}
	if a.json {
		return a.document(map[string]any{"migrations": reports})
	}
	a.printf("%s", statusText(reports, len(args) == 0))
	return nil
}

// watch looks again and again. Once it has seen anything, problems of the
// server are shown and waited out.
func (a *app) watch(ctx context.Context, store *ledger.Store, args []string, every time.Duration) error {
	text := ""
	for {
		reports, err := reportsOf(ctx, store, args, false)
		switch {
		case err == nil && a.json:
			a.event(map[string]any{"migrations": reports})
		case err == nil:
			text = statusText(reports, len(args) == 0)
			a.redraw(text)
		case ctx.Err() != nil:
			return err
		case text == "" || !is[*ledger.ServerError](err):
			return err
		default:
			a.redraw(text + "\nThe last look failed: " + printable(err.Error()) + "\n")
		}
		if err := pause(ctx, every); err != nil {
			return err
		}
	}
}

// redraw shows text instead of the one before, or below it where there is no terminal.
func (a *app) redraw(text string) {
	if a.terminal {
		a.printf("%s%s%s", home, strings.ReplaceAll(text, "\n", clearRest+"\n"), clearBelow)
		return
	}
	a.printf("%s\n%s\n", stamp(a.now()), text)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reportsOf looks at one migration, or at all.
func reportsOf(ctx context.Context, store *ledger.Store, args []string, count bool) ([]report, error) {
	names := args
	if len(names) == 0 {
		migrations, err := store.Migrations(ctx)
		if err != nil {
			return nil, err
		}
		for _, m := range migrations {
			names = append(names, m.Name)
		}
	}
	reports := []report{}
	for _, name := range names {
		r, err := lookAt(ctx, store, name, count)
		if err != nil {
			return nil, err
		}
		reports = append(reports, r)
	}
	return reports, nil
}

// statusText shows one migration in full, and several in short.
func statusText(reports []report, all bool) string {
	var text strings.Builder
	switch {
	case len(reports) == 0:
		text.WriteString("No migration is registered yet: crossfade init --entity customers --from v1 --to v2\n")
	case len(reports) == 1:
		writeReport(&text, &reports[0])
	case all:
		for i := range reports {
			writeShort(&text, &reports[i])
		}
		fmt.Fprintf(&text, "\ncrossfade status MIGRATION shows more.\n")
	}
	return text.String()
}
