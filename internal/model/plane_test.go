package model

import (
	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
)

// plane adds what the control plane can do next.
func (m *model) plane(s *state) {
	m.settle(s)
	if m.cfg.captures {
		m.keepCapture(s)
	}
	if s.checked != 0 {
		m.change(s)
		return
	}
	stage := s.now.stage()
	for _, to := range flags.Stages() {
		if to == stage || to < m.cfg.low || to > m.cfg.high {
			continue
		}
		m.check(s, policy(to))
	}
	if m.cfg.standing {
		m.keep(s)
	}
	if s.facts&(backfilled|verified) == backfilled && s.now.plan().WritesBoth {
		m.verify(s)
	}
	if m.cfg.failover && s.facts&fresh != 0 {
		m.failover(s)
	}
}

// check asks the rules, in one snapshot, and goes on only if none is broken.
// The change is written in a step of its own: what was true may no longer be.
func (m *model) check(s *state, next policy) {
	if s.older[m.cfg.older-1].policy != 0 {
		return // the model has no room for one more policy
	}
	if m.cfg.captures && s.now.stage() == flags.Old && s.capture[flags.OldSide].mode == absent && m.cfg.bypass == flags.OldSide && len(m.cfg.bypassOps) > 0 {
		return // the operator's promise: who bypasses the application is captured before old is left
	}
	v := m.ask(s, next)
	blocks := v.blocks &^ m.dropped
	if blocks != 0 && blocks == m.judge.bit(control.BlockCaptureOpen) {
		m.refuseFirst(s, s.now.stage())
	}
	if blocks != 0 {
		return
	}
	next |= m.mutated(s, next, v.standing)
	t := *s
	t.checked, t.checkedE = uint8(next), 0
	if v.notCopied {
		t.checkedE |= backfilled | verified
	}
	if v.oldIncomplete {
		t.checkedE |= oldComplete
	}
	if m.cfg.split {
		m.emit(&t, event{agent: planeAgent, text: "finds nothing against stepping", policy: next})
		return
	}
	m.change(&t)
}

// mutated is what stands, as the real rules say, or a mutation.
func (m *model) mutated(s *state, next, standing policy) policy {
	if !m.cfg.standing {
		return 0
	}
	if m.rules.neverStrict || m.rules.strictShort && s.now&strict != 0 {
		standing &^= strict
	}
	if next.stage() == flags.Live && (m.rules.cleanEarly && s.stale(nobody, flags.NewSide) == 0 || m.rules.cleanStale && m.quiet(s)) {
		standing |= clean
	}
	if m.rules.unfencedAnyway && next.stage() == flags.Old && m.quiet(s) && s.now.stage() == flags.Old {
		standing |= unfencedOld
	}
	return standing
}

// change writes a policy that was checked.
func (m *model) change(s *state) {
	t := *s
	next := policy(t.checked)
	cleared := t.checkedE
	if m.rules.keepBackfilled {
		cleared &^= backfilled | verified
	}
	if m.rules.keepOldComplete {
		cleared &^= oldComplete
	}
	t.checked, t.checkedE = 0, 0
	t.before = t.facts &^ fresh
	t.facts &^= cleared | knownBad | fresh
	if m.cfg.failover {
		t.facts |= fresh
	} else {
		t.before = 0
	}
	if next.stage() == flags.Live && s.now.stage() != flags.Live && s.cannotCopy() {
		t.facts |= knownBad
	}
	m.replace(&t, next)
	m.violate(&t, event{agent: planeAgent, text: "puts into force", policy: next}, "")
}

// cannotCopy reports whether a worker has tried a key and could not copy it.
func (s *state) cannotCopy() bool {
	for _, r := range s.records {
		if r.side == uint8(flags.NewSide)+1 && r.adder == 0 && r.failing != 0 {
			return true
		}
	}
	return false
}

const knownBadText = "a write fails at live for a key that was known not to be copyable before"

// replace counts all epochs one further back.
func (m *model) replace(t *state, next policy) {
	copy(t.older[1:], t.older[:maxOlder-1])
	t.older[0] = grant{policy: t.now}
	t.now = next
	if next&unfencedOld != 0 {
		t.facts |= ranUnfencedOld
	}
	if next&unfencedNew != 0 {
		t.facts |= ranUnfencedNew
	}
	for i := range t.agents {
		a := &t.agents[i]
		if a.task == backfilling && !next.plan().WritesBoth {
			a.flags |= forgotten
		}
		a.epoch = back(a.epoch, a.acting != 0)
		a.loaded = back(a.loaded, a.memory != 0)
	}
}

