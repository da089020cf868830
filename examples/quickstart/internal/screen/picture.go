package screen

import (
	"fmt"
	"strings"
	"time"
)

// Picture is what is to be seen at one moment.
type Picture struct {
	Elapsed time.Duration
	Phase   string // what the walk is doing
	// Rungs are the stages from bottom to top, with the tenants that stand there.
	Rungs   []Rung
	Paths   []Path
	Workers int
	// OperationsPerSecond is the rate of the last seconds, Operations all of them.
	OperationsPerSecond float64
	Operations          int64
	CallerErrors        int64
	Mismatches          int64
	StaleKeys           int64
	// Work is a backfill or a verification in progress, or nil.
	Work *Work
}

// Rung is one stage of the ladder.
type Rung struct {
	Stage   string
	Tenants int
}

// Path is how long callers waited on one path in the last seconds.
type Path struct {
	Name      string
	PerSecond float64
	P50, P99  time.Duration
}

// Work is a job on the data in progress.
type Work struct {
	Name      string
	Done, All int64
	Left      time.Duration // zero while unknown
}

const barWidth = 40

// lines draws the picture for a terminal.
func (p Picture) lines() []string {
	lines := []string{
		"",
		fmt.Sprintf("  customers v1 -> v2   %s   %s", clock(p.Elapsed), p.Phase),
		"",
	}
	tenants := 0
	for _, r := range p.Rungs {
		tenants += r.Tenants
	}
	for i := len(p.Rungs) - 1; i >= 0; i-- {
		r := p.Rungs[i]
		lines = append(lines, fmt.Sprintf("  %-9s %s %3d %%", r.Stage, bar(r.Tenants, tenants), percent(r.Tenants, tenants)))
	}
	lines = append(lines, "", fmt.Sprintf("  %.0f operations/s from %d processes, %d in all, %d caller errors",
		p.OperationsPerSecond, p.Workers, p.Operations, p.CallerErrors))
	for _, path := range p.Paths {
		lines = append(lines, fmt.Sprintf("  %-9s %6.0f/s   p50 %7.2f ms   p99 %7.2f ms",
			path.Name, path.PerSecond, millis(path.P50), millis(path.P99)))
	}
	lines = append(lines, fmt.Sprintf("  %d mismatches, %d stale keys", p.Mismatches, p.StaleKeys))
	if p.Work != nil {
		lines = append(lines, "  "+p.Work.String())
	} else {
		lines = append(lines, "")
	}
	return lines
}

// line draws the picture as one line.
func (p Picture) line() string {
	tenants := 0
	for _, r := range p.Rungs {
		tenants += r.Tenants
	}
	parts := []string{clock(p.Elapsed), p.Phase + ":"}
	for _, r := range p.Rungs {
		if r.Tenants > 0 {
			parts = append(parts, fmt.Sprintf("%s %d %%", r.Stage, percent(r.Tenants, tenants)))
		}
	}
	parts = append(parts, fmt.Sprintf("| %.0f op/s", p.OperationsPerSecond))
	for _, path := range p.Paths {
		if path.PerSecond > 0 {
			parts = append(parts, fmt.Sprintf("| %s p50 %.1f p99 %.1f ms", path.Name, millis(path.P50), millis(path.P99)))
		}
	}
	parts = append(parts, fmt.Sprintf("| %d mismatches, %d stale, %d errors", p.Mismatches, p.StaleKeys, p.CallerErrors))
	if p.Work != nil {
		parts = append(parts, "| "+p.Work.String())
	}
	return strings.Join(parts, " ")
}

// String returns the progress in words.
func (w Work) String() string {
	text := fmt.Sprintf("%s: %d of %d keys (%d %%)", w.Name, w.Done, w.All, percent(int(w.Done), int(w.All)))
	if w.Left > 0 {
		text += fmt.Sprintf(", %s left", max(time.Second, w.Left.Round(time.Second)))
	}
	return text
}

func bar(part, all int) string {
	full := 0
	if all > 0 {
		full = (part*barWidth + all - 1) / all
	}
	return strings.Repeat("#", full) + strings.Repeat(".", barWidth-full)
}

func percent(part, all int) int {
	if all == 0 {
		return 0
	}
	return min(100, part*100/all)
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
