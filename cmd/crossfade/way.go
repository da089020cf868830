package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
)

type wayJSON struct {
	Event     string      `json:"event"`
	Migration string      `json:"migration"`
	DryRun    bool        `json:"dry_run"`
	Epoch     int64       `json:"epoch"`
	To        flags.Stage `json:"to"`
	Legs      []legJSON   `json:"legs"`
	Blocks    []blockJSON `json:"blocks"`
	// Left would be left behind; Stuck says that everybody who is not pinned would.
	Left  []string `json:"left"`
	Stuck bool     `json:"stuck"`
}

type legJSON struct {
	Tenant string   `json:"tenant,omitempty"` // absent: everybody who is not pinned
	Rungs  []string `json:"rungs"`
}

// way shows where a walk would go, and changes nothing.
func (a *app) way(ctx context.Context, plane *control.Plane, walk control.Walk) error {
	way, err := plane.Way(ctx, walk)
	if err != nil {
		return err
	}
	if a.json {
		out := wayJSON{
			Event: "way", Migration: way.Migration, DryRun: true, Epoch: way.Epoch, To: walk.To,
			Legs: []legJSON{}, Blocks: toBlocks(way.Blocks), Left: list(way.Left), Stuck: way.Stuck,
		}
		for _, leg := range way.Legs {
			out.Legs = append(out.Legs, legJSON(leg))
		}
		a.event(out)
		return nil
	}
	fmt.Fprintln(a.out, wayText(way, walk.To))
	return nil
}

func wayText(way control.Way, to flags.Stage) string {
	lines := []string{fmt.Sprintf("%s: the way from epoch %d down to %s; nothing was changed", way.Migration, way.Epoch, to)}
	for _, leg := range way.Legs {
		who := "everybody who is not pinned"
		if leg.Tenant != "" {
			who = printable(fmt.Sprintf("tenant %q", leg.Tenant))
		}
		lines = append(lines, fmt.Sprintf("  %s: %s", who, strings.Join(leg.Rungs, " -> ")))
	}
	if len(way.Legs) == 0 {
		lines = append(lines, "  nobody would move")
	}
	for _, b := range way.Blocks {
		head := "against the first step"
		if b.Mends || b.Kind.Passes() {
			head = "the first step waits"
		}
		lines = append(lines, "  "+head+": "+blockText(b))
	}
	for _, tenant := range way.Left {
		lines = append(lines, printable(fmt.Sprintf("  tenant %q would be left behind where it stands", tenant)))
	}
	if way.Stuck {
		lines = append(lines, "  everybody who is not pinned would stay")
	}
	return strings.Join(lines, "\n")
}
