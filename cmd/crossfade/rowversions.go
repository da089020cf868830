package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/ledger"
)

// rowVersionsJSON is what status says of a table whose rows carry their version.
type rowVersionsJSON struct {
	Table        string           `json:"table"`
	Column       string           `json:"column"`
	TenantColumn string           `json:"tenant_column,omitempty"`
	Rows         *int64           `json:"rows"` // null where nobody knows
	Versions     []rowVersionJSON `json:"versions"`
	Counted      bool             `json:"counted"`  // or an estimate
	Complete     bool             `json:"complete"` // no row is of another version
	EstimatedAt  *time.Time       `json:"estimated_at,omitempty"`
	Problem      string           `json:"problem,omitempty"`
}

type rowVersionJSON struct {
	Version *string  `json:"version"` // null for rows without one
	Rows    *int64   `json:"rows"`    // null where there are some, and it is not known how many
	Percent *float64 `json:"percent,omitempty"`
}

// countWithin bounds the counting of one table's rows.
const countWithin = time.Minute

// rowVersionsOf looks at the tables of an entity: in the statistics of the server,
// or at every row where somebody asked for that.
func rowVersionsOf(ctx context.Context, store *ledger.Store, entity string, count bool) ([]rowVersionsJSON, error) {
	declared, err := store.RowVersions(ctx, entity)
	if err != nil {
		return nil, err
	}
	var all []rowVersionsJSON
	for _, d := range declared {
		var found ledger.RowDistribution
		if count {
			if found, err = store.CountRowVersions(ctx, d, "", countWithin); err != nil && ctx.Err() == nil {
				err = nil // found.Problem says it
			}
		} else {
			found, err = store.RowDistribution(ctx, d)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, toRowVersions(found))
	}
	return all, nil
}

func toRowVersions(found ledger.RowDistribution) rowVersionsJSON {
	r := rowVersionsJSON{
		Table: found.Table, Column: found.Column, TenantColumn: found.TenantColumn, Versions: []rowVersionJSON{},
		Counted: found.Counted, Complete: found.Complete, Problem: found.Problem,
	}
	if found.Rows >= 0 {
		r.Rows = &found.Rows
	}
	if !found.AnalyzedAt.IsZero() && !found.Counted {
		r.EstimatedAt = &found.AnalyzedAt
	}
	for _, c := range found.Versions {
		var v rowVersionJSON
		if !c.Null {
			v.Version = &c.Version
		}
		if c.Rows >= 0 {
			v.Rows = &c.Rows
			if found.Rows > 0 {
				percent := 100 * float64(c.Rows) / float64(found.Rows)
				v.Percent = &percent
			}
		}
		r.Versions = append(r.Versions, v)
	}
	return r
}

func writeRowVersions(w *strings.Builder, r *report) {
	for i := range r.RowVersions {
		t := &r.RowVersions[i]
		head := "Rows"
		if i > 0 {
			head = ""
		}
		var parts []string
		for _, v := range t.Versions {
			parts = append(parts, v.text())
		}
		text := strings.Join(parts, ", ")
		if text == "" {
			text = "not known"
		}
		switch {
		case t.Counted:
			text += fmt.Sprintf(" of %s, counted", plural(*t.Rows, "row"))
		case t.Rows != nil:
			text += fmt.Sprintf(" of about %s", plural(*t.Rows, "row"))
			if t.EstimatedAt != nil {
				text += fmt.Sprintf(", estimated %s ago", short(max(0, r.At.Sub(*t.EstimatedAt))))
			}
		}
		if t.Complete {
			text += "; no others"
		}
		fmt.Fprintf(w, "%-11s %s %s: %s\n", head, inLine(t.Table), inLine(t.Column), text)
		if t.Problem != "" {
			fmt.Fprintf(w, "%-11s   %s\n", "", inLine(t.Problem))
		}
	}
}

func (v rowVersionJSON) text() string {
	name := "without a version"
	if v.Version != nil {
		name = inLine(*v.Version)
	}
	switch {
	case v.Rows == nil:
		return name + " some"
	case v.Percent == nil:
		return fmt.Sprintf("%s %s", name, grouped(*v.Rows))
	}
	return fmt.Sprintf("%s %s", name, control.Amount(ledger.MeasureMismatchRate, *v.Percent/100))
}
