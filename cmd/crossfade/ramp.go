package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

func (a *app) rampCommand() *cobra.Command {
	return parent("ramp", "Let the controller walk up the ladder by a plan",
		`ramp gives the controller a plan of steps, which it takes one by one, each as soon as nothing speaks
against it: the rules of the ladder, guardrails, freezes, protected stages. What it waits for, and
when it will go on, is in crossfade ramp status. A plan is a file of YAML or JSON:

  steps:
    - {to: dual, percent: 5, hold: 1h}
    - {to: dual, hold: 30m}
    - {to: shadow, percent: 12.5, of: tenants, hold: 24h, min_samples: 10000}
    - {to: shadow, hold: 24h}
    - {to: live, tenants: [acme], approval: true, hold: 48h}
    - {to: live, percent: 10, approval: true, hold: 24h, min_samples: 10000}
    - {to: live, hold: 72h}
  windows:
    - {days: [mon, tue, wed, thu], from: "09:00", to: "16:00"}
  zone: Europe/Berlin

Each step leads to an adjacent rung, and up. It is held, once nobody acts on an older policy, for
as long as hold says, of which only the time counts that a controller looked on, and until so many
calls of the new side were measured as min_samples says. With approval another person than the
ramp's author must approve the step first. Steps are taken within the windows only. A backfill or
verification that is needed is requested by itself. Where somebody else changes the policy, a
guardrail for one, the ramp pauses.`,
		`  crossfade ramp start customers-v2 ramp.yaml --reason "release 4.2"
  crossfade ramp status customers-v2
  crossfade ramp approve customers-v2 --actor ben
  crossfade ramp pause customers-v2 --reason "looking into p99"
  crossfade ramp resume customers-v2
  crossfade ramp abort customers-v2 --down --reason "wrong totals"`,
		a.rampStart(), a.rampStatus(), a.rampApprove(),
		a.rampSet("pause", ledger.RampPaused, "Let no further step of the ramp be taken", "pause stops the ramp where it stands. Time that passes does not count towards a hold."),
		a.rampSet("resume", ledger.RampRunning, "Go on with a paused ramp", "resume goes on where the ramp stands, or with the first step that does not stand any more."),
		a.rampAbort())
}

// readPlan reads a plan of YAML or JSON, which is YAML too.
func readPlan(path string) (control.RampPlan, error) {
	data, err := os.ReadFile(path)
	if path == "-" {
		data, err = io.ReadAll(os.Stdin)
	}
	if err != nil {
		return control.RampPlan{}, usagef("the plan cannot be read: %w", err)
	}
	var any any
	if err := yaml.Unmarshal(data, &any); err != nil {
		return control.RampPlan{}, &control.RampError{Problem: "the plan is neither YAML nor JSON: " + err.Error()}
	}
	text, err := json.Marshal(any)
	if err != nil {
		return control.RampPlan{}, &control.RampError{Problem: "the plan cannot be read: " + err.Error()}
	}
	return control.ParseRampPlan(text)
}

