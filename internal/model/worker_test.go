package model

import "github.com/crossfade-db/crossfade/flags"

// Phases of a backfill, kept in the agent's number: the checkpoint.
const (
	fromSource uint8 = 1 + iota
	fromTarget       // keys that only the target has
	toMark
)

// work adds what a worker can do next.
func (m *model) work(s *state, i int) {
	a := &s.agents[i]
	switch {
	case a.at == resting:
		if m.kind[i] != reconciling {
			m.beginBackfill(s, i)
		}
		if m.kind[i] != backfilling {
			m.beginRepair(s, i)
		}
	case a.at == walking, a.at == extras:
		m.walk(s, i)
	case a.at == opening && m.rules.workerUnfenced:
		t := *s
		if m.rules.copyUnlocked {
			m.workerFenced(t, i)
			return
		}
		m.lockUnfenced(t, i)
	case a.at == opening:
		m.openChunk(s, i)
	case a.at >= fencing0 && a.at <= fencing7:
		m.fence(s, i, int(a.at-fencing0), false)
		m.giveWay(s, i)
	case a.at == reading:
		m.readSource(s, i)
	case a.at == putting:
		m.putTarget(s, i)
	case a.at == committing:
		m.commitChunk(s, i)
	case a.at == marking:
		m.mark(s, i)
	case a.at == admitting:
		m.admit(s, i)
	}
	if m.cfg.crashes && a.inside() {
		t := *s
		t.abort(i)
		m.leave(&t, i)
		m.emit(&t, event{agent: i, text: "crashes; another worker takes over"})
	}
}

// leave goes back to where a job goes on after its transaction has ended
// without an effect.
func (m *model) leave(t *state, i int) {
	a := &t.agents[i]
	if a.task == backfilling {
		a.at, a.epoch = admitting, 0
		return
	}
	m.rest(t, i)
}

func (m *model) rest(t *state, i int) {
	a := &t.agents[i]
	a.task, a.at, a.acting, a.epoch, a.number = idle, resting, 0, 0, 0
	a.flags &^= forgotten
	a.seen, a.found, a.snap = none, 0, [2]value{}
}

// bothWritten reports whether everybody who may act on an older policy writes
// both sides.
func (m *model) bothWritten(s *state) bool {
	if !s.now.plan().WritesBoth {
		return false
	}
	for k, g := range s.older {
		if g.policy == 0 || g.policy.plan().WritesBoth {
			continue
		}
		if g.marks != settled {
			return false
		}
		for i := range s.agents {
			if r := m.reported(s, i); r != nobodyActs && (r >= lost || r > uint8(k)) {
				return false
			}
		}
	}
	return true
}

func (m *model) admitted(s *state) bool {
	return s.now.plan().WritesBoth && (m.bothWritten(s) || m.rules.beforeBarrier)
}

// beginBackfill starts a job where one is needed.
func (m *model) beginBackfill(s *state, i int) {
	needed := s.facts&backfilled == 0
	if s.now.plan().Authority == flags.NewSide {
		needed = s.facts&oldComplete == 0
	}
	if !m.admitted(s) || !needed && !m.cfg.anyTime {
		return
	}
	t := *s
	a := &t.agents[i]
	a.task, a.at, a.acting, a.epoch, a.number = backfilling, walking, s.now, 0, fromSource
	m.emit(&t, event{agent: i, text: "begins a backfill", policy: s.now})
}

// source is the side that the agent copies from: what its job says.
func (a *agent) source() flags.Side { return a.acting.plan().Authority }

// walk reads keys, in a statement without any lock.
func (m *model) walk(s *state, i int) {
	t := *s
	a := &t.agents[i]
	from := a.source()
	inSource, inTarget := s.rows[from].committed != none, s.rows[from.Other()].committed != none
	switch {
	case a.at == walking && inSource:
		m.move(t, i, opening, "finds the key on "+sideName(from))
	case a.at == walking:
		a.number = fromTarget
		m.move(t, i, extras, "finds no key on "+sideName(from))
	case inTarget && !inSource && !m.rules.sourceKeysOnly:
		m.move(t, i, opening, "finds the key on "+sideName(from.Other())+" alone")
	default:
		a.number = toMark
		m.move(t, i, marking, "finds no key on "+sideName(from.Other())+" alone")
	}
}

