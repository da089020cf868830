package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/crossfade-db/crossfade/bench/report"
	"github.com/crossfade-db/crossfade/compare"
)

// lines makes the rows of reads and writes from the measures: one caller, fsync on.
func (r *run) lines() {
	var rows []report.Row
	for _, l := range lines {
		for _, network := range []string{report.Loopback, report.OneMilli} {
			if row, ok := r.row(l, network); ok {
				rows = append(rows, row)
			}
		}
	}
	r.report.Rows = append(rows, r.report.Rows...)
	r.shed.facts(r)
}

// row returns a line's row on one network: that of the worst of its variants. It is false if none was measured.
func (r *run) row(l line, network string) (report.Row, bool) {
	var worst *report.Measure
	for i := range r.report.Measures {
		m := &r.report.Measures[i]
		if m.Operation == l.op && m.Network == network && m.Fsync && m.Connections == 1 && slices.Contains(l.variants, m.Variant) &&
			(worst == nil || m.Ratio > worst.Ratio) {
			worst = m
		}
	}
	if worst == nil {
		return report.Row{}, false
	}
	if target, ok := l.targets[network]; ok {
		return report.AtMost(l.name, network, report.Ratio, worst.Ratio, worst.Noise, target), true
	}
	return report.Of(l.name, network, report.Ratio, worst.Ratio, worst.Noise), true
}

// tell prints a figure as soon as it is there.
func (r *run) tell(op report.Operation, m *report.Measure) {
	fmt.Fprintf(r.stderr, "         %-5s  %-66s %7.3f (%.3f)  p50 %9.1f us  p99 %9.1f us\n", op, m.Variant, m.Ratio, m.Noise, m.P50/1000, m.P99/1000)
}

// shedding is what became of comparisons under load.
type shedding map[condition]compare.Counts

func (s *shedding) add(at condition, before, after compare.Counts) {
	if *s == nil {
		*s = shedding{}
	}
	sum := (*s)[at]
	sum.Compared += after.Compared - before.Compared
	sum.Dropped += after.Dropped - before.Dropped
	(*s)[at] = sum
}

// facts tells which share of the comparisons the pool shed.
func (s shedding) facts(r *run) {
	places := slices.SortedFunc(maps.Keys(s), func(a, b condition) int {
		if a.network != b.network {
			return len(b.network) - len(a.network)
		}
		return a.callers - b.callers
	})
	for _, at := range places {
		if sum := s[at]; sum.Compared+sum.Dropped > 0 {
			name := fmt.Sprintf("comparisons shed, reads in a closed loop, %s, %s", callersText(at.callers), at.network)
			r.fact(name, "%", 100*float64(sum.Dropped)/float64(sum.Compared+sum.Dropped))
		}
	}
}
