package oracle

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var alice, bob = Key{Customer: uuid.UUID{1}}, Key{Customer: uuid.UUID{2}}

// line makes an event that lasted from began to done.
func line(key Key, began, done int64, kind Kind, change Change, result Result) Event {
	return Event{Line: began, Operation: began, Key: key, Kind: kind, Began: began, Done: done, Change: change, Result: result}
}

func add(began, done, cents int64) Event {
	return line(alice, began, done, Add, Change{Cents: cents, Set: State{UpdatedAt: began}}, Result{Outcome: Done})
}

func email(began, done int64) Event {
	return line(alice, began, done, Email, Change{Set: State{Email: fmt.Sprint(began), UpdatedAt: began}}, Result{Outcome: Done})
}

func read(began, done int64, seen State) Event {
	return line(alice, began, done, Read, Change{}, Result{Outcome: Done, Seen: &seen})
}

func (e Event) unknown() Event {
	e.Outcome, e.Done = Unknown, math.MaxInt64
	return e
}

func (e Event) absent() Event {
	e.Outcome = Absent
	return e
}

func (e Event) seeing(s State) Event {
	e.Seen = &s
	return e
}

// person is a state with a balance, last updated at a time.
func person(cents, at int64) State { return State{Exists: true, Cents: cents, UpdatedAt: at} }

func mailed(s State, began int64) State {
	s.Email, s.UpdatedAt = fmt.Sprint(began), began
	return s
}

var begin = person(100, 1)

