package model

// found is what an exploration came to.
type found struct {
	states int
	bad    string // the first violation, by the fewest steps
	trace  []line
	full   bool // false: the limit of states was reached
}

// explorer visits states breadth first. A state that was visited is remembered
// by its hash and by the state it was first reached from; the states themselves
// are kept only from one breadth to the next.
type explorer struct {
	m      *model
	hashes []uint64 // in the order of visits
	from   []uint32
	slots  []uint32 // open addressing over hashes; 0 is free
}

func newExplorer(m *model) *explorer {
	return &explorer{m: m, slots: make([]uint32, 1<<12), hashes: []uint64{0}, from: []uint32{0}}
}

// visit notes a hash, and reports whether it is new.
func (e *explorer) visit(hash uint64, from uint32) (uint32, bool) {
	if 2*len(e.hashes) > len(e.slots) {
		e.grow()
	}
	mask := uint64(len(e.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		switch n := e.slots[at]; {
		case n == 0:
			n = uint32(len(e.hashes))
			e.slots[at] = n
			e.hashes, e.from = append(e.hashes, hash), append(e.from, from)
			return n, true
		case e.hashes[n] == hash:
			return n, false
		}
	}
}

func (e *explorer) grow() {
	e.slots = make([]uint32, 2*len(e.slots))
	mask := uint64(len(e.slots) - 1)
	for n := 1; n < len(e.hashes); n++ {
		at := e.hashes[n] & mask
		for e.slots[at] != 0 {
			at = (at + 1) & mask
		}
		e.slots[at] = uint32(n)
	}
}

type visited struct {
	s state
	n uint32
}

// explore visits what can be reached, up to limit states, and stops at the
// first violation.
func explore(cfg *config, j *judge, limit int) found {
	m := newModel(cfg, j)
	e := newExplorer(m)
	var breadth, next []visited
	for _, s := range cfg.starts {
		m.tidy(&s)
		c := m.canonical(&s)
		if n, isNew := e.visit(c.hash(), 0); isNew {
			breadth = append(breadth, visited{c, n})
		}
	}
	for len(breadth) > 0 {
		for k := range breadth {
			v := &breadth[k]
			for _, succ := range m.successors(&v.s) {
				c := m.canonical(&succ.to)
				n, isNew := e.visit(c.hash(), v.n)
				if succ.bad != "" {
					return found{states: len(e.hashes) - 1, bad: succ.bad, trace: e.trace(v.n, succ.bad, n)}
				}
				if isNew {
					next = append(next, visited{c, n})
				}
			}
			if m.deadlocked() {
				return found{states: len(e.hashes) - 1, bad: deadlock, trace: e.trace(v.n, deadlock, 0)}
			}
		}
		if len(e.hashes) > limit {
			return found{states: len(e.hashes) - 1}
		}
		breadth, next = next, breadth[:0]
	}
	return found{states: len(e.hashes) - 1, full: true}
}
