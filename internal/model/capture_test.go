package model

import "github.com/crossfade-db/crossfade/flags"

// keepCapture adds what happens to capture: it is installed, loses a trigger,
// is switched where the keeper finds that due, drained, and removed.
func (m *model) keepCapture(s *state) {
	for _, side := range []flags.Side{flags.OldSide, flags.NewSide} {
		c := s.capture[side]
		if c.mode == refusing && c.undrained != 0 && !m.lockedMode(s, side) {
			t := *s
			t.capture[side].undrained = 0
			m.emit(&t, event{agent: planeAgent, text: "has drained the writers that capture of " + sideName(side) + " let through"})
		}
		if s.checked != 0 || !m.captures(side) {
			continue
		}
		if c.mode == absent || c.broken != 0 || c.leaving != 0 {
			m.install(s, side)
		}
		if c.mode != absent && m.cfg.breaks && c.broken == 0 && m.uniform(s, flags.Old) && s.now&unfencedOld == 0 {
			t := *s
			t.capture[side].broken = 1
			m.emit(&t, event{agent: planeAgent, text: "sees a partition of " + sideName(side) + " attached, without triggers"})
		}
		if c.mode != absent && m.cfg.removes && m.uniform(s, flags.Old) {
			m.remove(s, side)
		}
	}
}

func (m *model) captures(side flags.Side) bool { return m.cfg.captureBoth || side == m.cfg.bypass }

// lockedMode reports whether anybody is left whom the mode before let through.
func (m *model) lockedMode(s *state, side flags.Side) bool {
	if m.rules.modeUndrained {
		return false
	}
	for i := range m.agents {
		if a := &s.agents[i]; a.locks&modeLock != 0 && m.plainSide(a, i) == side {
			return true
		}
	}
	return false
}

// install waits until nobody has written the side without triggers. What was
// written past the application before is nowhere recorded.
func (m *model) install(s *state, side flags.Side) {
	for i := range m.agents {
		a := &s.agents[i]
		if a.locks&uncaptured != 0 && m.plainSide(a, i) == side && !m.rules.installsAtOnce {
			return
		}
		if a.task == backfilling && side == flags.OldSide {
			return
		}
	}
	t := *s
	c := &t.capture[side]
	c.broken, c.leaving = 0, 0
	if s.capture[side].mode == absent {
		c.mode = recording
		if side == flags.NewSide || m.somebody(s, flags.Live) {
			c.mode = refusing
		}
	}
	if side == flags.OldSide && s.now.plan().WritesBoth && s.now.plan().Authority == flags.OldSide {
		t.facts &^= backfilled | verified
	}
	m.emit(&t, event{agent: planeAgent, text: "installs capture of " + sideName(side)})
}

// somebody reports whether anybody may stand at a stage or above it.
func (m *model) somebody(s *state, stage flags.Stage) bool {
	for _, g := range s.older {
		if g.policy.stage() >= stage && g.marks != settled {
			return true
		}
	}
	return s.now.stage() >= stage
}

// remove asks for the removal first; the triggers go when everybody acts on a
// fenced policy.
func (m *model) remove(s *state, side flags.Side) {
	t := *s
	if s.capture[side].leaving == 0 {
		t.capture[side].leaving = 1
		m.emit(&t, event{agent: planeAgent, text: "wants to remove capture of " + sideName(side)})
		return
	}
	if !m.quiet(s) || s.now&unfencedOld != 0 {
		return
	}
	t.capture[side] = capture{}
	m.emit(&t, event{agent: planeAgent, text: "removes capture of " + sideName(side)})
}

// refuseFirst has capture refuse before a step that nothing else speaks against.
func (m *model) refuseFirst(s *state, from flags.Stage) {
	side := policy(from).plan().Authority
	if s.capture[side].mode != recording {
		return // it refuses, and is being drained
	}
	m.switchMode(s, side)
}

// switchMode has capture do the other thing.
func (m *model) switchMode(s *state, side flags.Side) {
	t := *s
	c := &t.capture[side]
	if c.mode == recording {
		c.mode, c.undrained = refusing, 1
		m.emit(&t, event{agent: planeAgent, text: "has capture of " + sideName(side) + " refuse"})
		return
	}
	c.mode, c.undrained = recording, 0
	m.emit(&t, event{agent: planeAgent, text: "has capture of " + sideName(side) + " record"})
}