func (a *app) rampStart() *cobra.Command {
	var f recordFlags
	var yes bool
	cmd := &cobra.Command{
		Use:   "start MIGRATION FILE",
		Short: "Start a ramp",
		Long: `start checks the plan in FILE (- is standard input) against the policy in force, and gives it to the
controller. A plan that leads to new, past which there is no instant way back, needs --yes.`,
		Example: `  crossfade ramp start customers-v2 ramp.yaml --dry-run
  crossfade ramp start customers-v2 ramp.yaml --reason "release 4.2"`,
		Args: exactly("MIGRATION", "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			plan, err := readPlan(args[1])
			if err != nil {
				return err
			}
			done := fmt.Sprintf("ramp of %s started", plural(len(plan.Steps), "step"))
			return a.record(cmd.Context(), args[0], done, &f, func(store *ledger.Store) error {
				policy, err := store.Policy(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if err := plan.Validate(policy); err != nil {
					return err
				}
				for _, s := range plan.Steps {
					if s.To == flags.New && !yes {
						return &noReturnError{args[0]}
					}
				}
				return nil
			}, func(store *ledger.Store, actor string) error {
				_, err := control.New(store, nil).StartRamp(cmd.Context(), args[0], plan, actor, f.reason)
				return err
			})
		},
	}
	a.addDatabase(cmd)
	f.add(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "let the ramp step into new, the point of no return")
	return cmd
}

func (a *app) rampSet(verb, to, short, long string) *cobra.Command {
	var f recordFlags
	cmd := &cobra.Command{
		Use: verb + " MIGRATION", Short: short, Long: long,
		Example:           fmt.Sprintf("  crossfade ramp %s customers-v2 --reason \"looking into p99\"", verb),
		Args:              exactly("MIGRATION"),
		ValidArgsFunction: a.completeArgs(a.migrationNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.record(cmd.Context(), args[0], "ramp "+to, &f, nil, func(store *ledger.Store, actor string) error {
				_, err := store.SetRampState(cmd.Context(), args[0], to, actor, f.reason)
				return err
			})
		},
	}
	a.addDatabase(cmd)
	f.add(cmd)
	return cmd
}

func (a *app) rampApprove() *cobra.Command {
	var f recordFlags
	var number int
	cmd := &cobra.Command{
		Use:   "approve MIGRATION",
		Short: "Approve a step of the ramp that another person started",
		Long: `approve lets the ramp take the step that comes next, or that of --step, as long as the ramp goes on. The
ramp's author cannot approve it, in letters of either case.`,
		Example: `  crossfade ramp approve customers-v2 --reason "figures look good"
  crossfade ramp approve customers-v2 --step 6`,
		Args:              exactly("MIGRATION"),
		ValidArgsFunction: a.completeArgs(a.migrationNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			actor, err := a.who(&f.actorFlags)
			if err != nil {
				return err
			}
			return a.withLedger(cmd.Context(), func(store *ledger.Store) error {
				r, plan, err := openRamp(cmd.Context(), store, args[0], "approve")
				if err != nil {
					return err
				}
				step := number - 1
				if number == 0 {
					if step = r.Step; r.Phase != ledger.RampDue {
						step++ // the step that stands was taken already
					}
				}
				if step < 0 || step >= len(plan.Steps) {
					return usagef("%s: the ramp has no step %d that is to come", args[0], step+1)
				}
				if ledger.SamePerson(actor, r.Author) {
					return usagef("%s: %s started the ramp: another person approves it", args[0], r.Author)
				}
				done := fmt.Sprintf("step %d of ramp %d approved (%s)", step+1, r.ID, plan.Steps[step])
				return a.record(cmd.Context(), args[0], done, &f, nil, func(store *ledger.Store, actor string) error {
					return store.ApproveRampStep(cmd.Context(), args[0], r.ID, step, plan.Steps[step].To, actor, f.reason)
				})
			})
		},
	}
	a.addDatabase(cmd)
	f.add(cmd)
	cmd.Flags().IntVar(&number, "step", 0, "the `number` of the step, from one (default the next)")
	return cmd
}

// openRamp returns the ramp in progress and its plan.
func openRamp(ctx context.Context, store *ledger.Store, migration, verb string) (ledger.Ramp, control.RampPlan, error) {
	m, err := store.Migration(ctx, migration)
	if err != nil {
		return ledger.Ramp{}, control.RampPlan{}, err
	}
	r, ok, err := store.LastRamp(ctx, m)
	if err == nil && (!ok || !r.Open()) {
		err = &ledger.RampStateError{Migration: migration, Verb: verb}
	}
	if err != nil {
		return r, control.RampPlan{}, err
	}
	plan, err := control.ParseRampPlan(r.Plan)
	return r, plan, err
}

func (a *app) rampAbort() *cobra.Command {
	var f changeFlags
	var down bool
	cmd := &cobra.Command{
		Use:   "abort MIGRATION",
		Short: "End the ramp, and step down if asked to",
		Long: `abort ends the ramp: nobody moves any more. With --down it then walks everybody, and the tenants that the
plan names, rung by rung to the stage at which the ramp began, as crossfade step --walk does.`,
		Example: `  crossfade ramp abort customers-v2 --reason "not this week"
  crossfade ramp abort customers-v2 --down --reason "wrong totals"`,
		Args:              exactly("MIGRATION"),
		ValidArgsFunction: a.completeArgs(a.migrationNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return a.abortRamp(cmd.Context(), args[0], down, &f)
		},
	}
	a.addDatabase(cmd)
	f.actorFlags.add(cmd)
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what would be done, and change nothing")
	cmd.Flags().BoolVar(&down, "down", false, "walk down to where the ramp began")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 2*time.Minute, "how long to walk with --down; 0 means for ever")
	return cmd
}

