package model

import "github.com/crossfade-db/crossfade/flags"

// read adds a read: one statement, or one snapshot of the stale records and
// both sides.
func (m *model) read(s *state, i int) {
	a := &s.agents[i]
	plan := a.acting.plan()
	through := plan.ThroughStale && !m.rules.noStaleRead
	if through && m.rules.twoStatements {
		t := *s
		b := &t.agents[i]
		b.at, b.found = looked, s.stale(nobody, plan.Authority)
		b.snap = [2]value{s.spec, s.spec}
		m.emit(&t, event{agent: i, text: "looks for stale keys, in a statement of its own"})
		return
	}
	side := plan.Authority
	if through && s.stale(nobody, side) != 0 {
		side = side.Other()
	}
	m.answer(s, i, side, s.rows[side].committed, "reads")
	if plan.Fallback && side == plan.Authority && m.cfg.fails {
		t := *s
		t.agents[i].at = fellBack
		m.emit(&t, event{agent: i, text: "reads N, which fails"})
	}
}

// readOn adds the second half of a read.
func (m *model) readOn(s *state, i int) {
	a := &s.agents[i]
	plan := a.acting.plan()
	if a.at == looked {
		side := plan.Authority
		if a.found != 0 {
			side = side.Other()
		}
		m.answer(s, i, side, s.rows[side].committed, "reads")
		return
	}
	side := plan.Authority.Other()
	complete := s.facts&oldComplete != 0 || m.rules.fallbackUnasked
	if stale := s.stale(nobody, side) != 0; complete && (!stale || m.rules.fallbackStale) {
		m.answer(s, i, side, s.rows[side].committed, "falls back to")
		return
	}
	t := *s
	m.finish(&t, i)
	m.emit(&t, event{agent: i, text: "gets an error: the other side cannot answer"})
}

// answer ends a read with what it found. Past its lease a process throws the
// answer away.
func (m *model) answer(s *state, i int, side flags.Side, v value, verb string) {
	a := &s.agents[i]
	t := *s
	m.finish(&t, i)
	if a.flags&(lapsed|member) != member && !m.rules.readPastLease {
		m.emit(&t, event{agent: i, text: verb + " " + sideName(side) + ", past its lease: the answer is thrown away"})
		return
	}
	bad := ""
	if v != s.spec && (a.at != looked || v != a.snap[0] && v != a.snap[1]) {
		bad = "a read returned " + v.String() + ", and the last write left " + s.spec.String()
	}
	m.violate(&t, event{agent: i, text: verb + " " + sideName(side), policy: a.acting}, bad)
}