// openChunk begins the transaction of a copy.
func (m *model) openChunk(s *state, i int) {
	t := *s
	if m.rules.oneStatement {
		source := t.agents[i].source()
		if t.agents[i].task == reconciling {
			if slots := s.stale(nobody, flags.OldSide, flags.NewSide); slots != 0 {
				source = s.recorded(slots).Other()
			}
		}
		t.agents[i].snap = [2]value{s.rows[source].committed, 0xff}
	}
	m.fence(&t, i, 0, false)
}

// recorded is the side that the first of the records names.
func (s *state) recorded(slots uint8) flags.Side {
	for slot, r := range s.records {
		if slots&(1<<slot) != 0 {
			return flags.Side(r.side - 1)
		}
	}
	return flags.OldSide
}

// lockUnfenced takes the key's lock alone, by a mutation.
func (m *model) lockUnfenced(t state, i int) {
	if holder := t.keyHolder(); holder >= 0 {
		m.wait(i, holder)
		return
	}
	t.agents[i].locks |= keyLock
	m.workerFenced(t, i)
}

// workerFenced looks at the stale records under the lock.
func (m *model) workerFenced(t state, i int) {
	a := &t.agents[i]
	a.found = t.stale(i, flags.OldSide, flags.NewSide)
	plan := a.acting.plan()
	for _, side := range []flags.Side{flags.OldSide, flags.NewSide} {
		possible := plan.WritesBoth && (side != plan.Authority || plan.ThroughStale) || m.rules.ownDirection
		if t.stale(i, side) != 0 && (!possible || t.stale(i, side.Other()) != 0) {
			t.abort(i)
			m.rest(&t, i)
			m.emit(&t, event{agent: i, text: "ends: at this stage the stale key cannot be copied"})
			return
		}
	}
	if a.task == reconciling && a.found == 0 {
		t.abort(i)
		m.rest(&t, i)
		m.emit(&t, event{agent: i, text: "ends: the key is stale no more"})
		return
	}
	m.move(t, i, reading, "passes the fence")
}

// workerRefused is what a worker does when its policy is no longer in force.
func (m *model) workerRefused(t state, i int) {
	t.abort(i)
	m.leave(&t, i)
	m.emit(&t, event{agent: i, text: "is refused by the fence: its policy is not in force"})
}

// giveWay ends a wait: copies have a short lock_timeout, and try again.
func (m *model) giveWay(s *state, i int) {
	if m.rules.patientCopies || m.blocked[i] < 0 {
		return
	}
	t := *s
	t.abort(i)
	if t.agents[i].task == backfilling {
		t.agents[i].at = opening
	} else {
		m.rest(&t, i)
	}
	m.emit(&t, event{agent: i, text: "gives way"})
}

// direction returns the side to copy to.
func (m *model) direction(s *state, a *agent) flags.Side {
	if a.found != 0 && !m.rules.ownDirection {
		return s.recorded(a.found)
	}
	return a.source().Other()
}

// readSource reads what is to be copied, without a row lock.
func (m *model) readSource(s *state, i int) {
	t := *s
	a := &t.agents[i]
	from := m.direction(s, a).Other()
	if m.rules.sourceLocked {
		if r, by := t.statement(lock, from, i, 0); r == waits {
			m.wait(i, by)
			return
		}
	}
	if a.snap[1] == none { // not read before the lock, by a mutation
		a.snap[0] = t.visible(from, i)
	}
	a.snap[1] = none
	m.move(t, i, putting, "reads "+sideName(from)+" under the key's lock")
}

// putTarget makes the other side equal, and deletes the records that were read.
func (m *model) putTarget(s *state, i int) {
	t := *s
	a := &t.agents[i]
	to := m.direction(s, a)
	if m.cfg.uncopyable && to == flags.NewSide && a.snap[0] != none {
		m.cannotCopy(s, i)
		return
	}
	v := a.snap[0]
	if m.cfg.badMapping && v != none && a.acting.stage() == flags.Dual {
		bad := *s
		m.copied(bad, i, to, 0xff)
	}
	m.copied(t, i, to, v)
}

