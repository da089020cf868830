package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/crossfade-db/crossfade/ledger"
)

func (a *app) historyCommand() *cobra.Command {
	var filter ledger.HistoryFilter
	cmd := &cobra.Command{
		Use:   "history MIGRATION",
		Short: "Show what was changed, by whom and why, newest first",
		Long: `history shows every change of a migration's policy and every request of work on its data:
when, by whom, why, from what, to what. With --tenant it leaves out what was done to other
single tenants. To read on where a list ended, give the last number to --before.`,
		Example: `  crossfade history customers-v2
  crossfade history customers-v2 --tenant acme --limit 20
  crossfade history customers-v2 --json --before 120`,
		Args:              exactly("MIGRATION"),
		ValidArgsFunction: a.completeArgs(a.migrationNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			if filter.Limit <= 0 {
				return usagef("--limit must be 1 or more")
			}
			return a.withLedger(cmd.Context(), func(store *ledger.Store) error {
				return a.history(cmd.Context(), store, args[0], filter)
			})
		},
	}
	a.addDatabase(cmd)
	cmd.Flags().StringVar(&filter.Tenant, "tenant", "", "leave out what was done to other `tenants`")
	cmd.Flags().IntVar(&filter.Limit, "limit", 100, "how many entries to show")
	cmd.Flags().Int64Var(&filter.Before, "before", 0, "show entries with a smaller `number` only")
	a.completeFlag(cmd, "tenant", a.tenantNames)
	return cmd
}

func (a *app) history(ctx context.Context, store *ledger.Store, migration string, filter ledger.HistoryFilter) error {
	entries, err := store.History(ctx, migration, filter)
	if err != nil {
		return err
	}
	if filter.Tenant != "" {
		if _, err := a.checkTenants(ctx, store, migration, []string{filter.Tenant}, true); err != nil {
			return err
		}
	}
	if a.json {
		all := []entryJSON{}
		for _, e := range entries {
			all = append(all, toEntry(e))
		}
		return a.document(map[string]any{"migration": migration, "entries": all})
	}
	if len(entries) == 0 {
		a.printf("%s: no entries\n", migration)
	}
	for _, e := range entries {
		a.printf("%5d  %s  epoch %-4d %s\n", e.ID, stamp(e.At), e.Epoch, inLine(entryText(e)))
	}
	if len(entries) == filter.Limit {
		a.printf("older entries: crossfade history %s --before %d\n", migration, entries[len(entries)-1].ID)
	}
	return nil
}

// entryText says what was done, by whom and why.
func entryText(e ledger.Entry) string {
	var text strings.Builder
	text.WriteString(e.Kind)
	if e.Tenant != "" {
		text.WriteString(" of tenant " + quoted(e.Tenant))
	}
	text.WriteString(": ")
	if e.From != "" {
		text.WriteString(e.From + " -> ")
	}
	text.WriteString(e.To + ", by " + e.Actor)
	if e.Reason != "" {
		text.WriteString(": " + e.Reason)
	}
	return text.String()
}
