package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/ledger"
)

// comparedFor is the time whose comparisons status shows.
const comparedFor = time.Hour

// comparisons are those of comparedFor: how many reads were meant to be
// compared, and what became of them. Without the others, a rate of mismatches
// says nothing.
type comparisons struct {
	Meant        int64   `json:"meant"`
	Compared     int64   `json:"compared"` // found equal or different
	Mismatched   int64   `json:"mismatched"`
	Ignored      int64   `json:"ignored"`
	Inconclusive int64   `json:"inconclusive"`
	Dropped      int64   `json:"dropped"` // shed, so that callers do not suffer
	Seconds      float64 `json:"seconds"`
}

// comparisonsOf returns nil where nothing was compared.
func comparisonsOf(ctx context.Context, store *ledger.Store, state *ledger.State) (*comparisons, error) {
	all, err := control.Measured(ctx, store, state.Migration, state.At.Add(-comparedFor))
	if err != nil {
		return nil, err
	}
	c := all.Comparisons
	if c.All() == 0 {
		return nil, nil //nolint:nilnil // nothing was measured
	}
	return &comparisons{
		Meant: c.All(), Compared: c.Judged(), Mismatched: c.Mismatched, Ignored: c.Ignored,
		Inconclusive: c.Inconclusive, Dropped: c.Dropped, Seconds: comparedFor.Seconds(),
	}, nil
}

func writeComparisons(w *strings.Builder, r *report) {
	c := r.Comparisons
	if c == nil {
		return
	}
	fmt.Fprintf(w, "%-11s %s of %s meant were compared in the last hour, %s", "Comparisons", grouped(c.Compared), grouped(c.Meant),
		control.Amount(ledger.MeasureMismatchRate, float64(c.Compared)/float64(c.Meant)))
	for _, part := range []struct {
		n    int64
		what string
	}{{c.Mismatched, "differ"}, {c.Ignored, "ignored"}, {c.Inconclusive, "inconclusive"}, {c.Dropped, "shed"}} {
		if part.n > 0 {
			fmt.Fprintf(w, "; %s %s", grouped(part.n), part.what)
		}
	}
	w.WriteString("\n")
}
