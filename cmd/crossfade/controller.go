package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/ledger"
)

func (a *app) controllerCommand() *cobra.Command {
	return parent("controller", "Judge guardrails, walk ramps, and deliver webhooks",
		`controller does what goes on by itself: it judges guardrails and acts on them, walks ramps, delivers
messages to webhooks, settles what is left unsettled and merges measurements. One of any number of
controllers does it at a time, by a lease in the ledger; another takes over when it is gone. An
application can run one in its own process (control.NewController), and must, for wishes: only it can
ask its flag system.`,
		`  crossfade controller run
  crossfade controller status`,
		a.controllerRun(), a.controllerStatus())
}

func (a *app) controllerRun() *cobra.Command {
	var cfg control.ControllerConfig
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Be a controller until Ctrl-C",
		Long: `run does the controller's work, or waits until it can take over, until Ctrl-C or SIGTERM, which end
it with code 0. Secrets of webhooks are read from its environment. What goes wrong is logged to
standard error and tried again.`,
		Example: "  crossfade controller run --tick 2s",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cfg.Tick <= 0 {
				return usagef("--tick must be more than zero")
			}
			var handler slog.Handler = slog.NewTextHandler(a.err, nil)
			if a.json {
				handler = slog.NewJSONHandler(a.err, nil)
			}
			cfg.Logger, cfg.Env = slog.New(handler), a.env
			return a.withLedger(cmd.Context(), func(store *ledger.Store) error {
				c, err := control.NewController(control.New(store, nil), &cfg)
				if err != nil {
					return err
				}
				return c.Run(cmd.Context())
			})
		},
	}
	a.addDatabase(cmd)
	cmd.Flags().DurationVar(&cfg.Tick, "tick", 5*time.Second, "time between two looks")
	return cmd
}

func (a *app) controllerStatus() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Show which processes control",
		Long:    "status shows who holds the controller's duty, and who walks the wishes of which migration. It ends with code 1 when nobody controls.",
		Example: "  crossfade controller status --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withLedger(cmd.Context(), func(store *ledger.Store) error { return a.duties(cmd.Context(), store) })
		},
	}
	a.addDatabase(cmd)
	return cmd
}

type dutyJSON struct {
	Duty      string    `json:"duty"`
	Holder    string    `json:"holder"`
	Held      bool      `json:"held"`
	Since     time.Time `json:"since"`
	RenewedAt time.Time `json:"renewed_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (a *app) duties(ctx context.Context, store *ledger.Store) error {
	duties, err := store.Duties(ctx)
	if err != nil {
		return err
	}
	all, held := []dutyJSON{}, false
	for _, d := range duties {
		all = append(all, dutyJSON{d.Name, d.Holder, d.Held, d.AcquiredAt, d.RenewedAt, d.ExpiresAt})
		held = held || d.Held && d.Name == control.ControllerDuty
	}
	if a.json {
		err = a.document(map[string]any{"duties": all})
	} else {
		for _, d := range all {
			text := fmt.Sprintf("held by %s since %s", d.Holder, stamp(d.Since))
			if !d.Held {
				text = fmt.Sprintf("held by nobody since %s, last by %s", stamp(d.ExpiresAt), d.Holder)
			}
			a.printf("%-24s %s\n", inLine(d.Duty), inLine(text))
		}
	}
	if err == nil && !held {
		err = errors.New("no controller runs: guardrails are not judged and ramps are not walked: start one with `crossfade controller run`")
	}
	return err
}
