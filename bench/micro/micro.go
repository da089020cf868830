// Package micro measures what needs no client of the database or runs beside one: what a decision costs, a comparison and
// a run of the generator; and how fast keys are backfilled and verified, beside the plain SQL that is their ceiling.
//
// It never judges by the clock of a single run: figures are medians over rounds in which the things that are compared
// take turns. Figures that miss their target are printed like all others.
package micro

import (
	"context"
	"fmt"
	"slices"

	"github.com/crossfade-db/crossfade/bench/report"
	"github.com/crossfade-db/crossfade/internal/pgtest"
)

// Config says what is measured. The zero value measures everything that needs no server.
type Config struct {
	// Server has the databases that rows about data are measured in; each is created and dropped again. Nil leaves
	// those rows out.
	Server *pgtest.Server
	// Quick measures little, to see that everything works. Its figures are worth nothing.
	Quick bool
	// Only says which rows are wanted, by name. Nil means all.
	Only func(name string) bool
	// Progress is told what goes on. Nil means nobody.
	Progress func(format string, args ...any)
}

func (c Config) say(format string, args ...any) {
	if c.Progress != nil {
		c.Progress(format, args...)
	}
}

// wants reports whether any of the rows is wanted.
func (c Config) wants(names ...string) bool {
	if c.Only == nil {
		return true
	}
	for _, name := range names {
		if c.Only(name) {
			return true
		}
	}
	return false
}

// Result is what was measured.
type Result struct {
	Rows  []report.Row
	Facts []report.Fact
}

func (r *Result) add(other Result) {
	r.Rows = append(r.Rows, other.Rows...)
	r.Facts = append(r.Facts, other.Facts...)
}

// Run measures the wanted rows, one part after the other. It takes a minute with a server, two where nothing is in the
// compiler's cache, and seconds without one
// or if quick.
func Run(ctx context.Context, cfg Config) (Result, error) {
	var all Result
	for _, part := range []struct {
		name  string
		names []string
		run   func(context.Context, Config) (Result, error)
	}{
		{"decisions", decisionNames(), decisions},
		{"comparison", comparisonNames(), comparison},
		{"generator", []string{generating}, generator},
		{"data", dataNames(), data},
	} {
		if !cfg.wants(part.names...) {
			continue
		}
		found, err := part.run(ctx, cfg)
		if err != nil {
			return all, fmt.Errorf("measure %s: %w", part.name, err)
		}
		found.Rows = slices.DeleteFunc(found.Rows, func(r report.Row) bool { return !cfg.wants(r.Name) })
		all.add(found)
	}
	return all, nil
}
