package accounts

import "github.com/anishathalye/porcupine"

// state is all keys of one tenant, each in its place.
type state [places]Row

// step is an act whose key has its place.
type step struct {
	Act
	place int
	list  *state
}

// model says what one tenant's keys may do.
type model struct {
	places map[int64]int
	from   state
}

func newModel(from []Account) *model {
	m := &model{places: map[int64]int{}}
	m.from = *m.state(from)
	return m
}

// place returns where a key stands in states. Where there are too many keys,
// the result is of no use.
func (m *model) place(key int64) int {
	place, ok := m.places[key]
	if !ok {
		place = len(m.places)
		m.places[key] = place
	}
	return place % places
}

func (m *model) state(list []Account) *state {
	var s state
	for _, a := range list {
		s[m.place(a.ID)] = rowOf(a)
	}
	return &s
}

func (m *model) steps(acts []Act) []step {
	steps := make([]step, len(acts))
	for i, a := range acts {
		steps[i].Act = a
		switch a.Kind {
		case ActList:
			steps[i].list = m.state(a.List)
		case ActAddAll:
		default:
			steps[i].place = m.place(a.Key)
		}
	}
	return steps
}

func (m *model) porcupine() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return m.from },
		Step: func(before, input, _ any) (bool, any) {
			now := before.(state)
			for _, s := range input.([]step) {
				if !s.on(&now) {
					return false, before
				}
			}
			return true, now
		},
	}
}

// on does to the state what the step did, and returns false if it cannot have
// seen there what it saw.
func (a step) on(s *state) bool {
	at := &s[a.place]
	switch a.Kind {
	case ActRead:
		return *at == a.Row
	case ActList:
		return *s == *a.list
	case ActPut:
		*at = a.Row
	case ActAddAll:
		for i := range s {
			if s[i].There {
				s[i].Balance += a.Row.Balance
			}
		}
	case ActCreate, ActInsert:
		if at.There != a.None {
			return false
		}
		if !a.None {
			*at = a.Row
		}
	default:
		return a.changes(at)
	}
	return true
}

// changes is on for the acts that need the key to be there.
func (a step) changes(at *Row) bool {
	if at.There == a.None {
		return false
	}
	switch {
	case a.None:
	case a.Kind == ActRename:
		at.Name = a.Row.Name
	case a.Kind == ActAdd:
		at.Balance += a.Row.Balance
	case a.Kind == ActDelete:
		*at = Row{}
	}
	return true
}
