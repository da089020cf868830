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

func (a *app) captureStatus() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status MIGRATION",
		Short: "Show what is captured, the modes, and who bypassed the application",
		Long: `status shows, for each side, the captured tables with the triggers that their partitions lack, whether
they were declared to be all tables that the side writes, whether writes past the application are
recorded or refused now, for which sessions a switch still waits, and who bypassed the application.`,
		Example:           `  crossfade capture status customers-v2`,
		Args:              exactly("MIGRATION"),
		ValidArgsFunction: a.completeArgs(a.migrationNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withLedger(cmd.Context(), func(store *ledger.Store) error { return a.showCapture(cmd.Context(), store, args[0]) })
		},
	}
	a.addDatabase(cmd)
	return cmd
}

type captureSideJSON struct {
	Side       string             `json:"side"`
	Installed  bool               `json:"installed"`
	Leaving    bool               `json:"leaving,omitempty"`
	Mode       string             `json:"mode,omitempty"`
	Drained    bool               `json:"drained"`
	Complete   bool               `json:"complete"` // declared to be all tables of the side
	Holders    []holderJSON       `json:"waits_for,omitempty"`
	Tables     []captureTableJSON `json:"tables,omitempty"`
	Bypassed   int64              `json:"bypassing_statements"` // not accepted yet
	AcceptedAt *time.Time         `json:"accepted_at,omitempty"`
}

type captureTableJSON struct {
	Table       string                `json:"table"`
	Tenant      string                `json:"tenant_column,omitempty"`
	Key         []string              `json:"key_columns"`
	InstalledAt time.Time             `json:"installed_at"`
	Relations   []captureRelationJSON `json:"relations"`
}

type captureRelationJSON struct {
	Name    string   `json:"name"`
	Missing []string `json:"missing_triggers,omitempty"`
}

type captureWriterJSON struct {
	Side        string    `json:"side"`
	Role        string    `json:"role"`
	Application string    `json:"application_name"`
	Table       string    `json:"table"`
	Operation   string    `json:"operation"`
	Deep        bool      `json:"within_trigger_or_cascade,omitempty"`
	Accepted    bool      `json:"accepted"`
	Statements  int64     `json:"statements"`
	Rows        int64     `json:"rows"`
	First       time.Time `json:"first_at"`
	Last        time.Time `json:"last_at"`
}

func (a *app) showCapture(ctx context.Context, store *ledger.Store, migration string) error {
	state, err := store.Load(ctx, migration)
	if err != nil {
		return err
	}
	writers, err := store.CaptureWriters(ctx, state.Migration)
	if err != nil {
		return err
	}
	var sides []captureSideJSON
	for _, side := range []flags.Side{flags.OldSide, flags.NewSide} {
		out, err := captureSide(ctx, store, state, side)
		if err != nil {
			return err
		}
		sides = append(sides, out)
	}
	all := []captureWriterJSON{}
	for _, w := range writers {
		all = append(all, captureWriterJSON{
			Side: w.Side.String(), Role: w.Role, Application: w.Application, Table: w.Table, Operation: w.Operation, Deep: w.Deep,
			Accepted: w.Accepted, Statements: w.Statements, Rows: w.Rows, First: w.First, Last: w.Last,
		})
	}
	if a.json {
		return a.document(map[string]any{"migration": migration, "sides": sides, "writers": all})
	}
	a.printf("%s\n", migration)
	for _, side := range sides {
		a.printCaptureSide(migration, side)
	}
	if len(all) == 0 {
		a.printf("\nnobody is known to have bypassed the application\n")
		return nil
	}
	a.printf("\nbypassed the application:\n")
	for _, w := range all {
		a.printf("  %s\n", inLine(captureWriterText(w)))
	}
	return nil
}

func captureSide(ctx context.Context, store *ledger.Store, state *ledger.State, side flags.Side) (captureSideJSON, error) {
	c := state.Capture[side]
	out := captureSideJSON{Side: side.String(), Installed: c.Installed, Leaving: c.Leaving, Bypassed: c.Bypassed, AcceptedAt: c.AcceptedAt}
	if !c.Installed {
		return out, nil
	}
	out.Drained, out.Complete = c.Drained, c.Complete
	out.Mode = ledger.CaptureRefuses.String()
	if c.Recording() {
		out.Mode = ledger.CaptureRecords.String()
	}
	if !c.Drained {
		holders, err := store.CaptureHolders(ctx, state.Migration, side)
		if err != nil {
			return out, err
		}
		out.Holders = toHolders(holders)
	}
	for _, t := range c.Tables {
		table := captureTableJSON{Table: t.Schema + "." + t.Table, Tenant: t.Tenant, Key: t.Key, InstalledAt: t.InstalledAt}
		for _, r := range t.Relations {
			table.Relations = append(table.Relations, captureRelationJSON{Name: r.String(), Missing: r.Missing})
		}
		out.Tables = append(out.Tables, table)
	}
	return out, nil
}

func (a *app) printCaptureSide(migration string, s captureSideJSON) {
	if !s.Installed {
		a.printf("  %s side: not captured\n", s.Side)
		return
	}
	text := fmt.Sprintf("  %s side: mode %s", s.Side, s.Mode)
	if s.Leaving {
		text += ", to be removed"
	}
	if !s.Drained {
		text += ", not drained yet"
	}
	if s.Complete {
		text += ", declared to be all tables"
	} else {
		text += ", not declared to be all tables: writes stay fenced"
	}
	a.printf("%s\n", text)
	for _, h := range s.Holders {
		a.printf("    waits for %s\n", inLine(ledger.Holder(h).String()))
	}
	for _, t := range s.Tables {
		tenant := "no tenant"
		if t.Tenant != "" {
			tenant = "tenant " + t.Tenant
		}
		a.printf("    %s (%s, key %s)", inLine(t.Table), inLine(tenant), inLine(strings.Join(t.Key, ", ")))
		missing := 0
		for _, r := range t.Relations {
			if len(r.Missing) > 0 {
				missing++
			}
		}
		if missing == 0 {
			a.printf(": triggers on %s\n", plural(len(t.Relations), "relation"))
			continue
		}
		a.printf(": triggers are missing, run `crossfade capture install %s` again\n", migration)
		for _, r := range t.Relations {
			if len(r.Missing) > 0 {
				a.printf("      %s lacks %s\n", inLine(r.Name), strings.Join(r.Missing, ", "))
			}
		}
	}
	if s.Bypassed > 0 {
		a.printf("    %s bypassed the application and hold the step into live: `crossfade capture accept %s --side %s`\n",
			plural(s.Bypassed, "statement"), migration, s.Side)
	}
}

func captureWriterText(w captureWriterJSON) string {
	text := fmt.Sprintf("%s, %s: %s of %s, %s, %s, %s to %s", w.Role, quoted(w.Application), w.Operation, w.Table,
		plural(w.Statements, "statement"), plural(w.Rows, "row"), stamp(w.First), stamp(w.Last))
	if w.Deep {
		text += " (within a trigger or cascade)"
	}
	if w.Accepted {
		text += " (accepted)"
	}
	return text
}
