package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/crossfade-db/crossfade/bench/report"
	"github.com/crossfade-db/crossfade/flags"
)

// Where a run is published, below the root of the repository.
const (
	documentFile = "docs/performance.md"
	chartFile    = "docs/soak.svg"
	beginMarker  = "<!-- soak:begin -->"
	endMarker    = "<!-- soak:end -->"
)

// save puts the table between its markers in the document, and the chart beside it.
func (r *result) save(root string) error {
	path := filepath.Join(root, documentFile)
	document, err := os.ReadFile(path)
	if err == nil {
		document, err = report.Between(document, beginMarker, endMarker, r.markdown(time.Now()))
	}
	if err == nil {
		err = os.WriteFile(path, document, 0o644)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(root, chartFile), r.timeline().Chart(), 0o644)
	}
	if err != nil {
		return fmt.Errorf("save what the soak measured: %w", err)
	}
	return nil
}

// markdown is the table of a run.
func (r *result) markdown(today time.Time) string {
	var b strings.Builder
	of := ""
	if r.commit != "" {
		of = " of commit " + r.commit
	}
	fmt.Fprintf(&b, "`make soak DURATION=%s RATE=%g`%s, on %s, %d cores, %s: %s, %d steps of the ladder.\n\n", short(r.duration), r.rate, of,
		today.UTC().Format(time.DateOnly), runtime.NumCPU(), runtime.Version(), short(r.lasted.Round(time.Second)), r.steps())
	b.WriteString("| | second half | an hour adds (noise) | bound | |\n|---|--:|--:|--:|---|\n")
	for _, s := range r.watched() {
		t := trendOf(r.samples, s.of)
		low, high := s.span(r.samples)
		verdict := string(t.against(s.bound))
		if verdict != string(flat) {
			verdict = "**" + verdict + "**"
		}
		fmt.Fprintf(&b, "| %s | %s to %s | %s | %g | %s |\n", s.label(), s.show(low), s.show(high), t, s.bound, verdict)
	}
	b.WriteString("\n| | |\n|---|---|\n")
	for _, line := range r.counts() {
		fmt.Fprintf(&b, "| %s | %s |\n", line[0], line[1])
	}
	return b.String()
}

// commitOf names the commit that a checkout is at, with "-dirty" behind it where files differ from it; "" where git does
// not say. The program was just built from there.
func commitOf(ctx context.Context, root string) string {
	out, err := exec.CommandContext(ctx, "git", "-C", root, "describe", "--always", "--dirty", "--exclude=*").Output() //nolint:gosec // the folder is the caller's
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// short is a duration without the zeros at its end.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// label is the series' name with its unit.
func (s series) label() string {
	if s.unit == "" {
		return s.name
	}
	return s.name + ", " + s.unit
}

func (s series) show(value float64) string {
	if s.unit == "" {
		return fmt.Sprintf("%.0f", value)
	}
	return fmt.Sprintf("%.2f", value)
}

// timeline is the chart of a run.
func (r *result) timeline() *report.Timeline {
	t := &report.Timeline{
		Title: "Memory, goroutines and connections over " + short(r.lasted.Round(time.Minute)),
		Subtitle: fmt.Sprintf("One process at %g calls per second, led up and down the ladder all the time, with the worker that copies in it.",
			r.rate),
		Lasted:   r.lasted,
		Captions: []string{"Trends are those of the second half: median slopes, with half of their 95 % confidence intervals. Reproduce with: make soak"},
	}
	for _, a := range r.arrivals {
		t.Bands = append(t.Bands, report.Band{
			From: a.at, Name: a.stage.String(), Level: float64(a.stage-flags.Old) / float64(flags.New-flags.Old),
		})
	}
	for _, s := range r.watched() {
		p := report.Panel{Name: s.label(), Note: "an hour adds (noise): " + trendOf(r.samples, s.of).String()}
		for _, x := range r.samples {
			p.Points = append(p.Points, report.Point{At: x.at, Value: s.of(x)})
		}
		t.Panels = append(t.Panels, p)
	}
	return t
}
