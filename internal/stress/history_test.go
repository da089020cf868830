package stress

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// A tenant has the keys 1 to named, which clients name, and those that the
// database makes, of which each round gets new ones.
const (
	named = 3
	made  = 60
)

// madeBefore is the last key that the database made before the round.
var madeBefore atomic.Int64

// slotOf returns the place of a key in a state.
func slotOf(id int64) int {
	if id <= named {
		return int(id - 1)
	}
	return int(named + id - madeBefore.Load() - 1)
}

// keyOf is its inverse.
func keyOf(slot int) int64 {
	if slot < named {
		return int64(slot + 1)
	}
	return int64(slot-named+1) + madeBefore.Load()
}

// row is one key's value; absent keys have the zero row.
type row struct {
	there   bool
	name    string
	balance int64
}

// state is all keys of one tenant.
type state [named + made]row

func (s state) String() string {
	var rows []string
	for slot, r := range s {
		if r.there {
			rows = append(rows, fmt.Sprintf("%d %v", keyOf(slot), r))
		}
	}
	return "[" + strings.Join(rows, ", ") + "]"
}

func (r row) String() string { return fmt.Sprintf("{%s %d}", r.name, r.balance) }

func rowOf(a account) row { return row{there: true, name: a.Name, balance: a.Balance} }

// stateOf returns what a list shows. A key of an earlier round, all of which
// were deleted, goes to the last slot, where no key can be.
func stateOf(all []account) (s state) {
	for _, a := range all {
		slot := slotOf(a.ID)
		if slot < 0 || slot >= len(s) {
			slot, a.Name = len(s)-1, fmt.Sprintf("risen from the dead: %d %s", a.ID, a.Name)
		}
		s[slot] = rowOf(a)
	}
	return s
}

// act is one part of an operation, and what it saw or came to.
type act struct {
	kind  actKind
	slot  int
	row   row   // seen, or written: by rename the name alone, by add the balance
	state state // seen by a list
	none  bool  // a create found the key there, a rename, add or delete did not
}

type actKind int

const (
	actRead actKind = iota
	actList
	actPut
	actCreate
	actRename
	actAdd
	actAddAll
	actDelete
)

// on returns what the act makes of a state, and false if it cannot have seen
// what it saw there.
func (a act) on(s state) (state, bool) {
	at := &s[a.slot]
	switch a.kind {
	case actRead:
		return s, *at == a.row
	case actList:
		return s, s == a.state
	case actPut:
		*at = a.row
		return s, true
	case actCreate:
		if at.there == a.none {
			if !a.none {
				*at = a.row
			}
			return s, true
		}
		return s, false
	case actAddAll:
		for i := range s {
			if s[i].there {
				s[i].balance += a.row.balance
			}
		}
		return s, true
	}
	if at.there == a.none {
		return s, false
	}
	switch {
	case a.none:
	case a.kind == actRename:
		at.name = a.row.name
	case a.kind == actAdd:
		at.balance += a.row.balance
	case a.kind == actDelete:
		*at = row{}
	}
	return s, true
}

func (a act) String() string {
	verb := [...]string{"read", "list", "put", "create", "rename", "add", "add to all", "delete"}[a.kind]
	switch {
	case a.kind == actList:
		return fmt.Sprintf("list %v", a.state)
	case a.none:
		return fmt.Sprintf("%s %d: refused", verb, keyOf(a.slot))
	}
	return fmt.Sprintf("%s %d %v", verb, keyOf(a.slot), a.row)
}

// event is one operation: its acts happened at once, somewhere between call
// and end.
type event struct {
	client    int
	op        int64
	tenant    string
	what      string
	stage     string // at which it was decided first, for reports
	call, end time.Duration
	acts      []act
	outcome   outcome
	maybe     bool // an error was swallowed: the journal says whether it happened
	err       error
}

type outcome int

const (
	happened outcome = iota
	failed           // and must have left nothing
	unknown          // the commit's answer was lost
)

func (a act) writes() bool { return a.kind != actRead && a.kind != actList && !a.none }

func (e *event) writes() bool {
	return slices.ContainsFunc(e.acts, act.writes)
}

func (e *event) String() string {
	var acts []string
	for _, a := range e.acts {
		acts = append(acts, a.String())
	}
	text := fmt.Sprintf("%9s to %9s client %d op %d %s at %s: %s",
		e.call.Round(time.Microsecond), e.end.Round(time.Microsecond), e.client, e.op, e.what, e.stage, strings.Join(acts, "; "))
	if e.outcome != happened {
		text += fmt.Sprintf(" -> %s %v", [...]string{"", "failed", "unknown"}[e.outcome], e.err)
	}
	return text
}

// history is what happened in one round.
type history struct {
	mu     sync.Mutex
	events []*event
}

func (h *history) add(e *event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

// model says what one tenant's keys may do, from a state on.
func model(from state) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return from },
		Step: func(before, input, _ any) (bool, any) {
			now := before.(state)
			for _, a := range input.([]act) {
				var ok bool
				if now, ok = a.on(now); !ok {
					return false, before
				}
			}
			return true, now
		},
	}
}

// searchTime bounds the search for an order of one round's operations, which
// takes milliseconds unless there is none.
const searchTime = 2 * time.Minute

// check fails the test unless the operations of a tenant can be put into an
// order in which each saw what it saw.
func (h *history) check(t *testing.T, tenant string, from state) {
	t.Helper()
	var operations []porcupine.Operation
	var last time.Duration
	for _, e := range h.events {
		last = max(last, e.end)
	}
	for _, e := range h.events {
		if e.tenant != tenant || e.outcome == failed || len(e.acts) == 0 {
			continue
		}
		end := e.end
		if e.outcome == unknown {
			end = last // it may have come to pass long after its caller gave up
		}
		operations = append(operations, porcupine.Operation{
			ClientId: e.client, Input: e.acts, Call: int64(e.call), Return: int64(end),
		})
	}
	switch porcupine.CheckOperationsTimeout(model(from), operations, searchTime) {
	case porcupine.Ok:
	case porcupine.Unknown:
		t.Errorf("tenant %s: no order of %d operations was found in time", tenant, len(operations))
	case porcupine.Illegal:
		t.Errorf("tenant %s: the operations of this round have no order in which each saw what it saw, from %v on:\n%s",
			tenant, from, h.text(tenant))
	}
}

func (h *history) text(tenant string) string {
	var lines []string
	slices.SortFunc(h.events, func(a, b *event) int { return int(a.call - b.call) })
	for _, e := range h.events {
		if e.tenant == tenant {
			lines = append(lines, e.String())
		}
	}
	return strings.Join(lines, "\n")
}