func (a *app) abortRamp(ctx context.Context, migration string, down bool, f *changeFlags) error {
	var r ledger.Ramp
	var plan control.RampPlan
	record := recordFlags{actorFlags: f.actorFlags, dryRun: f.dryRun}
	err := a.record(ctx, migration, "ramp aborted", &record, func(store *ledger.Store) (err error) {
		r, plan, err = openRamp(ctx, store, migration, "abort")
		return err
	}, func(store *ledger.Store, actor string) error {
		_, err := store.SetRampState(ctx, migration, ledger.RampAborted, actor, f.reason)
		return err
	})
	if err != nil || !down || f.dryRun {
		return err
	}
	var tenants []string
	for _, s := range plan.Steps {
		tenants = append(tenants, s.Tenants...)
	}
	back := stepFlags{changeFlags: *f}
	back.drain, back.newTenant, back.yes = 30*time.Second, true, true
	err = a.walk(ctx, migration, r.From, &back)
	if len(tenants) > 0 {
		back.tenants = tenants
		err = errors.Join(err, a.walk(ctx, migration, r.From, &back))
	}
	return err
}

func (a *app) rampStatus() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "status MIGRATION",
		Short:             "Show where the ramp stands, and what it waits for",
		Long:              "status shows the ramp in progress, or the last one: its steps, what it waits for, and when it goes on.",
		Example:           "  crossfade ramp status customers-v2 --json",
		Args:              exactly("MIGRATION"),
		ValidArgsFunction: a.completeArgs(a.migrationNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withLedger(cmd.Context(), func(store *ledger.Store) error { return a.showRamp(cmd.Context(), store, args[0]) })
		},
	}
	a.addDatabase(cmd)
	return cmd
}

func (a *app) showRamp(ctx context.Context, store *ledger.Store, migration string) error {
	state, err := store.Load(ctx, migration)
	if err != nil {
		return err
	}
	r, ok, err := store.LastRamp(ctx, state.Migration)
	if err != nil {
		return err
	}
	if !ok {
		return &ledger.RampStateError{Migration: migration, Verb: "show"}
	}
	shown, err := toRamp(r, state.At)
	if err != nil {
		return err
	}
	if a.json {
		return a.document(map[string]any{"migration": migration, "ramp": shown})
	}
	a.printf("%s: %s\n", migration, inLine(shown.text()))
	for i, s := range shown.plan.Steps {
		mark := " "
		switch {
		case i < r.Step || r.State == ledger.RampDone:
			mark = "x"
		case i == r.Step:
			mark = ">"
		}
		text := fmt.Sprintf("  %s %2d  %s", mark, i+1, s)
		if s.Hold > 0 {
			text += ", hold " + time.Duration(s.Hold).String()
		}
		if s.MinSamples > 0 {
			text += fmt.Sprintf(", %s samples", grouped(s.MinSamples))
		}
		if s.Approval {
			text += ", approval"
		}
		a.printf("%s\n", text)
	}
	return nil
}

type rampJSON struct {
	ID         int64            `json:"id"`
	State      string           `json:"state"`
	Author     string           `json:"author"`
	Reason     string           `json:"reason,omitempty"`
	Step       int              `json:"step"` // from one
	Steps      int              `json:"steps"`
	Phase      string           `json:"phase"`
	Held       float64          `json:"held_seconds"`
	Samples    int64            `json:"samples"`
	WaitingFor string           `json:"waiting_for,omitempty"`
	Next       *time.Time       `json:"next_step_at,omitempty"` // not before
	Done       *time.Time       `json:"done_at,omitempty"`      // not before
	Plan       control.RampPlan `json:"plan"`

	plan control.RampPlan
	at   time.Time
}

func toRamp(r ledger.Ramp, now time.Time) (rampJSON, error) {
	plan, err := control.ParseRampPlan(r.Plan)
	out := rampJSON{
		ID: r.ID, State: r.State, Author: r.Author, Reason: r.Reason, Step: min(r.Step+1, len(plan.Steps)), Steps: len(plan.Steps), Phase: r.Phase,
		Held: r.Held.Seconds(), Samples: r.Samples, WaitingFor: r.WaitingFor, Plan: plan, plan: plan, at: now,
	}
	if next, done, ok := control.RampETA(plan, r, now); ok {
		out.Next, out.Done = &next, &done
	}
	return out, err
}

// text says in one line where the ramp stands.
func (r rampJSON) text() string {
	text := fmt.Sprintf("ramp %d of %s is %s", r.ID, r.Author, r.State)
	if r.State == ledger.RampDone || r.State == ledger.RampAborted {
		return text
	}
	text += fmt.Sprintf(", step %d of %d (%s) is %s", r.Step, r.Steps, r.plan.Steps[r.Step-1], r.Phase)
	if r.WaitingFor != "" {
		text += ", waits for " + r.WaitingFor
	}
	if r.Done != nil {
		text += fmt.Sprintf("; next step in %s at the earliest, done in %s", short(r.Next.Sub(r.at)), short(r.Done.Sub(r.at)))
	}
	return text
}