// cannotCopy leaves a record that says so, and goes on.
func (m *model) cannotCopy(s *state, i int) {
	t := *s
	a := &t.agents[i]
	if a.found == 0 && !t.record(i, flags.NewSide, false) {
		return
	}
	slots := a.found | t.stale(i, flags.NewSide)
	for slot := range t.records {
		if slots&(1<<slot) != 0 {
			t.records[slot].failing = 1
		}
	}
	a.snap, a.found = [2]value{}, 0
	m.move(t, i, committing, "cannot copy the key to N, and records that")
}

func (m *model) copied(t state, i int, to flags.Side, v value) {
	a := &t.agents[i]
	text := "copies it to " + sideName(to)
	if m.rules.doNothing && t.visible(to, i) != none && v != none {
		text = "leaves the row on " + sideName(to)
	} else if r, by := t.put(to, i, v); r == waits {
		m.wait(i, by)
		a.snap[1] = none
		m.giveWay(&t, i)
		return
	}
	if !m.rules.clearLate {
		t.clear(i, a.found)
	}
	a.snap = [2]value{}
	if v == 0xff {
		text += ", wrongly"
	}
	m.move(t, i, committing, text)
}

func (m *model) commitChunk(s *state, i int) {
	t := *s
	if m.rules.clearLate {
		t.clear(i, t.stale(i, flags.OldSide, flags.NewSide))
	}
	t.commit(i)
	a := &t.agents[i]
	switch {
	case a.task == reconciling:
		m.rest(&t, i)
	case a.number == fromSource:
		a.number, a.at = fromTarget, extras
	default:
		a.number, a.at = toMark, marking
	}
	m.emit(&t, event{agent: i, text: "commits"})
}

// mark writes down that the copy is complete, under the policy in force and
// only if nobody may act on one by which a side is not written.
func (m *model) mark(s *state, i int) {
	t := *s
	a := &t.agents[i]
	for _, r := range s.records {
		if r.side != 0 && r.adder == 0 && r.failing != 0 && m.direction(s, a) == flags.Side(r.side-1) {
			m.rest(&t, i)
			m.emit(&t, event{agent: i, text: "fails: a key cannot be copied"})
			return
		}
	}
	ok := a.epoch == 0
	for _, g := range s.older {
		ok = ok && (g.policy == 0 || g.policy.plan().WritesBoth)
	}
	if !ok && !m.rules.markUnasked && !m.rules.beforeBarrier {
		if a.epoch != 0 {
			a.at = admitting
			m.emit(&t, event{agent: i, text: "is refused: its policy is not in force"})
		}
		return
	}
	fact, text := backfilled, "marks the backfill as complete"
	if a.source() == flags.NewSide {
		fact, text = oldComplete, "marks the old side as complete"
	}
	t.facts |= fact
	if fact == backfilled {
		t.facts &^= verified
	}
	m.rest(&t, i)
	m.emit(&t, event{agent: i, text: text})
}

// admit goes on with a job under the policy in force, or ends it.
func (m *model) admit(s *state, i int) {
	t := *s
	a := &t.agents[i]
	now := s.now.plan()
	if m.rules.workerUnfenced && !now.WritesBoth {
		now = a.acting.plan()
	}
	switch {
	case !now.WritesBoth, now.Authority != a.source():
		m.rest(&t, i)
		m.emit(&t, event{agent: i, text: "ends: not possible at this stage", policy: s.now})
		return
	case !m.admitted(s):
		return // it waits
	}
	text := "goes on where it was"
	if a.flags&forgotten != 0 && !m.rules.keepCheckpoint {
		a.number = fromSource
		text = "begins anew"
	}
	a.flags &^= forgotten
	a.acting, a.epoch = s.now, 0
	a.at = [...]place{fromSource: walking, fromTarget: extras, toMark: marking}[a.number]
	m.emit(&t, event{agent: i, text: text, policy: s.now})
}

// beginRepair takes a stale record that is committed.
func (m *model) beginRepair(s *state, i int) {
	if s.stale(nobody, flags.OldSide, flags.NewSide) == 0 {
		return
	}
	t := *s
	a := &t.agents[i]
	a.task, a.at, a.acting, a.epoch = reconciling, opening, s.now, 0
	m.emit(&t, event{agent: i, text: "begins to repair the stale key", policy: s.now})
}
