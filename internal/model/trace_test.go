package model

import (
	"fmt"
	"strings"

	"github.com/crossfade-db/crossfade/flags"
)

// line is one step of a counterexample and the state after it.
type line struct {
	by  event
	to  state
	bad string
}

// trace goes the way to a violation once more, without renaming anything, so
// that processes and values keep their names.
func (e *explorer) trace(n uint32, bad string, last uint32) []line {
	way := []uint32{}
	for ; n != 0; n = e.from[n] {
		way = append([]uint32{n}, way...)
	}
	var lines []line
	var at state
	for _, s := range e.m.cfg.starts {
		e.m.tidy(&s)
		c := e.m.canonical(&s)
		if c.hash() == e.hashes[way[0]] {
			at = s
			lines = append(lines, line{by: event{agent: planeAgent, text: "starts with", policy: s.now}, to: s})
			break
		}
	}
	for _, n := range way[1:] {
		step, ok := e.follow(&at, e.hashes[n], "")
		if !ok {
			return append(lines, line{by: event{agent: planeAgent, text: "(the trace cannot be followed further)"}, to: at})
		}
		lines, at = append(lines, step), step.to
	}
	if last != 0 {
		if step, ok := e.follow(&at, e.hashes[last], bad); ok {
			lines = append(lines, step)
		}
	}
	return lines
}

func (e *explorer) follow(from *state, hash uint64, bad string) (line, bool) {
	for _, succ := range e.m.successors(from) {
		if c := e.m.canonical(&succ.to); c.hash() == hash && (bad == "" || succ.bad != "") {
			return line{by: succ.by, to: succ.to, bad: succ.bad}, true
		}
	}
	return line{}, false
}

// write prints a counterexample.
func (f *found) write(m *model) string {
	if len(f.trace) == 0 {
		return "no counterexample"
	}
	var b strings.Builder
	for i, l := range f.trace {
		fmt.Fprintf(&b, "%3d. %-72s %s\n", i, m.say(l.by), l.to.short())
	}
	bad := f.bad
	if last := f.trace[len(f.trace)-1]; last.bad != "" {
		bad = last.bad // by the names of this trace
	}
	fmt.Fprintf(&b, "     %s", bad)
	return b.String()
}

// say names the agent of an event by what it is.
func (m *model) say(e event) string {
	text := e.String()
	if e.agent < 0 {
		return text
	}
	name := fmt.Sprintf("P%d", e.agent+1)
	switch m.kind[e.agent] {
	case backfilling, reconciling, working:
		return strings.Replace(text, name, "worker", 1)
	case bypassing:
		return strings.Replace(text, name, "plain SQL", 1)
	}
	return text
}

// short shows the rows, what is uncommitted in brackets, and the stale records.
func (s *state) short() string {
	show := func(side flags.Side) string {
		r := s.rows[side]
		text := sideName(side) + "=" + brief(r.committed)
		if r.writer != 0 {
			text += "[" + brief(r.pending) + "]"
		}
		return text
	}
	text := show(flags.OldSide) + " " + show(flags.NewSide)
	for _, r := range s.records {
		if r.side == 0 {
			continue
		}
		stale := "stale(" + sideName(flags.Side(r.side-1)) + ")"
		switch {
		case r.adder != 0:
			stale = "[" + stale + "]"
		case r.deleter != 0:
			stale = "[-" + stale + "]"
		}
		text += " " + stale
	}
	return text
}

func brief(v value) string {
	if v == none {
		return "-"
	}
	if v>>4 == v&0xf {
		return fmt.Sprint(uint8(v >> 4))
	}
	return v.String()
}
