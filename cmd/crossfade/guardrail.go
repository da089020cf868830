package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/ledger"
)

func (a *app) guardrailCommand() *cobra.Command {
	return parent("guardrail", "Hold or step down by rules over what the fleet measures",
		`guardrail keeps rules over what all processes measure in a sliding window. A rule that is violated,
or about which too little was measured, holds every step up, and says why in crossfade status; a
step may be forced past it with --force and a reason. A controller judges them every few seconds:
without one (crossfade controller status) a rule holds as well.

  error-rate     failures per call, new side - old side, such as 1%
  latency-p50    half of the calls take at most this, new side / old side, such as 1.5
  latency-p99    99 of 100 calls take at most this, new side / old side, such as 2
  mismatch-rate  confirmed mismatches per comparison, such as 0.1%
  drop-rate      comparisons that did not take place, of all, such as 50%
  stale-age      since when the oldest stale key is stale, such as 10m

Reads are compared with reads and writes with writes, and the worse of them counts: too few of one
are inconclusive whatever the other says, unless it is violated; of which there are none counts for
nothing. The processes measure when the member of the fleet is given to their routes (repo.Config.Meter).`,
		`  crossfade guardrail add customers-v2 error-rate --above 1% --do step-everybody-down
  crossfade guardrail list customers-v2
  crossfade guardrail check customers-v2
  crossfade guardrail remove customers-v2 3`,
		a.guardrailAdd(), a.guardrailList(), a.guardrailRemove(), a.guardrailCheck())
}

func (a *app) guardrailAdd() *cobra.Command {
	var f recordFlags
	var g ledger.Guardrail
	var above string
	cmd := &cobra.Command{
		Use:   "add MIGRATION MEASURE",
		Short: "Add a rule",
		Long: `add adds a rule that is violated while MEASURE is above --above. What it does then, besides holding:

  hold                 nothing more
  step-tenant-down     the tenants of whom it is violated go down by one rung, by pins; latencies
                       are not measured tenant by tenant and cannot be used with it
  step-everybody-down  those who stand furthest up go down by one rung
  webhook              a message is posted to --url, once for each time that it begins to be violated

No rule takes anybody below dual. After a step down the measuring begins anew. Where a rule is
violated by all together and by no tenant alone, step-tenant-down moves nobody, holds and says so.

A message to a webhook is signed: the header Crossfade-Signature is "v1=" and the hexadecimal
HMAC-SHA256, under the secret, of the header Crossfade-Timestamp, a dot and the body. The secret is
read from the controller's environment variable that --secret-env names; it is stored nowhere. A
message is sent again until the answer is 2xx, for about three hours, with the same Idempotency-Key.`,
		Example: `  crossfade guardrail add customers-v2 error-rate --above 1% --do step-everybody-down
  crossfade guardrail add customers-v2 latency-p99 --above 1.5 --window 10m --min-sample 1000
  crossfade guardrail add customers-v2 mismatch-rate --above 0 --do step-tenant-down
  crossfade guardrail add customers-v2 stale-age --above 10m --do webhook --url $URL --secret-env HOOK`,
		Args: exactly("MIGRATION", "MEASURE"),
		ValidArgsFunction: a.completeArgs(a.migrationNames,
			func(context.Context, []string) []string { return ledger.Measures }, nil),
		RunE: func(cmd *cobra.Command, args []string) error {
			g.Measure = args[1]
			var err error
			if g.Threshold, err = threshold(g.Measure, above); err != nil {
				return err
			}
			if g.Measure == ledger.MeasureStaleAge && !cmd.Flags().Changed("min-sample") {
				g.MinSample = 0
			}
			done := fmt.Sprintf("guardrail added: %s above %s, over %s: %s", g.Measure, control.Amount(g.Measure, g.Threshold), g.Window, g.Action)
			return a.record(cmd.Context(), args[0], done, &f, func(*ledger.Store) error { return g.Validate() },
				func(store *ledger.Store, actor string) error {
					g.CreatedBy = actor
					_, err := store.AddGuardrail(cmd.Context(), args[0], g, f.reason)
					return err
				})
		},
	}
	a.addDatabase(cmd)
	f.add(cmd)
	cmd.Flags().StringVar(&above, "above", "", "the `threshold`: a percentage, a factor or a time, as the measure has it")
	cmd.Flags().DurationVar(&g.Window, "window", 5*time.Minute, "how far back measurements count, at most 24h")
	cmd.Flags().Int64Var(&g.MinSample, "min-sample", 100, "how many calls of each side, or comparisons, are needed to say anything")
	cmd.Flags().StringVar(&g.Action, "do", ledger.ActionHold, "hold, step-tenant-down, step-everybody-down or webhook")
	cmd.Flags().StringVar(&g.URL, "url", "", "where a webhook's messages are posted to")
	cmd.Flags().StringVar(&g.SecretEnv, "secret-env", "", "the `variable` of the controller's environment that holds a webhook's secret")
	a.completeFlag(cmd, "do", func(context.Context, []string) []string { return ledger.Actions })
	return cmd
}