func TestTheOracleFindsWhatWentWrongAndNothingElse(t *testing.T) {
	remove := func(began, done int64) Event {
		return line(alice, began, done, Delete, Change{}, Result{Outcome: Done})
	}
	save := func(began, done int64, s State) Event {
		return line(alice, began, done, Save, Change{Set: s}, Result{Outcome: Done})
	}
	balance := func(e Event, cents int64) Event { e.Balance = &cents; return e }
	const good, lost, stale = "good", "lost", "stale"
	for _, test := range []struct {
		name   string
		events []Event
		end    State
		want   string
	}{
		{"nothing happened", nil, begin, good},
		{"a value that nobody wrote", nil, person(99, 1), lost},
		{"a customer that vanished", nil, State{}, lost},
		{"increments add up", []Event{add(10, 11, 5), add(12, 13, -7)}, person(98, 12), good},
		{"an increment is lost", []Event{add(10, 11, 5), add(12, 13, 7)}, person(107, 12), lost},
		{"an increment counts twice", []Event{add(10, 11, 5)}, person(110, 10), lost},
		{"two at once, in either order", []Event{add(10, 13, 5), add(11, 12, 7)}, person(112, 10), good},
		{"two at once, one is lost", []Event{add(10, 13, 5), add(11, 12, 7)}, person(107, 11), lost},
		{"two at once, both read the same balance", []Event{add(10, 13, 5).seeing(begin), add(11, 12, 7).seeing(begin)}, person(107, 11), lost},
		{"one after the other cannot be the other way round", []Event{email(10, 11), email(12, 13)}, mailed(begin, 10), lost},
		{
			"a full write over an increment that it did not see",
			[]Event{add(10, 11, 5), save(12, 13, person(100, 12)).seeing(begin)},
			person(100, 12), lost,
		},
		{"a balance that was returned but never was", []Event{balance(add(10, 11, 5), 106)}, person(105, 10), lost},
		{"a balance that was returned", []Event{balance(add(10, 11, 5), 105)}, person(105, 10), good},

		{"unknown, and done", []Event{add(10, 0, 5).unknown()}, person(105, 10), good},
		{"unknown, and not done", []Event{add(10, 0, 5).unknown()}, begin, good},
		{"unknown, and half done", []Event{add(10, 0, 5).unknown()}, person(103, 10), lost},
		{
			"unknown, and done late",
			[]Event{add(10, 0, 5).unknown(), email(12, 13), read(14, 15, mailed(begin, 12))},
			State{Exists: true, Cents: 105, Email: "12", UpdatedAt: 10},
			good,
		},
		{
			"unknown, and done before it began",
			[]Event{email(8, 9), read(10, 11, State{Exists: true, Cents: 105, Email: "8", UpdatedAt: 12}), add(12, 0, 5).unknown()},
			State{Exists: true, Cents: 105, Email: "8", UpdatedAt: 12},
			stale,
		},
		{"several unknown, some done", []Event{add(10, 0, 5).unknown(), add(11, 0, 6).unknown(), add(12, 0, 7).unknown()}, person(112, 12), good},
		{"several unknown, a sum that none makes", []Event{add(10, 0, 5).unknown(), add(11, 0, 6).unknown(), add(12, 0, 7).unknown()}, person(114, 12), lost},
		{"an unknown write does not excuse a lost one", []Event{email(10, 11), add(12, 0, 5).unknown()}, person(105, 12), lost},
		{"refused, and done", []Event{line(alice, 10, 11, Delete, Change{}, Result{Outcome: Refused})}, State{}, lost},
		{"refused, and not done", []Event{line(alice, 10, 11, Delete, Change{}, Result{Outcome: Refused})}, begin, good},

		{"deleted", []Event{remove(10, 11)}, State{}, good},
		{"deleted, and back again", []Event{remove(10, 11)}, begin, lost},
		{"deleted, and back by a save", []Event{remove(10, 11), save(12, 13, person(7, 12))}, person(7, 12), good},
		{"deleted, and a save is lost", []Event{remove(10, 11), save(12, 13, person(7, 12))}, State{}, lost},
		{"deleted while it is changed", []Event{remove(10, 13), add(11, 12, 5)}, State{}, good},
		{"absent after a delete", []Event{remove(10, 11), add(12, 13, 5).absent()}, State{}, good},
		{"absent although it was there", []Event{add(12, 13, 5).absent()}, begin, lost},
		{"an unknown delete", []Event{remove(10, 0).unknown(), add(12, 13, 5)}, State{}, good},
		{"an unknown delete between others", []Event{remove(10, 0).unknown(), add(12, 13, 5), add(14, 15, 5).absent(), save(16, 17, begin)}, begin, good},

		{"a read of the present", []Event{add(10, 11, 5), read(12, 13, person(105, 10))}, person(105, 10), good},
		{"a read of the past", []Event{add(10, 11, 5), read(12, 13, begin)}, person(105, 10), stale},
		{"a read while it is written sees either", []Event{add(10, 15, 5), read(11, 12, begin), read(13, 14, person(105, 10))}, person(105, 10), good},
		{"two reads while it is written go back in time", []Event{add(10, 15, 5), read(11, 12, person(105, 10)), read(13, 14, begin)}, person(105, 10), stale},
		{"a read of what never was", []Event{read(10, 11, person(1, 1))}, begin, stale},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := Judge(map[Key]State{alice: begin}, NewHistory(test.events), map[Key]State{alice: test.end})
			got := map[[2]int]string{{0, 0}: good, {1, 0}: lost, {0, 1}: stale}[[2]int{v.LostUpdates, v.StaleReads}]
			assert.Equal(t, test.want, got, "%+v", v)
			assert.Equal(t, test.want == good, len(v.Problems) == 0)
			assert.Zero(t, v.Undecided)
		})
	}
}

