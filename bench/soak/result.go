package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// result is what a run came to.
type result struct {
	options
	commit   string // that is measured; empty where it is not known
	lasted   time.Duration
	samples  []sample
	arrivals []arrival
	crowds   []crowd

	calls, failed, skipped        int64
	compared, mismatched, dropped int64
	first                         *error
}

// flat says that nothing grows, that no call has a goroutine of its own at old and new, and that no call failed.
func (r *result) flat() bool {
	for _, s := range r.watched() {
		if trendOf(r.samples, s.of).against(s.bound) != flat {
			return false
		}
	}
	return r.failed == 0 && !slices.ContainsFunc(r.crowds, func(c crowd) bool { return !c.flat() })
}

// watched are the figures that the system gives; of a run without samples, all of them.
func (r *result) watched() []series {
	if len(r.samples) == 0 {
		return watched
	}
	return slices.DeleteFunc(slices.Clone(watched), func(s series) bool {
		return !slices.ContainsFunc(r.samples, func(x sample) bool { return s.of(x) > 0 })
	})
}

// steps are how often everybody moved; the run begins at old.
func (r *result) steps() int { return max(0, len(r.arrivals)-1) }

// stageAt is where everybody stood at a time.
func stageAt(arrivals []arrival, at time.Duration) string {
	stage := "old"
	for _, a := range arrivals {
		if a.at <= at {
			stage = a.stage.String()
		}
	}
	return stage
}

// table prints a line now and then.
type table struct {
	out   io.Writer
	every time.Duration
	next  time.Duration
	last  sample
}

func newTable(out io.Writer, every time.Duration) *table {
	fmt.Fprintf(out, "%8s %-9s %9s %9s %11s %12s %9s %9s %8s %7s\n",
		"at", "stage", "heap MiB", "RSS MiB", "goroutines", "connections", "calls/s", "compared", "dropped", "failed")
	return &table{out: out, every: every}
}

func (t *table) sample(s sample, arrivals []arrival) {
	if s.at < t.next {
		return
	}
	rate := float64(s.calls-t.last.calls) / (s.at - t.last.at).Seconds()
	fmt.Fprintf(t.out, "%8s %-9s %9.2f %9.1f %11.0f %12.0f %9.1f %9d %8d %7d\n", s.at.Round(time.Second), stageAt(arrivals, s.at),
		s.heap, s.rss, s.goroutines, s.connections, rate, s.compared, s.dropped, s.failed)
	t.next, t.last = s.at+t.every-every(t.every*60)/2, s
}

// write prints the end of a run.
func (r *result) write(out io.Writer) {
	fmt.Fprintf(out, "\n%s, %d steps of the ladder\n", r.lasted.Round(time.Second), r.steps())
	for _, line := range r.lines() {
		fmt.Fprintf(out, "%-45s %s\n", line[0], line[1])
	}
	fmt.Fprintln(out)
	for _, s := range r.watched() {
		fmt.Fprintf(out, "%-45s %s\n", s.name, spark(r.samples, s.of))
	}
	if r.flat() {
		fmt.Fprintln(out, "\neverything is flat")
		return
	}
	fmt.Fprintln(out, "\nnot everything is flat, see above")
}

// lines are the figures of a run: what, and how much.
func (r *result) lines() [][2]string {
	lines := r.counts()
	for _, s := range r.watched() {
		t := trendOf(r.samples, s.of)
		low, high := s.span(r.samples)
		lines = append(lines, [2]string{s.label(), fmt.Sprintf("%s to %s, an hour adds %+.3f (noise %.3f), bound %g: %s",
			s.show(low), s.show(high), t.perHour, t.noise, s.bound, t.against(s.bound))})
	}
	return lines
}

// counts are the figures of a run that have no trend.
func (r *result) counts() [][2]string {
	lines := [][2]string{
		{"calls", fmt.Sprintf("%d; failed: %d; skipped because all callers were busy: %d", r.calls, r.failed, r.skipped)},
		{"comparisons", fmt.Sprintf("%d; mismatched: %d; dropped: %d", r.compared, r.mismatched, r.dropped)},
	}
	if r.first != nil {
		lines = append(lines, [2]string{"first failure", (*r.first).Error()})
	}
	for _, c := range r.crowds {
		verdict := "no call has a goroutine of its own at "
		if !c.flat() {
			verdict = "calls have goroutines of their own at "
		}
		lines = append(lines, [2]string{verdict + c.stage.String(), c.String()})
	}
	return lines
}

// span is the least and the most in the second half.
func (s series) span(samples []sample) (low, high float64) {
	for i, x := range samples[len(samples)/2:] {
		value := s.of(x)
		if i == 0 {
			low, high = value, value
		}
		low, high = min(low, value), max(high, value)
	}
	return low, high
}

// spark draws a figure over the whole run as one line, from nothing to its most.
func spark(samples []sample, of func(sample) float64) string {
	const width, levels = 60, " .:-=+*#%@"
	most := 0.0
	for _, s := range samples {
		most = max(most, of(s))
	}
	if most == 0 {
		return ""
	}
	var b strings.Builder
	for i := range min(width, len(samples)) {
		s := samples[i*len(samples)/min(width, len(samples))]
		b.WriteByte(levels[int(of(s)/most*float64(len(levels)-1)+0.5)])
	}
	return b.String()
}
