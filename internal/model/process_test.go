package model

import "github.com/crossfade-db/crossfade/flags"

// task is what an agent does. Those of processes come first.
type task uint8

const (
	idle task = iota
	read
	save     // inserts or replaces
	create   // inserts; an error when the key is there
	patch    // updates one field; an error when the key is absent
	erase    // deletes; an error when the key is absent
	modify   // locks, reads and saves in one transaction
	sweep    // a patch by predicate: it does not name its keys
	frozen   // a patch in a REPEATABLE READ transaction, opened long before
	grabbing // an application that locks the authority's row by itself, then patches

	backfilling
	reconciling
	working // does either

	bypassing
)

func (t task) String() string {
	return [...]string{
		"nothing", "read", "save", "create", "patch", "delete", "lock-read-save", "sweep", "patch in repeatable read", "patch after a row lock",
		"backfill", "repair", "work", "bypass",
	}[t]
}

// change is the statement by which the task writes.
func (t task) change() change {
	switch t {
	case create:
		return insert
	case patch, sweep, frozen, grabbing:
		return update
	case erase:
		return remove
	}
	return upsert
}

// place is where an agent is in its task.
type place uint8

const (
	resting  place = iota
	decided        // knows what to do and has sent nothing yet: a paused process stays here
	looked         // by the mutation that reads in two statements: knows of stale keys
	fellBack       // the new side failed; the old one is to be asked
	fencing0       // waits in the fence, at this clause and those after it
	fencing1
	fencing2
	fencing3
	fencing4
	fencing5
	fencing6
	fencing7
	lockReading
	fencingAgain
	grabbed
	taking   // a stale key: reads it from the other side
	taken    // writes it
	writing  // the side with authority
	copying  // the other side, by its own method
	settling // the other side, from the authority
	keyed    // by a mutation: waits for the key after the row
	committing

	// A worker's.
	walking
	extras
	opening
	reading
	putting
	marking
	admitting

	// A bypassing writer's.
	recordingStale
)

// inside reports whether the agent is inside a transaction.
func (a *agent) inside() bool {
	return a.at >= fencing0 && a.at <= committing || a.at >= reading && a.at <= putting || a.at == recordingStale
}

// process adds what a process can do next.
func (m *model) process(s *state, i int) {
	a := &s.agents[i]
	m.fleet(s, i)
	switch {
	case a.at == resting:
		m.start(s, i)
	case a.at == decided && a.task == read:
		m.read(s, i)
	case a.at == looked || a.at == fellBack:
		m.readOn(s, i)
	default:
		m.write(s, i)
	}
	if m.cfg.crashes && a.at > decided {
		t := *s
		t.abort(i)
		m.finish(&t, i)
		m.emit(&t, event{agent: i, text: "crashes and starts again"})
	}
}

// fleet adds what a process does as a member of the fleet.
func (m *model) fleet(s *state, i int) {
	a := &s.agents[i]
	if a.flags&member != 0 {
		if a.loaded != 0 && (a.at == resting || m.rules.newestAcknowledged) { // in the middle of an operation it would make no difference
			t := *s
			t.agents[i].loaded, t.agents[i].memory = 0, s.now
			m.emit(&t, event{agent: i, text: "hears of the policy"})
		}
		if m.cfg.leases && a.at != resting {
			t := *s
			b := &t.agents[i]
			b.flags = b.flags&^member | lapsed
			m.emit(&t, event{agent: i, text: "is paused; its lease runs out"})
		}
		return
	}
	t := *s
	b := &t.agents[i]
	b.flags |= member
	b.loaded, b.memory = 0, s.now
	m.emit(&t, event{agent: i, text: "goes on and renews its lease"})
}

// start adds the operations that a process may begin, under the policy that it
// has in memory.
func (m *model) start(s *state, i int) {
	a := &s.agents[i]
	if a.flags&member == 0 {
		return
	}
	for _, op := range m.cfg.ops {
		t := *s
		b := &t.agents[i]
		b.task, b.at, b.acting, b.epoch = op, decided, a.memory, a.loaded
		if op == frozen { // its snapshot is taken here, long before
			if a.loaded != 0 {
				continue
			}
			b.snap = [2]value{s.rows[0].committed, s.rows[1].committed}
		}
		m.emit(&t, event{agent: i, text: "begins: " + op.String(), policy: a.memory})
	}
}

// finish ends an operation. Its transaction has ended already.
func (m *model) finish(s *state, i int) {
	a := &s.agents[i]
	a.task, a.at, a.acting, a.epoch, a.number = idle, resting, 0, 0, 0
	a.flags &^= lapsed
	a.seen, a.found, a.snap = none, 0, [2]value{}
}

