package repo

import (
	"context"
	"errors"
	"hash/maphash"
	"reflect"
	"slices"
	"sync"

	"github.com/crossfade-db/crossfade/flags"
)

// NewValues returns a backend over two plain Go values that share no database:
// a service client beside a repository, or two fakes in a test.
//
// What is then not promised: there is no fence, so a process that acts on an
// old decision is not stopped; a dual write is two writes, of which a crash may
// leave one; locks exclude only this process; a failure of the side without
// authority is remembered in this process alone, and at live, where it fails
// the call, the new side was written nevertheless; reads and confirmations have
// no snapshot, so a difference may be a race, and a list under a share of keys
// is the old side's. Within one process the keys'
// order is kept, and stale keys are read through and repaired as with
// PostgreSQL. A nil side is an error.
func NewValues[R any](oldSide, newSide R) (Backend[R], error) {
	v := &values[R]{sides: [2]R{oldSide, newSide}, stale: map[string][]StaleKey{}, seed: maphash.MakeSeed()}
	for i, side := range v.sides {
		if NilSide(side) {
			return nil, errors.New("repo.NewValues: the " + flags.Side(i).String() + " side is nil") //nolint:gosec // 0 or 1
		}
	}
	return v, nil
}

// NilSide reports whether a side is nil, also where its type is a pointer, or
// an interface that holds a nil pointer.
func NilSide[R any](side R) bool {
	switch v := reflect.ValueOf(side); v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Map, reflect.Func:
		return v.IsNil()
	default:
		return false
	}
}

type values[R any] struct {
	sides [2]R
	seed  maphash.Seed
	locks [64]sync.Mutex // by the hash of tenant and key

	mu     sync.Mutex
	nextID int64
	stale  map[string][]StaleKey // by tenant
}

func (v *values[R]) Transactional() bool { return false }

func (v *values[R]) InTx(Tx) (Backend[R], error) {
	return nil, errors.New("the sides are plain Go values and share no transaction")
}

// Plain implements the reads that need no session.
func (v *values[R]) Plain(side flags.Side) R { return v.sides[side] }

func (v *values[R]) Read(ctx context.Context, s Scope, look bool, fn func(context.Context, Session[R]) error) error {
	return fn(ctx, v.session(s, look))
}

func (v *values[R]) Write(ctx context.Context, s Scope, look bool, fn func(context.Context, Session[R]) error) error {
	session := v.session(s, false)
	defer session.unlock()
	session.lock(s.Keys)
	session.look(s, look) // under the locks
	return fn(ctx, session)
}

func (v *values[R]) session(s Scope, look bool) *valuesSession[R] {
	session := &valuesSession[R]{v: v, tenant: s.Tenant}
	session.look(s, look)
	return session
}

type valuesSession[R any] struct {
	v      *values[R]
	tenant string
	found  []StaleKey
	held   []int // of v.locks
}

// lock takes the mutexes of the keys in order, or all of them.
func (s *valuesSession[R]) lock(keys Keys) {
	var wanted []int
	if keys.All() {
		for i := range s.v.locks {
			wanted = append(wanted, i)
		}
	}
	for _, key := range keys.List() {
		wanted = append(wanted, int(maphash.String(s.v.seed, s.tenant+"\x00"+key)%uint64(len(s.v.locks)))) //nolint:gosec // below 64
	}
	slices.Sort(wanted)
	for _, i := range slices.Compact(wanted) {
		if !slices.Contains(s.held, i) {
			s.v.locks[i].Lock()
			s.held = append(s.held, i)
		}
	}
}

func (s *valuesSession[R]) unlock() {
	for _, i := range s.held {
		s.v.locks[i].Unlock()
	}
}

// look finds the stale records of the scope.
func (s *valuesSession[R]) look(scope Scope, look bool) {
	if !look {
		return
	}
	s.v.mu.Lock()
	defer s.v.mu.Unlock()
	for _, k := range s.v.stale[s.tenant] {
		if scope.Keys.All() || k.Key == StaleAll || slices.Contains(scope.Keys.List(), k.Key) {
			s.found = append(s.found, k)
		}
	}
}

func (s *valuesSession[R]) Side(side flags.Side) R { return s.v.sides[side] }
func (s *valuesSession[R]) Stale() []StaleKey      { return s.found }

// Complete is not known without a ledger, so that nothing falls back.
func (s *valuesSession[R]) Complete(flags.Side) bool { return false }

// Missed is not known either, and a difference counts.
func (s *valuesSession[R]) Missed(flags.Side) bool { return false }

// Lock keeps others from a key that was made a moment ago, and which they may
// have read from a list already. It is called by those alone who hold no key.
func (s *valuesSession[R]) Lock(_ context.Context, keys []string) error {
	s.lock(KeyList(keys))
	return nil
}

// Together cannot tell: nothing keeps two sides in step that share no snapshot.
func (s *valuesSession[R]) Together(context.Context, func(context.Context) error) (bool, error) {
	return false, nil
}

func (s *valuesSession[R]) Protect(ctx context.Context, fn func(context.Context) error) error {
	return fn(ctx)
}

func (s *valuesSession[R]) Last(ctx context.Context, fn func(context.Context) error) error {
	return fn(ctx)
}

// Err is always nil: there is no transaction that could fail.
func (s *valuesSession[R]) Err() error { return nil }

func (s *valuesSession[R]) RecordStale(_ context.Context, side flags.Side, keys []string, _ error) error {
	s.v.mu.Lock()
	defer s.v.mu.Unlock()
	for _, key := range keys {
		known := slices.ContainsFunc(s.v.stale[s.tenant], func(k StaleKey) bool { return k.Key == key && k.Side == side })
		if !known {
			s.v.nextID++
			s.v.stale[s.tenant] = append(s.v.stale[s.tenant], StaleKey{ID: s.v.nextID, Key: key, Side: side})
		}
	}
	return nil
}

// Doom cannot undo what the authority has written: the side is stale from now on.
func (s *valuesSession[R]) Doom(ctx context.Context, side flags.Side, keys []string, cause error) error {
	return s.RecordStale(ctx, side, keys, cause)
}

func (s *valuesSession[R]) ClearStale(_ context.Context, records []StaleKey) error {
	s.v.mu.Lock()
	defer s.v.mu.Unlock()
	s.v.stale[s.tenant] = slices.DeleteFunc(s.v.stale[s.tenant], func(k StaleKey) bool { return slices.Contains(records, k) })
	return nil
}
