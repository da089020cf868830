package main

import (
	"github.com/spf13/cobra"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

func (a *app) pinCommand() *cobra.Command {
	var f changeFlags
	var stage string
	cmd := &cobra.Command{
		Use:   "pin MIGRATION TENANT...",
		Short: "Pin tenants to a stage, whatever default and percentage say",
		Long: `pin moves tenants to a stage adjacent to theirs, where they stay until they are pinned elsewhere
or unpinned. It is what crossfade step --tenant does, and the same rules hold.`,
		Example: `  crossfade pin customers-v2 acme --stage dual
  crossfade pin customers-v2 acme initech --stage shadow --reason "early adopters"`,
		Args:              exactly("MIGRATION", "TENANT..."),
		ValidArgsFunction: a.completeArgs(a.migrationNames, a.tenantNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			if stage == "" {
				return usagef("name the stage: --stage is one of %s", some(flags.StageNames(), 6))
			}
			to, err := flags.ParseStage(stage)
			if err != nil {
				return err
			}
			return a.changeTenants(cmd, control.Change{Migration: args[0], Kind: control.SetTenants, To: to, Tenants: args[1:]}, &f)
		},
	}
	a.addDatabase(cmd)
	f.add(cmd)
	f.addNewTenant(cmd)
	cmd.Flags().StringVar(&stage, "stage", "", "the `stage` to pin to: old, dual, shadow, live, rampdown or new")
	a.completeFlag(cmd, "stage", a.stageNames)
	return cmd
}

func (a *app) unpinCommand() *cobra.Command {
	var f changeFlags
	cmd := &cobra.Command{
		Use:   "unpin MIGRATION TENANT...",
		Short: "Take pins away, so that default and percentage hold again",
		Long: `unpin takes the pins of tenants away: they move to where default and percentage put them, which
must be an adjacent rung, or the one at which they stand.`,
		Example: `  crossfade unpin customers-v2 acme
  crossfade unpin customers-v2 acme initech --dry-run`,
		Args:              exactly("MIGRATION", "TENANT..."),
		ValidArgsFunction: a.completeArgs(a.migrationNames, a.pinnedNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeTenants(cmd, control.Change{Migration: args[0], Kind: control.Unpin, Tenants: args[1:]}, &f)
		},
	}
	a.addDatabase(cmd)
	f.add(cmd)
	return cmd
}

func (a *app) changeTenants(cmd *cobra.Command, c control.Change, f *changeFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	return a.withLedger(cmd.Context(), func(store *ledger.Store) error {
		return a.change(cmd.Context(), store, c, f)
	})
}