// refuse ends an operation without an effect: it may be tried again.
func (m *model) refuse(s *state, i int, why string) {
	t := *s
	t.abort(i)
	m.finish(&t, i)
	m.emit(&t, event{agent: i, text: why})
}

// move takes the agent to a place without any effect on the database.
func (m *model) move(t state, i int, to place, text string) {
	t.agents[i].at = to
	m.emit(&t, event{agent: i, text: text})
}

// write adds the next step of an operation that fences.
func (m *model) write(s *state, i int) {
	a := &s.agents[i]
	plan := a.acting.plan()
	switch {
	case a.at == decided && a.task == grabbing:
		t := *s
		r, by := t.statement(lock, plan.Authority, i, 0)
		if r == waits {
			m.wait(i, by)
			return
		}
		m.move(t, i, grabbed, "locks the row of "+sideName(plan.Authority)+" itself")
	case plan.Unfenced && a.task != modify && a.task != frozen:
		m.plain(s, i)
	case a.at == decided, a.at == grabbed:
		m.fence(s, i, 0, false)
	case a.at >= fencing0 && a.at <= fencing7:
		m.fence(s, i, int(a.at-fencing0), false)
	case a.at == lockReading:
		m.lockRead(s, i)
	case a.at == fencingAgain:
		m.fence(s, i, 0, true)
	case a.at == taking:
		t := *s
		t.agents[i].snap[0] = s.visible(plan.Authority.Other(), i)
		m.move(t, i, taken, "reads the stale key from "+sideName(plan.Authority.Other()))
	case a.at == taken:
		m.repair(s, i)
	case a.at == writing:
		m.writeAuthority(s, i)
	case a.at == keyed:
		m.lockLate(s, i)
	case a.at == copying:
		m.writeOther(s, i)
	case a.at == settling:
		m.settleOther(s, i)
	case a.at == committing:
		m.commit(s, i)
	}
}

// fenced leads the operation on from the fence.
func (m *model) fenced(t state, i int, again bool) {
	a := &t.agents[i]
	plan := a.acting.plan()
	text := "passes the fence"
	if plan.ThroughStale {
		a.found = t.stale(i, plan.Authority)
	}
	switch {
	case a.task == modify && !again:
		a.at = lockReading
	case a.found != 0 && !m.rules.noRepair:
		a.at = taking
	default:
		a.at = writing
	}
	m.emit(&t, event{agent: i, text: text, policy: a.acting})
}

// lockRead reads the authority behind the fence, with the key locked.
func (m *model) lockRead(s *state, i int) {
	t := *s
	a := &t.agents[i]
	side := a.acting.plan().Authority
	if a.found != 0 && !m.rules.noStaleRead {
		side = side.Other()
	}
	switch r, by := t.statement(lock, side, i, 0); r {
	case waits:
		m.wait(i, by)
		return
	case done, notFound, exists:
	}
	a.seen, a.found = t.visible(side, i), 0
	bad := ""
	if a.seen != s.spec {
		bad = "a locking read returned " + a.seen.String() + ", and the last write left " + s.spec.String()
	}
	a.at = fencingAgain
	m.violate(&t, event{agent: i, text: "locks and reads " + sideName(side)}, bad)
}

// repair writes a key that is stale on the authority there, before it is changed.
func (m *model) repair(s *state, i int) {
	t := *s
	a := &t.agents[i]
	side := a.acting.plan().Authority
	if m.cfg.uncopyable {
		m.refusedByNew(s, i)
		return
	}
	if r, by := t.put(side, i, a.snap[0]); r == waits {
		m.wait(i, by)
		return
	}
	t.clear(i, a.found)
	a.snap[0], a.found = none, 0
	m.move(t, i, writing, "copies the stale key to "+sideName(side)+" and clears its record")
}

