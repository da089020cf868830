package accounts

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// Session is what a process of the application reaches its accounts by.
type Session struct {
	Pool     *pgxpool.Pool
	DB       *postgres.DB
	Accounts Routed
}

// Turn is one operation of a client.
type Turn struct {
	Session
	Op     int64 // its number in the journal
	Tenant string
	Random *rand.Rand
	// Keys is how many of the keys that clients name are used; zero means [Named].
	Keys int
	// Outside says that OutsideKey is used as well.
	Outside bool
	// Made are keys that the database made, some of which are used as well.
	Made []int64
	// Now is the clock of the history. Nil leaves the parts of an operation
	// without times of their own.
	Now func() time.Duration
	Answer
}

// Answer is what an operation came to.
type Answer struct {
	Acts []Act `json:",omitempty"`
	// Parts are operations of their own that the operation consisted of.
	Parts []Part `json:",omitempty"`
	// Maybe says that an error was swallowed: the journal says whether the
	// operation happened.
	Maybe   bool    `json:",omitempty"`
	Outcome Outcome `json:",omitempty"`
	Err     string  `json:",omitempty"`
}

// Part is an operation within an operation.
type Part struct {
	Call, End time.Duration
	Acts      []Act
}

// Outcome says whether an operation took effect.
type Outcome int

// The outcomes.
const (
	Happened Outcome = iota
	Failed           // and must have left nothing
	Unknown          // the commit's answer was lost
)

// Run does the operation once and fills the turn's answer.
func (o Operation) Run(ctx context.Context, t *Turn) {
	t.conclude(caught(func() error { return o.run(ctx, t) }))
}

func (t *Turn) conclude(err error) {
	var lost *repo.UnknownOutcomeError
	switch {
	case err == nil:
		return
	case errors.As(err, &lost):
		t.Outcome = Unknown
	default:
		t.Outcome = Failed
	}
	t.Err = err.Error()
}

// Named returns the operation of that name.
func (m Mix) Named(name string) (Operation, bool) {
	for _, o := range m {
		if o.Name == name {
			return o, true
		}
	}
	return Operation{}, false
}

// Mix is what clients do, and how often.
type Mix []Operation

// Pick draws an operation by its weight.
func (m Mix) Pick(random *rand.Rand) Operation {
	all := 0
	for _, o := range m {
		all += o.Weight
	}
	n := random.IntN(all)
	for _, o := range m {
		if n -= o.Weight; n < 0 {
			return o
		}
	}
	panic("unreachable")
}

// caught turns a panic, which is a side's own, into an error.
func caught(fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			injected, ok := v.(error)
			if !ok || !errors.Is(injected, ErrInjected) {
				panic(v)
			}
			err = fmt.Errorf("panic: %w", injected)
		}
	}()
	return fn()
}

func (t *Turn) now() time.Duration {
	if t.Now == nil {
		return 0
	}
	return t.Now()
}

// saw notes what one part of the operation saw or did.
func (t *Turn) saw(a Act) { t.Acts = append(t.Acts, a) }

// forget begins anew: a transaction runs again.
func (t *Turn) forget() { t.Acts = nil }

// key returns one that clients name, or now and then one that the database made.
func (t *Turn) key(byName bool) int64 {
	named := t.Keys
	if named == 0 {
		named = Named
	}
	if byName || len(t.Made) == 0 || t.Random.IntN(3) > 0 {
		return 1 + t.Random.Int64N(int64(named))
	}
	return t.Made[t.Random.IntN(len(t.Made))]
}

// loose is key for operations of a single statement.
func (t *Turn) loose(byName bool) int64 {
	if t.Outside && t.Random.IntN(4) == 0 {
		return OutsideKey
	}
	return t.key(byName)
}

// account returns a new value of a key, unlike any other.
func (t *Turn) account(id int64) Account {
	return Account{ID: id, Name: fmt.Sprintf("n%d", t.Op), Balance: int64(t.Random.IntN(100))}
}

func (t *Turn) write(a Account) Write { return Write{Op: t.Op, Account: a} }

// answered notes an act whose only logical refusal is told by an error. Other
// errors are returned; so is the refusal of a failing old side. An act of
// unknown outcome is noted as well.
func (t *Turn) answered(a Act, err, refusal error) error {
	var strict *repo.SideError
	var lost *repo.UnknownOutcomeError
	switch {
	case err == nil:
	case errors.As(err, &lost):
		t.saw(a)
		return err
	case errors.Is(err, refusal) && !errors.As(err, &strict) && !errors.Is(err, ErrInjected):
		a.None = true
	default:
		return err
	}
	t.saw(a)
	return nil
}

// read notes what a read of one key saw.
func (t *Turn) read(id int64, a Account, err error) error {
	switch {
	case err == nil:
		t.saw(Act{Kind: ActRead, Key: id, Row: rowOf(a)})
	case errors.Is(err, ErrNone) && !errors.Is(err, ErrInjected):
		t.saw(Act{Kind: ActRead, Key: id})
	default:
		return err
	}
	return nil
}
