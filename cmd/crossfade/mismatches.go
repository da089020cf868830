package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/ledger"
)

// mismatchFlags say which mismatches are meant.
type mismatchFlags struct {
	actorFlags
	tenant, operation, field string
	limit                    int
	all                      bool
	resolve                  []int64
	resolveAll               bool
}

func (a *app) mismatchesCommand() *cobra.Command {
	var f mismatchFlags
	cmd := &cobra.Command{
		Use:   "mismatches MIGRATION",
		Short: "Show confirmed differences between both sides, field by field",
		Long: `mismatches shows the differences that were confirmed, as a tree: the operation that met them, the
field, and under it each key with what the caller was served and what the other side holds.
Values are redacted unless the field is marked safe. "n of N" counts how often: of all that are
listed, so many were met by this operation, and of those so many in this field.

--field takes a path as it is shown, with [*] for any element of a list. With --resolve or
--resolve-all mismatches are marked as resolved; one that is seen again is open again.`,
		Example: `  crossfade mismatches customers-v2
  crossfade mismatches customers-v2 --tenant acme --field 'Lines[*].Cents'
  crossfade mismatches customers-v2 --resolve 12,13 --reason "mapping fixed"
  crossfade mismatches customers-v2 --field FullName --resolve-all`,
		Args:              exactly("MIGRATION"),
		ValidArgsFunction: a.completeArgs(a.migrationNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.limit <= 0 {
				return usagef("--limit must be 1 or more")
			}
			if len(f.resolve) > 0 && f.resolveAll {
				return usagef("--resolve and --resolve-all cannot go together")
			}
			return a.withLedger(cmd.Context(), func(store *ledger.Store) error {
				return a.mismatches(cmd.Context(), store, args[0], &f)
			})
		},
	}
	a.addDatabase(cmd)
	f.actorFlags.add(cmd)
	cmd.Flags().StringVar(&f.tenant, "tenant", "", "only those of this `tenant`")
	cmd.Flags().StringVar(&f.operation, "operation", "", "only those of this `operation`, such as Customers.Get or verify")
	cmd.Flags().StringVar(&f.field, "field", "", "only those in this `field`")
	cmd.Flags().IntVar(&f.limit, "limit", 100, "how many to show")
	cmd.Flags().BoolVar(&f.all, "all", false, "show those that are resolved, too")
	cmd.Flags().Int64SliceVar(&f.resolve, "resolve", nil, "mark these `numbers` as resolved")
	cmd.Flags().Lookup("resolve").DefValue = "" // not "[]"
	cmd.Flags().BoolVar(&f.resolveAll, "resolve-all", false, "mark all that --tenant, --operation and --field leave as resolved")
	a.completeFlag(cmd, "tenant", a.tenantNames)
	return cmd
}

// mismatches shows or resolves. All are read, and few shown, so that counts are
// right; the ledger bounds how many there are.
func (a *app) mismatches(ctx context.Context, store *ledger.Store, migration string, f *mismatchFlags) error {
	everything, err := store.Mismatches(ctx, migration, ledger.MismatchFilter{Resolved: true, Limit: math.MaxInt32})
	if err != nil {
		return err
	}
	if err := f.check(migration, everything); err != nil {
		return err
	}
	if len(f.resolve) > 0 || f.resolveAll {
		return a.resolve(ctx, store, migration, everything, f)
	}
	listed := f.filter(everything)
	if a.json {
		return a.document(toTree(migration, listed, f.limit))
	}
	a.printf("%s", treeText(toTree(migration, listed, f.limit), f.all))
	return nil
}

// filter returns the mismatches that are meant.
func (f *mismatchFlags) filter(all []ledger.Mismatch) []ledger.Mismatch {
	return slices.DeleteFunc(slices.Clone(all), func(m ledger.Mismatch) bool {
		return m.ResolvedAt != nil && !f.all || f.tenant != "" && m.Tenant != f.tenant ||
			f.operation != "" && m.Operation != f.operation || f.field != "" && !inField(m.Field, f.field)
	})
}

func inField(path, field string) bool { return path == field || compare.Pattern(path) == field }

// check refuses names that no mismatch ever had: they are misspelt.
func (f *mismatchFlags) check(migration string, all []ledger.Mismatch) error {
	for _, filter := range []struct {
		what, value string
		of          func(ledger.Mismatch) string
		same        func(have, want string) bool
	}{
		{"tenant", f.tenant, func(m ledger.Mismatch) string { return m.Tenant }, func(a, b string) bool { return a == b }},
		{"operation", f.operation, func(m ledger.Mismatch) string { return m.Operation }, func(a, b string) bool { return a == b }},
		{"field", f.field, func(m ledger.Mismatch) string { return m.Field }, inField},
	} {
		if filter.value == "" || len(all) == 0 {
			continue
		}
		var names []string
		met := false
		for _, m := range all {
			name := filter.of(m)
			met = met || filter.same(name, filter.value)
			if filter.what == "field" {
				name = compare.Pattern(name)
			}
			if name != "" {
				names = append(names, name)
			}
		}
		if met {
			continue
		}
		slices.Sort(names)
		names = slices.Compact(names)
		return usagef("%s: no mismatch, open or resolved, has the %s %q: there are %s", migration, filter.what, filter.value, some(names, 10))
	}
	return nil
}

// resolve marks mismatches as resolved.
func (a *app) resolve(ctx context.Context, store *ledger.Store, migration string, all []ledger.Mismatch, f *mismatchFlags) error {
	actor, err := a.who(&f.actorFlags)
	if err != nil {
		return err
	}
	ids := f.resolve
	if f.resolveAll {
		for _, m := range f.filter(all) {
			if m.ResolvedAt == nil {
				ids = append(ids, m.ID)
			}
		}
	}
	known := map[int64]bool{}
	for _, m := range all {
		known[m.ID] = true
	}
	for _, id := range ids {
		if !known[id] {
			return usagef("%s: mismatch %d is not in the ledger; nothing was changed", migration, id)
		}
	}
	var resolved int64
	if len(ids) > 0 {
		if resolved, err = store.ResolveMismatches(ctx, migration, ledger.MismatchFilter{IDs: ids}); err != nil {
			return err
		}
	}
	if resolved > 0 {
		entry := ledger.Entry{Actor: actor, Reason: f.reason, Kind: "resolve", Tenant: f.tenant, To: plural(resolved, "mismatch") + " resolved" + f.which()}
		if err := store.AddHistory(ctx, migration, entry); err != nil {
			return fmt.Errorf("%s resolved, but that is not in the history: %w", plural(resolved, "mismatch"), err)
		}
	}
	if a.json {
		return a.document(map[string]any{"migration": migration, "resolved": resolved})
	}
	a.printf("%s: %s resolved\n", migration, plural(resolved, "mismatch"))
	return nil
}

// which says by what those to resolve were chosen.
func (f *mismatchFlags) which() string {
	var parts []string
	if f.operation != "" {
		parts = append(parts, "operation "+f.operation)
	}
	if f.field != "" {
		parts = append(parts, "field "+f.field)
	}
	if len(parts) == 0 {
		return ""
	}
	return " of " + strings.Join(parts, ", ")
}
