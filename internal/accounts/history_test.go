package accounts

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func event(op int64, call, end int, a Answer) *Event {
	return &Event{Op: op, Tenant: "acme", Call: time.Duration(call), End: time.Duration(end), Answer: a}
}

func did(acts ...Act) Answer { return Answer{Acts: acts} }

func putOf(key int64, name string) Act {
	return Act{Kind: ActPut, Key: key, Row: Row{There: true, Name: name}}
}

func readOf(key int64, name string) Act {
	return Act{Kind: ActRead, Key: key, Row: Row{There: name != "", Name: name}}
}

func TestCheckFindsWhatNoOrderExplains(t *testing.T) {
	for _, c := range []struct {
		name   string
		wrong  bool
		events []*Event
	}{
		{"a read of the last write", false, []*Event{event(1, 0, 1, did(putOf(1, "a"))), event(2, 2, 3, did(readOf(1, "a")))}},
		{"a lost write", true, []*Event{event(1, 0, 1, did(putOf(1, "a"))), event(2, 2, 3, did(readOf(1, "before")))}},
		{"a read that overlaps the write", false, []*Event{event(1, 0, 3, did(putOf(1, "a"))), event(2, 1, 2, did(readOf(1, "before")))}},
		{"two reads that go back in time", true, []*Event{
			event(1, 0, 9, did(putOf(1, "a"))), event(2, 1, 2, did(readOf(1, "a"))), event(3, 3, 4, did(readOf(1, "before"))),
		}},
		{"a write of unknown outcome that comes to pass late", false, []*Event{
			event(1, 0, 1, Answer{Acts: []Act{putOf(1, "a")}, Outcome: Unknown}),
			event(2, 2, 3, did(readOf(1, "before"))), event(3, 4, 5, did(readOf(1, "a"))),
		}},
		{"a failed write that is seen", true, []*Event{
			event(1, 0, 1, Answer{Acts: []Act{putOf(1, "a")}, Outcome: Failed}), event(2, 2, 3, did(readOf(1, "a"))),
		}},
		{"two increments that read the same", true, []*Event{
			event(1, 0, 3, did(readOf(1, "before"), putOf(1, "a"))), event(2, 1, 4, did(readOf(1, "before"), putOf(1, "b"))),
		}},
		{"a list of two moments", true, []*Event{
			event(1, 0, 1, did(putOf(2, "a"))), event(2, 2, 3, did(putOf(1, "b"))),
			event(3, 0, 4, did(Act{Kind: ActList, List: []Account{{ID: 1, Name: "b"}}})),
		}},
		{"a key that rose from the dead", true, []*Event{event(1, 0, 1, did(readOf(2000, "ghost")))}},
		{"an add to everybody", false, []*Event{
			event(1, 0, 1, did(Act{Kind: ActAddAll, Row: Row{Balance: 5}})),
			event(2, 2, 3, did(Act{Kind: ActRead, Key: 1, Row: Row{There: true, Name: "before", Balance: 5}})),
		}},
		{"a create that was refused where nothing is", true, []*Event{event(1, 0, 1, did(Act{Kind: ActCreate, Key: 2, None: true}))}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &History{}
			for _, e := range c.events {
				h.Add(e)
			}
			wrong := h.Check("acme", []Account{{ID: 1, Name: "before"}})
			assert.Equal(t, c.wrong, wrong != "", wrong)
		})
	}
}

func TestResolveHoldsOutcomesAgainstTheJournal(t *testing.T) {
	lines := func(sides ...string) map[int64][]Line {
		m := map[int64][]Line{}
		for _, side := range sides {
			m[1] = append(m[1], Line{Op: 1, Side: side, Kind: int(ActAdd), ID: 2, Balance: 7})
		}
		return m
	}
	add := []Act{{Kind: ActAdd, Key: 2, Row: Row{Balance: 7}}}
	for _, c := range []struct {
		name    string
		answer  Answer
		lost    bool
		journal map[int64][]Line
		wrong   string
		outcome Outcome
	}{
		{"acknowledged and there", Answer{Acts: add}, false, lines("old", "new"), "", Happened},
		{"acknowledged and not there", Answer{Acts: add}, false, nil, "never committed", Happened},
		{"failed and not there", Answer{Outcome: Failed}, false, nil, "", Failed},
		{"failed and there", Answer{Outcome: Failed}, false, lines("old"), "took effect", Failed},
		{"unknown and not there", Answer{Acts: add, Outcome: Unknown}, false, nil, "", Failed},
		{"unknown and there", Answer{Acts: add, Outcome: Unknown}, false, lines("new"), "", Unknown},
		{"there twice", Answer{Acts: add}, false, lines("old", "old"), "committed twice", Happened},
		{"never answered and there", Answer{Outcome: Unknown}, true, lines("old", "new"), "", Unknown},
		{"never answered and not there", Answer{Outcome: Unknown}, true, nil, "", Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, e := &History{}, event(1, 0, 1, c.answer)
			e.Lost = c.lost
			h.Add(e)
			wrong := h.Resolve(c.journal)
			if c.wrong == "" {
				assert.Empty(t, wrong)
			} else {
				require.Len(t, wrong, 1)
				assert.Contains(t, wrong[0], c.wrong)
			}
			assert.Equal(t, c.outcome, e.Outcome)
			if c.lost && c.journal != nil {
				assert.Equal(t, add, e.Acts, "what it did is in the journal")
			}
		})
	}
}
