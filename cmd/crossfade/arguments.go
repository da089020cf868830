package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// exactly accepts the named arguments. A last name with "..." stands for one or more.
func exactly(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		more := strings.HasSuffix(names[len(names)-1], "...")
		switch {
		case len(args) < len(names):
			return usagef("%s is missing", strings.TrimSuffix(names[len(args)], "..."))
		case len(args) > len(names) && !more:
			return usagef("unexpected argument %q: the arguments are %s", args[len(names)], strings.Join(names, " "))
		}
		return nil
	}
}

// candidates returns what an argument or flag may be, given the arguments before it.
type candidates func(ctx context.Context, args []string) []string

// completeArgs completes each argument by its own candidates, and all further
// ones by the last.
func (a *app) completeArgs(byPosition ...candidates) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= len(byPosition) && len(byPosition) < 2 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		find := byPosition[min(len(args), len(byPosition)-1)]
		if find == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return find(cmd.Context(), args), cobra.ShellCompDirectiveNoFileComp
	}
}

func (a *app) completeFlag(cmd *cobra.Command, name string, find candidates) {
	err := cmd.RegisterFlagCompletionFunc(name, func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		return find(cmd.Context(), args), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic("crossfade: " + err.Error()) // the flag is not defined: a mistake in this package
	}
}

// completionTime bounds what a completion may ask of the ledger.
const completionTime = 2 * time.Second

// asked asks the ledger for completions; without an answer there are none.
func (a *app) asked(ctx context.Context, fn func(context.Context, *ledger.Store) ([]string, error)) (found []string) {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	_ = a.withLedger(ctx, func(store *ledger.Store) (err error) {
		found, err = fn(ctx, store)
		return err
	})
	return found
}

func (a *app) migrationNames(ctx context.Context, _ []string) []string {
	return a.asked(ctx, func(ctx context.Context, store *ledger.Store) ([]string, error) {
		migrations, err := store.Migrations(ctx)
		var names []string
		for _, m := range migrations {
			names = append(names, m.Name+"\t"+m.Entity+" from "+m.From+" to "+m.To)
		}
		return names, err
	})
}

func (a *app) stageNames(context.Context, []string) []string { return flags.StageNames() }

// tenantNames are those that the ledger knows of the migration in args.
func (a *app) tenantNames(ctx context.Context, args []string) []string {
	return a.tenants(ctx, args, func(s *ledger.State) []string { return slices.Sorted(maps.Keys(knownTenants(s))) })
}

// pinnedNames are the tenants with an override.
func (a *app) pinnedNames(ctx context.Context, args []string) []string {
	return a.tenants(ctx, args, func(s *ledger.State) []string { return slices.Sorted(maps.Keys(s.Current().Overrides)) })
}

func (a *app) tenants(ctx context.Context, args []string, names func(*ledger.State) []string) []string {
	if len(args) == 0 {
		return nil
	}
	return a.asked(ctx, func(ctx context.Context, store *ledger.Store) ([]string, error) {
		state, err := store.Load(ctx, args[0])
		if err != nil {
			return nil, err
		}
		return slices.DeleteFunc(names(state), func(t string) bool { return slices.Contains(args[1:], t) }), nil
	})
}