// threshold reads a threshold as people write it.
func threshold(measure, text string) (float64, error) {
	if text == "" {
		return 0, usagef("say from where on the rule is violated: --above")
	}
	bad := func(form string) (float64, error) {
		return 0, usagef("--above %q: for %s use %s", text, measure, form)
	}
	switch measure {
	case ledger.MeasureStaleAge:
		d, err := time.ParseDuration(text)
		if err != nil {
			return bad("a time such as 10m")
		}
		return d.Seconds(), nil
	case ledger.MeasureLatencyP50, ledger.MeasureLatencyP99:
		factor, err := strconv.ParseFloat(strings.TrimSuffix(text, "x"), 64)
		if err != nil {
			return bad("a factor such as 1.5")
		}
		return factor, nil
	case ledger.MeasureErrorRate, ledger.MeasureMismatchRate, ledger.MeasureDropRate:
		share, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
		if err != nil || share != 0 && !strings.HasSuffix(text, "%") {
			return bad("a percentage such as 0.5%")
		}
		return share / 100, nil
	}
	return 0, nil // the ledger says that there is no such measure
}

type guardrailJSON struct {
	ID        int64      `json:"id"`
	Measure   string     `json:"measure"`
	Threshold float64    `json:"threshold"`
	Above     string     `json:"above"`
	MinSample int64      `json:"min_sample"`
	Window    float64    `json:"window_seconds"`
	Action    string     `json:"action"`
	URL       string     `json:"url,omitempty"`
	SecretEnv string     `json:"secret_env,omitempty"`
	CreatedBy string     `json:"created_by"`
	Verdict   string     `json:"verdict,omitempty"`
	Numbers   string     `json:"numbers,omitempty"`
	JudgedAt  *time.Time `json:"judged_at,omitempty"`
}

func toGuardrail(g ledger.Guardrail) guardrailJSON {
	return guardrailJSON{
		ID: g.ID, Measure: g.Measure, Threshold: g.Threshold, Above: control.Amount(g.Measure, g.Threshold), MinSample: g.MinSample,
		Window: g.Window.Seconds(), Action: g.Action, URL: g.URL, SecretEnv: g.SecretEnv, CreatedBy: g.CreatedBy,
		Verdict: g.Verdict, Numbers: g.Numbers, JudgedAt: g.JudgedAt,
	}
}

func (a *app) guardrailList() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "list MIGRATION",
		Short:             "Show the rules, and what the controller found last",
		Long:              "list shows the rules with what the controller found last, and the messages to webhooks that are not delivered.",
		Example:           "  crossfade guardrail list customers-v2",
		Args:              exactly("MIGRATION"),
		ValidArgsFunction: a.completeArgs(a.migrationNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withLedger(cmd.Context(), func(store *ledger.Store) error { return a.guardrails(cmd.Context(), store, args[0]) })
		},
	}
	a.addDatabase(cmd)
	return cmd
}

type webhookJSON struct {
	ID        int64     `json:"id"`
	Guardrail int64     `json:"guardrail"`
	State     string    `json:"state"`
	Attempts  int       `json:"attempts"`
	LastError string    `json:"last_error,omitempty"`
	CreatedAt time.Time `json:"created_at"`
}

