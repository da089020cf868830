package accounts

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// Named is how many keys a tenant has that clients name: 1 to Named. Others
// are made by the database.
const Named = 3

// places is how many keys of a tenant one history may name.
const places = 64

// Row is one key's value; absent keys have the zero row.
type Row struct {
	There   bool
	Name    string
	Balance int64
}

func (r Row) String() string { return fmt.Sprintf("{%s %d}", r.Name, r.Balance) }

func rowOf(a Account) Row { return Row{There: true, Name: a.Name, Balance: a.Balance} }

// Act is one part of an operation, and what it saw or came to.
type Act struct {
	Kind ActKind
	Key  int64     `json:",omitempty"`
	Row  Row       // seen, or written: by rename the name alone, by add the balance
	List []Account `json:",omitempty"` // seen by a list
	None bool      `json:",omitempty"` // a create found the key there, a rename, add or delete did not
}

// ActKind says what an act is.
type ActKind int

// The kinds of acts. An insert is a create whose key the database made.
const (
	ActRead ActKind = iota
	ActList
	ActPut
	ActCreate
	ActRename
	ActAdd
	ActAddAll
	ActDelete
	ActInsert
)

func (k ActKind) String() string {
	return [...]string{"read", "list", "put", "create", "rename", "add", "add to all", "delete", "insert"}[k]
}

func (a Act) writes() bool { return a.Kind != ActRead && a.Kind != ActList && !a.None }

func (a Act) String() string {
	switch {
	case a.Kind == ActList:
		var rows []string
		for _, one := range a.List {
			rows = append(rows, fmt.Sprintf("%d %v", one.ID, rowOf(one)))
		}
		return "list [" + strings.Join(rows, ", ") + "]"
	case a.None:
		return fmt.Sprintf("%s %d: refused", a.Kind, a.Key)
	}
	return fmt.Sprintf("%s %d %v", a.Kind, a.Key, a.Row)
}

// Event is one operation: its acts happened at once, somewhere between call
// and end.
type Event struct {
	Client    int
	Op        int64
	Tenant    string
	What      string
	Stage     string // at which it was decided first, for reports
	Call, End time.Duration
	// Lost says that its process ended before it answered: what it did is in
	// the journal alone.
	Lost bool
	Answer
}

// Writes reports whether the operation says that it wrote.
func (e *Event) Writes() bool { return slices.ContainsFunc(e.Acts, Act.writes) }

func (e *Event) String() string {
	var acts []string
	for _, a := range e.Acts {
		acts = append(acts, a.String())
	}
	text := fmt.Sprintf("%9s to %9s client %d op %d %s at %s: %s",
		e.Call.Round(time.Microsecond), e.End.Round(time.Microsecond), e.Client, e.Op, e.What, e.Stage, strings.Join(acts, "; "))
	if e.Outcome != Happened {
		text += fmt.Sprintf(" -> %s %s", [...]string{"", "failed", "unknown"}[e.Outcome], e.Err)
	}
	return text
}

// History is what happened in one round. It may be added to concurrently.
type History struct {
	mu     sync.Mutex
	Events []*Event
}

// Add adds an operation, and each part of it that is one of its own.
func (h *History) Add(e *Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Events = append(h.Events, e)
	for _, p := range e.Parts {
		part := &Event{
			Client: e.Client, Op: e.Op, Tenant: e.Tenant, What: "read in a transaction", Stage: e.Stage,
			Call: p.Call, End: p.End, Answer: Answer{Acts: p.Acts},
		}
		if p.End == 0 {
			part.Call, part.End = e.Call, e.End
		}
		h.Events = append(h.Events, part)
	}
}

// Text is what happened to a tenant, by the times of the calls.
func (h *History) Text(tenant string) string {
	var lines []string
	slices.SortStableFunc(h.Events, func(a, b *Event) int { return int(a.Call - b.Call) })
	for _, e := range h.Events {
		if e.Tenant == tenant {
			lines = append(lines, e.String())
		}
	}
	return strings.Join(lines, "\n")
}

// searchTime bounds the search for an order of one round's operations, which
// takes milliseconds unless there is none.
const searchTime = 2 * time.Minute

// Check returns what is wrong unless the operations of a tenant, which had
// those accounts at the beginning, can be put into an order in which each saw
// what it saw. Operations of unknown outcome have no end.
func (h *History) Check(tenant string, from []Account) (wrong string) {
	var operations []porcupine.Operation
	var last time.Duration
	for _, e := range h.Events {
		last = max(last, e.End)
	}
	m := newModel(from)
	for _, e := range h.Events {
		if e.Tenant != tenant || e.Outcome == Failed || len(e.Acts) == 0 {
			continue
		}
		end := e.End
		if e.Outcome == Unknown {
			end = last // it may have come to pass long after its caller gave up
		}
		operations = append(operations, porcupine.Operation{
			ClientId: e.Client, Input: m.steps(e.Acts), Call: int64(e.Call), Return: int64(end),
		})
	}
	if len(m.places) > places {
		return fmt.Sprintf("tenant %s: %d keys in one history are more than the check has room for", tenant, len(m.places))
	}
	switch porcupine.CheckOperationsTimeout(m.porcupine(), operations, searchTime) {
	case porcupine.Unknown:
		return fmt.Sprintf("tenant %s: no order of %d operations was found in time", tenant, len(operations))
	case porcupine.Illegal:
		return fmt.Sprintf("tenant %s: the operations of this round have no order in which each saw what it saw, from %v on:\n%s",
			tenant, Act{Kind: ActList, List: from}, h.Text(tenant))
	}
	return ""
}