// writeAuthority runs the authority's method, whose result is the caller's.
func (m *model) writeAuthority(s *state, i int) {
	t := *s
	a := &t.agents[i]
	plan := a.acting.plan()
	if a.number == 0 {
		if a.number = t.unused(m.cfg.values); a.number == 0 {
			return // the model has no room for one more value
		}
	}
	if a.task == frozen && (s.rows[plan.Authority].committed != a.snap[plan.Authority]) {
		m.refuse(s, i, "could not serialize")
		return
	}
	side := plan.Authority
	if m.rules.oldFirst && plan.WritesBoth {
		side = flags.OldSide
	}
	if m.cfg.uncopyable && side == flags.NewSide && a.task != erase {
		m.refusedByNew(s, i)
		return
	}
	switch r, by := t.statement(a.task.change(), side, i, a.number); r {
	case waits:
		m.wait(i, by)
	case done:
		to := committing
		switch {
		case m.rules.rowFirst && a.locks&keyLock == 0:
			to = keyed
		case plan.WritesBoth:
			to = copying
		}
		m.move(t, i, to, "writes "+sideName(side))
	case notFound, exists:
		bad := ""
		if _, want := a.task.change().apply(s.spec, 1); want != r {
			bad = "the write was told that the key is " + r.String() + ", and the last write left " + s.spec.String()
		}
		t.abort(i)
		m.finish(&t, i)
		m.violate(&t, event{agent: i, text: "writes " + sideName(side) + ": the key is " + r.String()}, bad)
	}
}

// lockLate takes the key's lock after the authority's row, by a mutation.
func (m *model) lockLate(s *state, i int) {
	if holder := s.keyHolder(); holder >= 0 {
		m.wait(i, holder)
		return
	}
	t := *s
	t.agents[i].locks |= keyLock
	to := committing
	if t.agents[i].acting.plan().WritesBoth {
		to = copying
	}
	m.move(t, i, to, "locks the key, after the row")
}

// writeOther runs the other side's method, which may fail.
func (m *model) writeOther(s *state, i int) {
	a := &s.agents[i]
	plan := a.acting.plan()
	side := plan.Authority.Other()
	if m.rules.oldFirst {
		side = flags.NewSide
	}
	if m.cfg.fails {
		m.failOther(s, i, "which fails")
	}
	if m.cfg.uncopyable && side == flags.NewSide && a.task != erase {
		m.failOther(s, i, "which refuses the key")
		return
	}
	t := *s
	switch r, by := t.statement(a.task.change(), side, i, a.number); r {
	case waits:
		m.wait(i, by)
	case done:
		if m.rules.writeClears {
			t.clear(i, t.stale(i, side))
		}
		m.move(t, i, committing, "writes "+sideName(side))
	case notFound:
		m.move(t, i, settling, "writes "+sideName(side)+", which lacks the key")
	case exists:
		m.failOther(s, i, "which has the key already")
	}
}

// failOther is what a failure of the other side leads to.
func (m *model) failOther(s *state, i int, why string) {
	plan := s.agents[i].acting.plan()
	side := plan.Authority.Other()
	text := "writes " + sideName(side) + ", " + why
	if plan.Strict && !m.rules.lenient {
		m.refuse(s, i, text+": the operation fails")
		return
	}
	t := *s
	if m.rules.noRecord {
		m.move(t, i, committing, text+", and goes on")
		return
	}
	if t.record(i, side, false) {
		m.move(t, i, committing, text+", and records it as stale")
	}
}

// refusedByNew ends an operation whose authority is a new side that refuses the
// key. Nobody could help that, unless it was known before.
func (m *model) refusedByNew(s *state, i int) {
	t := *s
	t.abort(i)
	m.finish(&t, i)
	bad := ""
	if s.facts&knownBad != 0 {
		bad = knownBadText
	}
	m.violate(&t, event{agent: i, text: "writes N, which refuses the key: the operation fails"}, bad)
}

// settleOther copies a key that the other side lacked.
func (m *model) settleOther(s *state, i int) {
	t := *s
	plan := t.agents[i].acting.plan()
	side := plan.Authority.Other()
	if r, by := t.put(side, i, t.visible(plan.Authority, i)); r == waits {
		m.wait(i, by)
		return
	}
	m.move(t, i, committing, "copies the key to "+sideName(side))
}

// commit makes a write count.
func (m *model) commit(s *state, i int) {
	a := &s.agents[i]
	t := *s
	bad := ""
	after, want := a.task.change().apply(s.spec, a.number)
	switch {
	case a.task == modify && s.spec != a.seen:
		bad = "somebody wrote " + s.spec.String() + " after the locking read of " + a.seen.String() + ": a lost update"
	case want != done:
		bad = "the write took effect, and the last write left " + s.spec.String()
	}
	t.commit(i)
	t.spec = after
	acting := a.acting
	m.finish(&t, i)
	m.violate(&t, event{agent: i, text: "commits", policy: acting}, bad)
}

func (r result) String() string {
	return [...]string{"done", "absent", "there", "waits"}[r]
}

func sideName(side flags.Side) string { return [...]string{"O", "N"}[side] }