func (a *app) guardrails(ctx context.Context, store *ledger.Store, migration string) error {
	state, err := store.Load(ctx, migration)
	if err != nil {
		return err
	}
	messages, err := store.Webhooks(ctx, state.Migration, 100)
	if err != nil {
		return err
	}
	all, open := []guardrailJSON{}, []webhookJSON{}
	for _, g := range state.Guard.Guardrails {
		all = append(all, toGuardrail(g))
	}
	for _, m := range messages {
		if m.State != ledger.WebhookDelivered {
			open = append(open, webhookJSON{m.ID, m.Guardrail, m.State, m.Attempts, m.LastError, m.CreatedAt})
		}
	}
	if a.json {
		return a.document(map[string]any{"migration": migration, "guardrails": all, "webhooks": open})
	}
	if len(all) == 0 {
		a.printf("%s: no guardrails\n", migration)
	}
	for _, g := range all {
		found := "not judged yet"
		if g.Verdict != "" {
			found = fmt.Sprintf("%s %s ago: %s", g.Verdict, short(state.At.Sub(*g.JudgedAt)), g.Numbers)
		}
		a.printf("%4d  %-13s above %-7s over %-6s of at least %d: %s\n      %s\n", g.ID, g.Measure, g.Above,
			short(time.Duration(g.Window*float64(time.Second))), g.MinSample, g.Action, inLine(found))
	}
	for _, m := range open {
		a.printf("message %d of guardrail %d is %s after %s: %s\n", m.ID, m.Guardrail, m.State, plural(m.Attempts, "attempt"), inLine(m.LastError))
	}
	return nil
}

func (a *app) guardrailRemove() *cobra.Command {
	var f recordFlags
	cmd := &cobra.Command{
		Use:               "remove MIGRATION NUMBER",
		Short:             "Take a rule away",
		Long:              "remove takes the rule of that number, as list shows it, away.",
		Example:           `  crossfade guardrail remove customers-v2 3 --reason "measured elsewhere"`,
		Args:              exactly("MIGRATION", "NUMBER"),
		ValidArgsFunction: a.completeArgs(a.migrationNames, nil),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[1], 10, 64)
			if err != nil {
				return usagef("%q is no number of a guardrail: `crossfade guardrail list %s` shows them", args[1], args[0])
			}
			return a.record(cmd.Context(), args[0], fmt.Sprintf("guardrail %d removed", id), &f, func(store *ledger.Store) error {
				state, err := store.Load(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				for _, g := range state.Guard.Guardrails {
					if g.ID == id {
						return nil
					}
				}
				return usagef("%s has no guardrail %d", args[0], id)
			}, func(store *ledger.Store, actor string) error {
				return store.RemoveGuardrail(cmd.Context(), args[0], id, actor, f.reason)
			})
		},
	}
	a.addDatabase(cmd)
	f.add(cmd)
	return cmd
}

func (a *app) guardrailCheck() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check MIGRATION",
		Short: "Judge the rules now, and change nothing",
		Long: `check judges the rules by what the fleet measured, acts on nothing and writes nothing down. It ends
with code 7 when a rule is violated or inconclusive.`,
		Example:           "  crossfade guardrail check customers-v2 --json",
		Args:              exactly("MIGRATION"),
		ValidArgsFunction: a.completeArgs(a.migrationNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withLedger(cmd.Context(), func(store *ledger.Store) error { return a.checkGuardrails(cmd.Context(), store, args[0]) })
		},
	}
	a.addDatabase(cmd)
	return cmd
}

type findingJSON struct {
	Guardrail int64   `json:"guardrail"`
	Measure   string  `json:"measure"`
	Tenant    string  `json:"tenant,omitempty"`
	Verdict   string  `json:"verdict"`
	Value     float64 `json:"value"`
	Numbers   string  `json:"numbers"`
}

func (a *app) checkGuardrails(ctx context.Context, store *ledger.Store, migration string) error {
	all, tenants, err := control.New(store, nil).Findings(ctx, migration)
	if err != nil {
		return err
	}
	found, bad := []findingJSON{}, 0
	for _, f := range append(all, tenants...) {
		found = append(found, findingJSON{f.Guardrail.ID, f.Guardrail.Measure, f.Tenant, f.Verdict, f.Value, f.Numbers})
		if f.Verdict == ledger.VerdictViolated || f.Verdict == ledger.VerdictInconclusive {
			bad++
		}
	}
	if a.json {
		if err := a.document(map[string]any{"migration": migration, "findings": found}); err != nil {
			return err
		}
	} else {
		for _, f := range found {
			who := ""
			if f.Tenant != "" {
				who = fmt.Sprintf(" of tenant %q", f.Tenant)
			}
			a.printf("%4d  %s%s: %s: %s\n", f.Guardrail, f.Measure, who, f.Verdict, inLine(f.Numbers))
		}
	}
	if bad > 0 {
		return &differsError{fmt.Sprintf("%s: %s violated or inconclusive", migration, plural(bad, "guardrail"))}
	}
	return nil
}
