package model

import "bytes"

// canonical returns the one form of all states that differ only in the names of
// values and in which process is which.
func (m *model) canonical(s *state) state {
	first := *s
	first.rename()
	if m.cfg.processes != 2 {
		return first
	}
	second := *s
	second.swap()
	second.rename()
	if bytes.Compare(first.bytes(), second.bytes()) <= 0 {
		return first
	}
	return second
}

// rename numbers the values in the order in which the state holds them.
func (s *state) rename() {
	var names [16]uint8
	next := uint8(1)
	name := func(n uint8) uint8 {
		if n == 0 || n == 0xf { // nothing; what a bad copy wrote
			return n
		}
		if names[n] == 0 {
			names[n] = next
			next++
		}
		return names[n]
	}
	rename := func(v *value) { *v = value(name(uint8(*v)>>4)<<4 | name(uint8(*v)&0xf)) }
	for i := range s.rows {
		rename(&s.rows[i].committed)
		rename(&s.rows[i].pending)
	}
	rename(&s.spec)
	for i := range s.agents {
		a := &s.agents[i]
		rename(&a.seen)
		rename(&a.snap[0])
		rename(&a.snap[1])
		if a.task <= grabbing || a.task == bypassing {
			a.number = name(a.number)
		}
	}
}

// swap exchanges both processes.
func (s *state) swap() {
	s.agents[0], s.agents[1] = s.agents[1], s.agents[0]
	other := func(i *uint8) {
		if *i == 1 || *i == 2 {
			*i = 3 - *i
		}
	}
	for i := range s.rows {
		other(&s.rows[i].writer)
	}
	for i := range s.records {
		other(&s.records[i].adder)
		other(&s.records[i].deleter)
	}
}
