package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// migrationOrAll takes the migration's name, or --all.
func migrationOrAll(args []string, all bool) (string, error) {
	switch {
	case all && len(args) > 0:
		return "", usagef("name a migration or give --all, not both")
	case all:
		return "", nil
	case len(args) == 0:
		return "", usagef("MIGRATION is missing: name one, or give --all")
	}
	return args[0], nil
}

// moment reads a time as RFC 3339, or as that long from now on.
func (a *app) moment(flag, text string) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return a.now().Add(d), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, usagef("--%s %q: use a time such as 2026-12-24T00:00:00Z, or 36h from now on", flag, text)
	}
	return at, nil
}

func (a *app) freezeCommand() *cobra.Command {
	var f recordFlags
	var all bool
	var from, until string
	cmd := &cobra.Command{
		Use:   "freeze MIGRATION",
		Short: "Keep everybody from moving up for a while",
		Long: `freeze keeps everybody from moving up, by whatever command, ramp or wish, from --from (now) until
--until (until crossfade unfreeze). Stepping down always works, and --force with a reason steps up
all the same.`,
		Example: `  crossfade freeze customers-v2 --until 36h --reason "sale"
  crossfade freeze --all --from 2026-12-23T18:00:00Z --until 2027-01-02T08:00:00Z --reason "holidays"`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeArgs(a.migrationNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := migrationOrAll(args, all)
			if err != nil {
				return err
			}
			if f.reason == "" {
				return usagef("say why: --reason")
			}
			freeze := ledger.Freeze{Migration: name, Reason: f.reason}
			done := "frozen"
			if from != "" {
				if freeze.From, err = a.moment("from", from); err != nil {
					return err
				}
				done += " from " + stamp(freeze.From)
			}
			if until != "" {
				at, err := a.moment("until", until)
				if err != nil {
					return err
				}
				freeze.Until = &at
				done += " until " + stamp(at)
			}
			return a.record(cmd.Context(), name, done, &f, nil, func(store *ledger.Store, actor string) error {
				freeze.Actor = actor
				_, err := store.AddFreeze(cmd.Context(), freeze)
				return err
			})
		},
	}
	a.addDatabase(cmd)
	f.add(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "all migrations, those to come included")
	cmd.Flags().StringVar(&from, "from", "", "when it begins: a `time`, or how long from now on (default now)")
	cmd.Flags().StringVar(&until, "until", "", "when it ends: a `time`, or how long from now on (default never)")
	return cmd
}

func (a *app) unfreezeCommand() *cobra.Command {
	var f recordFlags
	var all bool
	cmd := &cobra.Command{
		Use:   "unfreeze MIGRATION",
		Short: "End the freezes of a migration",
		Long: `unfreeze ends all freezes of a migration, those to come included. A freeze of all migrations is ended
by --all alone.`,
		Example: `  crossfade unfreeze customers-v2
  crossfade unfreeze --all`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeArgs(a.migrationNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := migrationOrAll(args, all)
			if err != nil {
				return err
			}
			return a.record(cmd.Context(), name, "no freeze of its own any more", &f, nil, func(store *ledger.Store, actor string) error {
				ended, err := store.EndFreezes(cmd.Context(), name, actor, f.reason)
				if err == nil && ended == 0 {
					a.note("there was no freeze to end")
				}
				return err
			})
		},
	}
	a.addDatabase(cmd)
	f.add(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "the freezes of all migrations together")
	return cmd
}

func (a *app) protectCommand() *cobra.Command {
	var f recordFlags
	var off bool
	cmd := &cobra.Command{
		Use:   "protect MIGRATION STAGE",
		Short: "Let nobody step up into a stage without another person's approval",
		Long: `protect makes every step up into STAGE, by whatever command, ramp or wish, need the approval of
another person than the one who asks for it. --off takes that back.`,
		Example: `  crossfade protect customers-v2 live
  crossfade protect customers-v2 live --off --reason "rehearsal"`,
		Args:              exactly("MIGRATION", "STAGE"),
		ValidArgsFunction: a.completeArgs(a.migrationNames, a.stageNames, nil),
		RunE: func(cmd *cobra.Command, args []string) error {
			stage, err := flags.ParseStage(args[1])
			if err != nil {
				return err
			}
			if stage == flags.Old {
				return usagef("nobody steps up into old")
			}
			done := fmt.Sprintf("%s needs an approval", stage)
			if off {
				done = fmt.Sprintf("%s needs no approval", stage)
			}
			return a.record(cmd.Context(), args[0], done, &f, nil, func(store *ledger.Store, actor string) error {
				_, err := store.Protect(cmd.Context(), args[0], stage, !off, actor, f.reason)
				return err
			})
		},
	}
	a.addDatabase(cmd)
	f.add(cmd)
	cmd.Flags().BoolVar(&off, "off", false, "take the protection away")
	return cmd
}

func (a *app) approveCommand() *cobra.Command {
	var f recordFlags
	var lasts time.Duration
	cmd := &cobra.Command{
		Use:   "approve MIGRATION STAGE",
		Short: "Approve steps of other people up into a protected stage",
		Long: `approve lets steps up into STAGE through for a while, those that another person asks for: one's own
approval counts for nothing. The steps of a ramp are approved by crossfade ramp approve.`,
		Example:           `  crossfade approve customers-v2 live --for 4h --reason "figures look good"`,
		Args:              exactly("MIGRATION", "STAGE"),
		ValidArgsFunction: a.completeArgs(a.migrationNames, a.stageNames, nil),
		RunE: func(cmd *cobra.Command, args []string) error {
			stage, err := flags.ParseStage(args[1])
			if err != nil {
				return err
			}
			if lasts <= 0 || stage == flags.Old {
				return usagef("name a stage above old, and a time that is more than zero")
			}
			done := fmt.Sprintf("steps of others into %s are approved for %s", stage, lasts)
			return a.record(cmd.Context(), args[0], done, &f, nil, func(store *ledger.Store, actor string) error {
				return store.Approve(cmd.Context(), args[0], stage, lasts, actor, f.reason)
			})
		},
	}
	a.addDatabase(cmd)
	f.add(cmd)
	cmd.Flags().DurationVar(&lasts, "for", 24*time.Hour, "how long the approval lasts")
	return cmd
}
