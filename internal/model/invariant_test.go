package model

import "github.com/crossfade-db/crossfade/flags"

// broken returns what a state violates, or "".
func (m *model) broken(s *state) string {
	plan := s.now.plan()
	side := plan.Authority
	if plan.ThroughStale && !m.rules.noStaleRead && s.stale(nobody, side) != 0 {
		side = side.Other()
	}
	if v := s.rows[side].committed; v != s.spec {
		return "a read at " + s.now.String() + " would return " + v.String() + ", and the last write left " + s.spec.String()
	}
	complete := backfilled | oldComplete
	if m.cfg.badMapping {
		complete |= verified
	}
	if plan.WritesBoth && s.facts&complete == complete && s.stale(nobody, flags.OldSide, flags.NewSide) == 0 &&
		s.rows[0].committed != s.rows[1].committed {
		return "copies are complete and no key is stale, but O holds " + s.rows[0].committed.String() + " and N " + s.rows[1].committed.String()
	}
	return ""
}

const deadlock = "a deadlock that an operation of the application is part of"

// deadlocked reports a circle of waiting agents in the state whose successors
// were made last, unless somebody in it gives way.
func (m *model) deadlocked() bool {
	for start := range m.agents {
		i, length := start, 0
		for m.blocked[i] >= 0 && length <= m.agents {
			if m.kind[i] >= backfilling && m.kind[i] <= working && !m.rules.patientCopies {
				break // its lock_timeout is shorter than the server's patience
			}
			i, length = int(m.blocked[i]), length+1
			if i == start {
				return true
			}
		}
	}
	return false
}

// tidy gives states that differ in nothing that counts one form: policies that
// nobody can act on are dropped, epochs without a policy are ancient.
func (m *model) tidy(s *state) {
	n := maxOlder
	for n > 0 && s.older[n-1].policy == 0 {
		n--
	}
	keep := 0
	if s.facts&fresh != 0 {
		keep = 1 // a failover may put it into force again
	}
	for n > keep && s.older[n-1].marks == settled && !m.actedOn(s, uint8(n)) {
		n--
		s.older[n] = grant{}
	}
	for i := range s.agents {
		a := &s.agents[i]
		if a.epoch > uint8(n) && a.epoch < lost {
			a.epoch = ancient
		}
		if a.loaded > uint8(n) && a.loaded < lost {
			a.loaded = ancient
		}
	}
}

// unused returns a number of a write that nothing holds, or 0.
func (s *state) unused(limit uint8) uint8 {
	used := s.numbers()
	for n := uint8(1); n <= limit; n++ {
		if used&(1<<n) == 0 {
			return n
		}
	}
	return 0
}

func (s *state) numbers() (used uint16) {
	s.values(func(v *value) { used |= 1<<(*v>>4) | 1<<(*v&0xf) })
	for i := range s.agents {
		if s.agents[i].task <= grabbing {
			used |= 1 << s.agents[i].number
		}
	}
	return used
}