func TestOfATransferBothHalvesAreDoneOrNeither(t *testing.T) {
	start := map[Key]State{alice: person(100, 1), bob: person(200, 1)}
	from := line(alice, 10, 0, Add, Change{Cents: -30, Set: State{UpdatedAt: 10}}, Result{}).unknown()
	to := line(bob, 11, 0, Add, Change{Cents: 30, Set: State{UpdatedAt: 10}}, Result{}).unknown()
	to.Operation = from.Operation
	paid, received := person(70, 10), person(230, 10)
	for _, test := range []struct {
		name       string
		alice, bob State
		lost       int
	}{
		{"both", paid, received, 0},
		{"neither", start[alice], start[bob], 0},
		{"the first alone", paid, start[bob], 1},
		{"the second alone", start[alice], received, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := Judge(start, NewHistory([]Event{from, to}), map[Key]State{alice: test.alice, bob: test.bob})
			assert.Equal(t, test.lost, v.LostUpdates, "%v", v.Problems)
		})
	}
}

func TestCustomersThatNobodyTouchedAreJudgedToo(t *testing.T) {
	v := Judge(map[Key]State{alice: begin}, nil, map[Key]State{alice: begin, bob: begin})
	assert.Equal(t, 1, v.LostUpdates, "bob was never made")
	assert.Equal(t, 2, v.Customers)
}

// simulate draws what several processes do to alice at the same time, on a store that makes no mistake, and how it ends.
func simulate(t *rapid.T, killed bool) (events []Event, end State) {
	end = begin
	clock, busy := int64(10), []Event{}
	tick := func() int64 { clock++; return clock }
	for range rapid.IntRange(0, 60).Draw(t, "steps") {
		if len(busy) < 6 && rapid.Bool().Draw(t, "begin") {
			at := tick()
			e := line(alice, at, 0, rapid.SampledFrom([]Kind{Save, Replace, Email, Add, Add, Delete, Read}).Draw(t, "kind"),
				Change{Cents: rapid.Int64Range(-3, 3).Draw(t, "cents")}, Result{Outcome: Open})
			e.Change.Set = State{Exists: e.Kind == Save, Email: fmt.Sprint(at), UpdatedAt: at, Cents: 50}
			busy = append(busy, e)
		} else if len(busy) > 0 {
			i := rapid.IntRange(0, len(busy)-1).Draw(t, "which")
			e := busy[i]
			busy = append(busy[:i:i], busy[i+1:]...)
			var done bool
			if e, end, done = perform(t, e, end, killed); done {
				e.Done = tick()
			}
			events = append(events, e)
		}
	}
	return append(events, busy...), end
}

// perform lets the store do an operation at this moment; done says that its process lived to hear of it.
func perform(t *rapid.T, e Event, s State, killed bool) (_ Event, after State, done bool) {
	if killed && rapid.IntRange(0, 5).Draw(t, "kill") == 0 {
		if rapid.Bool().Draw(t, "written") {
			s, _ = e.Kind.apply(s, e.Change)
		}
		return e.unknown(), s, false
	}
	after, found := e.Kind.apply(s, e.Change)
	switch {
	case !found:
		e = e.absent()
	case e.Kind == Read || rapid.Bool().Draw(t, "sees"):
		e = e.seeing(s)
		e.Outcome = Done
	default:
		e.Outcome = Done
	}
	return e, after, true
}

func TestAStoreThatMakesNoMistakeIsNeverBlamed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events, end := simulate(t, true)
		v := Judge(map[Key]State{alice: begin}, NewHistory(events), map[Key]State{alice: end})
		require.Empty(t, v.Problems)
	})
}

func TestALostUpdateIsAlwaysFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events, end := simulate(t, false)
		if !end.Exists {
			end = person(1, 5000)
			events = append(events, line(alice, 5000, 5001, Save, Change{Set: end}, Result{Outcome: Done}))
		}
		// The last of all writes was acknowledged, and is not there.
		last := rapid.SampledFrom([]Event{add(9000, 9001, 5), email(9000, 9001), line(alice, 9000, 9001, Delete, Change{}, Result{Outcome: Done})}).Draw(t, "last")
		v := Judge(map[Key]State{alice: begin}, NewHistory(append(events, last)), map[Key]State{alice: end})
		require.Equal(t, 1, v.LostUpdates)
	})
}
