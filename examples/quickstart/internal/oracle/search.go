package oracle

import "math"

// maxConfigurations bounds the search on one customer. Histories of the demonstration need a few hundred.
const maxConfigurations = 1_000_000

// explanation is the outcome of a search.
type explanation struct {
	found     bool
	undecided bool // the search was given up
	// stuck is the acknowledged event that could not be explained after the longest order that was found, or nil.
	stuck *Event
}

// explain looks for an order of the events, which are sorted by their beginnings, that explains them all from the
// first state on.
func explain(first State, events []Event) explanation {
	s := search{seen: map[configuration]bool{}}
	for _, e := range events {
		switch e.Outcome {
		case Done, Absent:
			s.must = append(s.must, e)
		case Unknown, Open:
			if e.Kind != Read {
				s.may = append(s.may, e)
			}
		}
	}
	s.usedMust, s.usedMay = make([]byte, len(s.must)), make([]byte, len(s.may))
	found := s.order(first, 0, 0)
	result := explanation{found: found, undecided: !found && len(s.seen) >= maxConfigurations}
	if !found && s.stuckAt < len(s.must) {
		result.stuck = &s.must[s.stuckAt]
	}
	return result
}

// search looks for an order, depth first.
type search struct {
	must, may         []Event
	usedMust, usedMay []byte // 1 for events that are in the order so far
	seen              map[configuration]bool
	longest, stuckAt  int
}

// configuration is what the rest of a search depends on: the events that are in the order, and the state that they
// made. One that was met before need not be tried again.
type configuration struct {
	from      int
	must, may string
	state     State
}

// order tries to put the rest of the events behind those that are used. All before from are used; count are.
func (s *search) order(state State, from, count int) bool {
	for from < len(s.must) && s.usedMust[from] == 1 {
		from++
	}
	if from == len(s.must) {
		return true
	}
	until, end := s.window(from)
	c := configuration{from: from, must: string(s.usedMust[from:until]), may: string(s.usedMay), state: state}
	if s.seen[c] || len(s.seen) >= maxConfigurations {
		return false
	}
	s.seen[c] = true
	if count >= s.longest {
		s.longest, s.stuckAt = count, from
	}
	next := s.fitting(state, from, until)
	for _, i := range next {
		after, _ := s.must[i].step(state)
		s.usedMust[i] = 1
		if s.order(after, from, count+1) {
			return true
		}
		s.usedMust[i] = 0
		if after == state {
			return false // it takes no other order away, so that no other can do better
		}
	}
	return s.tryUnknown(state, from, count, end)
}

// window returns the end of the acknowledged events that may come next, and the first end among the unused: what began
// later must come later.
func (s *search) window(from int) (until int, end int64) {
	until, end = from, math.MaxInt64
	for ; until < len(s.must) && s.must[until].Began < end; until++ {
		if s.usedMust[until] == 0 {
			end = min(end, s.must[until].Done)
		}
	}
	return until, end
}

// fitting returns the acknowledged events that may come next and fit the state. One that changes nothing comes first.
func (s *search) fitting(state State, from, until int) []int {
	var fit []int
	for i := from; i < until; i++ {
		if s.usedMust[i] == 1 {
			continue
		}
		if after, ok := s.must[i].step(state); ok && after == state {
			return []int{i}
		} else if ok {
			fit = append(fit, i)
		}
	}
	return fit
}

// tryUnknown goes on with each event whose outcome is unknown and that began before end.
func (s *search) tryUnknown(state State, from, count int, end int64) bool {
	for i, e := range s.may {
		if s.usedMay[i] == 1 || e.Began >= end {
			continue
		}
		after, found := e.Kind.apply(state, e.Change)
		if !found || after == state {
			continue
		}
		s.usedMay[i] = 1
		if s.order(after, from, count) {
			return true
		}
		s.usedMay[i] = 0
	}
	return false
}

// step returns the state after an acknowledged event, and whether the event can have met the state before.
func (e Event) step(state State) (after State, ok bool) {
	after, found := e.Kind.apply(state, e.Change)
	switch {
	case e.Outcome == Absent:
		return state, !state.Exists
	case !found,
		e.Seen != nil && *e.Seen != state,
		e.Balance != nil && *e.Balance != after.Cents:
		return state, false
	}
	return after, true
}
