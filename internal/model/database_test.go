package model

import "github.com/crossfade-db/crossfade/flags"

// change is what a statement does to a key's row.
type change uint8

const (
	upsert change = iota
	insert
	update // one field, of a row that is there
	remove
	lock // select for update
)

// result is what became of a statement.
type result uint8

const (
	done result = iota
	notFound
	exists
	waits // for the agent that holds the row
)

// apply returns what a change makes of a value.
func (c change) apply(v value, number uint8) (value, result) {
	switch {
	case c == upsert, c == insert && v == none:
		return whole(number), done
	case c == insert:
		return v, exists
	case v == none:
		return v, notFound
	case c == update:
		return v.with(number), done
	case c == remove:
		return none, done
	}
	return v, done // a lock
}

// visible is the row that a statement of agent i sees.
func (s *state) visible(side flags.Side, i int) value {
	if r := s.rows[side]; int(r.writer) != i+1 {
		return r.committed
	}
	return s.rows[side].pending
}

// statement runs a change on a side. Where it waits, blocker is the agent that
// holds the row. A row that is absent cannot be locked: an update or a delete
// of it finds nothing, at once, also while somebody else is inserting it.
func (s *state) statement(c change, side flags.Side, i int, number uint8) (r result, blocker int) {
	row := &s.rows[side]
	if row.writer != 0 && int(row.writer) != i+1 && (row.committed != none || c == upsert || c == insert) {
		return waits, int(row.writer) - 1
	}
	after, r := c.apply(s.visible(side, i), number)
	if r == done {
		row.writer, row.pending = uint8(i+1), after
	}
	return r, 0
}

// put makes the row on a side equal to a value, as a copy does.
func (s *state) put(side flags.Side, i int, v value) (r result, blocker int) {
	c := upsert
	if v == none {
		c = remove
	}
	if r, blocker = s.statement(c, side, i, 0); r == done {
		s.rows[side].pending = v
	}
	return r, blocker
}

// stale returns the records of a side that agent i sees, by slot.
func (s *state) stale(i int, sides ...flags.Side) (slots uint8) {
	for slot, r := range s.records {
		if r.side == 0 || int(r.adder) != 0 && int(r.adder) != i+1 || int(r.deleter) == i+1 {
			continue
		}
		for _, side := range sides {
			if r.side == uint8(side)+1 {
				slots |= 1 << slot
			}
		}
	}
	return slots
}

// nobody sees only what is committed.
const nobody = -10

// record adds a stale record; always says that a second one is added beside the
// first. It reports false where the model has no room for it.
func (s *state) record(i int, side flags.Side, always bool) bool {
	if !always && s.stale(i, side) != 0 {
		return true
	}
	for slot := range s.records {
		if s.records[slot].side == 0 {
			s.records[slot] = record{side: uint8(side) + 1, adder: uint8(i + 1)}
			return true
		}
	}
	return false
}

// clear deletes records by slot.
func (s *state) clear(i int, slots uint8) {
	for slot := range s.records {
		r := s.records[slot]
		if slots&(1<<slot) != 0 && r.side != 0 && (r.adder == 0 || int(r.adder) == i+1) {
			s.records[slot].deleter = uint8(i + 1)
		}
	}
}

// commit ends the agent's transaction.
func (s *state) commit(i int) {
	me := uint8(i + 1)
	for side := range s.rows {
		if r := &s.rows[side]; r.writer == me {
			r.committed, r.pending, r.writer = r.pending, none, 0
		}
	}
	for slot := range s.records {
		switch r := &s.records[slot]; {
		case r.deleter == me:
			*r = record{}
		case r.adder == me:
			r.adder = 0
		}
	}
	s.facts &^= fresh
	s.release(i)
}

// abort undoes the agent's transaction.
func (s *state) abort(i int) {
	me := uint8(i + 1)
	for side := range s.rows {
		if r := &s.rows[side]; r.writer == me {
			r.pending, r.writer = none, 0
		}
	}
	for slot := range s.records {
		switch r := &s.records[slot]; {
		case r.adder == me:
			*r = record{}
		case r.deleter == me:
			r.deleter = 0
		}
	}
	s.release(i)
}

func (s *state) release(i int) {
	a := &s.agents[i]
	a.locks = 0
	a.seen, a.found, a.snap = none, 0, [2]value{}
}

// keyHolder returns the agent that holds the key's lock, or -1.
func (s *state) keyHolder() int {
	for i := range s.agents {
		if s.agents[i].locks&keyLock != 0 {
			return i
		}
	}
	return -1
}
