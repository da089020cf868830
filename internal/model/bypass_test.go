package model

import "github.com/crossfade-db/crossfade/flags"

// plainSide is the side on which an agent writes without a fence: a bypassing
// writer's own, or that of an unfenced policy.
func (m *model) plainSide(a *agent, i int) flags.Side {
	if m.kind[i] == bypassing {
		return m.cfg.bypass
	}
	return a.acting.plan().Authority
}

// bypass adds what a writer that knows nothing of the ledger can do next.
func (m *model) bypass(s *state, i int) {
	a := &s.agents[i]
	if a.at == resting {
		for _, op := range m.cfg.bypassOps {
			m.plainBegin(s, i, op)
		}
		return
	}
	m.plain(s, i)
	if m.cfg.crashes {
		t := *s
		t.abort(i)
		m.finish(&t, i)
		m.emit(&t, event{agent: i, text: "rolls back"})
	}
}

// plain adds the next step of a write without a fence.
func (m *model) plain(s *state, i int) {
	switch s.agents[i].at {
	case decided:
		m.plainBegin(s, i, s.agents[i].task)
	case writing:
		m.plainWrite(*s, i, s.agents[i].task, "writes ")
	case recordingStale:
		m.plainRecord(s, i)
	case committing:
		m.commit(s, i)
	}
}

// plainBegin begins the statement: a mode that refuses does so before any row
// is looked for, or the caller could be told that there is none. A statement
// that begins where there are no triggers is never captured.
func (m *model) plainBegin(s *state, i int, op task) {
	side := m.plainSide(&s.agents[i], i)
	c := s.capture[side]
	t := *s
	t.agents[i].task = op
	captured := c.mode != absent && c.broken == 0
	if !captured && m.kind[i] == bypassing && side == flags.OldSide && !m.uniform(s, flags.Old) {
		return // the operator's promise: who bypasses the application is captured before old is left
	}
	if captured && c.mode == refusing && !m.rules.refusedByRow {
		m.plainRefused(s, i, side)
		return
	}
	if !captured {
		t.agents[i].locks |= uncaptured
	}
	m.plainWrite(t, i, op, "begins a transaction and writes ")
}

func (m *model) plainRefused(s *state, i int, side flags.Side) {
	t := *s
	t.abort(i)
	m.finish(&t, i)
	bad := ""
	if m.kind[i] == bypassing && s.now.stage() == flags.Old && side == flags.OldSide {
		bad = "a write past the application is refused although everybody stands at old"
	}
	m.violate(&t, event{agent: i, text: "is refused by capture of " + sideName(side)}, bad)
}

func (m *model) plainWrite(t state, i int, op task, verb string) {
	a := &t.agents[i]
	side := m.plainSide(a, i)
	if a.number == 0 {
		if a.number = t.unused(m.cfg.values); a.number == 0 {
			return
		}
	}
	switch r, by := t.statement(op.change(), side, i, a.number); r {
	case waits:
		m.wait(i, by)
		if a.at != writing {
			a.number = 0 // drawn when it writes
			m.move(t, i, writing, "begins a transaction and waits for the row of "+sideName(side))
		}
	case done:
		to := recordingStale
		if a.locks&uncaptured != 0 {
			to = committing
		}
		m.move(t, i, to, verb+sideName(side))
	case notFound, exists:
		bad := ""
		if _, want := op.change().apply(t.spec, 1); want != r {
			bad = "the write was told that the key is " + r.String() + ", and the last write left " + t.spec.String()
		}
		t.abort(i)
		m.finish(&t, i)
		m.violate(&t, event{agent: i, text: verb + sideName(side) + ": the key is " + r.String()}, bad)
	}
}

// plainRecord is the trigger after the statement: it takes the lock of the mode
// that lets it through, joins the epoch in force, and records the key as stale
// unless everybody stands where the other side is not written.
func (m *model) plainRecord(s *state, i int) {
	t := *s
	a := &t.agents[i]
	side := m.plainSide(a, i)
	if s.capture[side].mode == refusing {
		m.plainRefused(s, i, side)
		return
	}
	if m.rules.triggerLocksKey && a.locks&keyLock == 0 {
		if holder := s.keyHolder(); holder >= 0 {
			m.wait(i, holder)
			return
		}
		a.locks |= keyLock
	}
	a.locks |= modeLock
	plan := s.now.plan()
	if !plan.WritesBoth && plan.Authority == side {
		if !m.rules.epochNotJoined {
			a.locks |= epochLock
			a.epoch = 0
			if m.kind[i] == bypassing {
				a.acting = s.now
			}
		}
		m.move(t, i, committing, "need not be recorded")
		return
	}
	if m.rules.unrecorded || t.record(i, side.Other(), true) {
		m.move(t, i, committing, "is recorded: "+sideName(side.Other())+" is stale")
	}
}

// uniform reports whether everybody who may act on any policy stands at a stage.
func (m *model) uniform(s *state, stage flags.Stage) bool {
	if s.now.stage() != stage {
		return false
	}
	for _, g := range s.older {
		if g.policy != 0 && g.marks != settled && g.policy.stage() != stage {
			return false
		}
	}
	return true
}