func back(epoch uint8, used bool) uint8 {
	switch {
	case !used:
		return 0
	case epoch >= lost:
		return min(epoch+1, lost+ancient)
	}
	return min(epoch+1, ancient)
}

// settle drains older policies and writes acknowledgements down.
func (m *model) settle(s *state) {
	for k, g := range s.older {
		ago := uint8(k + 1)
		if g.policy == 0 {
			continue
		}
		if m.cfg.joint {
			if g.marks != settled && (m.rules.noDrain || !s.held(ago)) && !m.actedOn(s, ago) {
				t := *s
				t.older[k].marks = settled
				m.emit(&t, event{agent: planeAgent, text: "has drained, and nobody acts on", policy: g.policy})
			}
			continue
		}
		if g.marks&drained == 0 && (m.rules.noDrain || !s.held(ago)) {
			t := *s
			t.older[k].marks |= drained
			m.emit(&t, event{agent: planeAgent, text: "has drained", policy: g.policy})
		}
		if g.marks&acknowledged == 0 && !m.actedOn(s, ago) {
			t := *s
			t.older[k].marks |= acknowledged
			m.emit(&t, event{agent: planeAgent, text: "writes down that nobody acts on", policy: g.policy})
		}
	}
}

// held reports whether a transaction holds an epoch's lock.
func (s *state) held(ago uint8) bool {
	for i := range s.agents {
		if a := &s.agents[i]; a.locks&epochLock != 0 && a.epoch == ago {
			return true
		}
	}
	return false
}

// actedOn reports whether a member says that it acts on the epoch or on an
// older one.
func (m *model) actedOn(s *state, ago uint8) bool {
	for i := range s.agents {
		if r := m.reported(s, i); r != nobodyActs && (r >= lost || r >= ago) {
			return true
		}
	}
	return false
}

// quiet reports whether nobody acts on an older policy.
func (m *model) quiet(s *state) bool {
	for _, g := range s.older {
		if g.policy != 0 && g.marks != settled {
			return false
		}
	}
	return !m.actedOn(s, 1)
}

// keep does what is due: it switches capture, and publishes what stands.
func (m *model) keep(s *state) {
	d := m.duty(s)
	for _, side := range []flags.Side{flags.OldSide, flags.NewSide} {
		if d.switches[side] {
			m.switchMode(s, side)
		}
	}
	next := s.now&stageBits | m.mutated(s, s.now, d.standing)
	if next == s.now || s.older[m.cfg.older-1].policy != 0 {
		return
	}
	t := *s
	t.before = 0
	if m.cfg.failover {
		t.before = t.facts &^ fresh
		t.facts |= fresh
	}
	m.replace(&t, next)
	m.violate(&t, event{agent: planeAgent, text: "publishes", policy: next}, "")
}

// verify compares both sides in one snapshot.
func (m *model) verify(s *state) {
	if s.rows[0].committed == s.rows[1].committed && s.stale(nobody, flags.OldSide, flags.NewSide) == 0 && m.bothWritten(s) {
		t := *s
		t.facts |= verified
		m.emit(&t, event{agent: planeAgent, text: "finds both sides equal"})
	}
}

// failover promotes a standby that has missed the last policy, and nothing else.
// All sessions end; who had heard of the lost policy goes on believing in it.
func (m *model) failover(s *state) {
	t := *s
	for i := range t.agents {
		a := &t.agents[i]
		if a.inside() {
			t.abort(i)
			if a.task >= backfilling {
				m.leave(&t, i)
			} else {
				m.finish(&t, i)
			}
		}
		if a.acting != 0 {
			a.epoch = forth(a.epoch)
		}
		if a.memory != 0 {
			a.loaded = forth(a.loaded)
		}
	}
	t.now = t.older[0].policy
	copy(t.older[:], t.older[1:])
	t.older[maxOlder-1] = grant{}
	t.facts = t.before
	m.emit(&t, event{agent: planeAgent, text: "fails over to a standby without its last policy; in force is", policy: t.now})
}

func forth(epoch uint8) uint8 {
	switch {
	case epoch == 0:
		return lost
	case epoch < ancient:
		return epoch - 1
	}
	return epoch
}
