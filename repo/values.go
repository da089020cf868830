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
// no snapshot, so a difference may be a race. Within one process the keys'
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

func (v *values[R]) Read(ctx context.Context, s Scope, look bool, fn func(context.Context, Session[R]) error) error {
	return fn(ctx, v.session(s, look))
}

func (v *values[R]) Write(ctx context.Context, s Scope, look bool, fn func(context.Context, Session[R]) error) error {
	unlock := v.lock(s)
	defer unlock()
	return fn(ctx, v.session(s, look))
}

// lock takes the mutexes of the scope's keys in order, or all of them.
func (v *values[R]) lock(s Scope) (unlock func()) {
	var held []int
	if s.Keys.All() {
		for i := range v.locks {
			held = append(held, i)
		}
	}
	for _, key := range s.Keys.List() {
		held = append(held, int(maphash.String(v.seed, s.Tenant+"\x00"+key)%uint64(len(v.locks)))) //nolint:gosec // below 64
	}
	slices.Sort(held)
	held = slices.Compact(held)
	for _, i := range held {
		v.locks[i].Lock()
	}
	return func() {
		for _, i := range held {
			v.locks[i].Unlock()
		}
	}
}

func (v *values[R]) session(s Scope, look bool) valuesSession[R] {
	session := valuesSession[R]{v: v, tenant: s.Tenant}
	if look {
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, k := range v.stale[s.Tenant] {
			if s.Keys.All() || k.Key == StaleAll || slices.Contains(s.Keys.List(), k.Key) {
				session.found = append(session.found, k)
			}
		}
	}
	return session
}

type valuesSession[R any] struct {
	v      *values[R]
	tenant string
	found  []StaleKey
}

func (s valuesSession[R]) Side(side flags.Side) R { return s.v.sides[side] }
func (s valuesSession[R]) Stale() []StaleKey      { return s.found }

// Complete is not known without a ledger, so that nothing falls back.
func (s valuesSession[R]) Complete(flags.Side) bool { return false }

// Missed is not known either, and a difference counts.
func (s valuesSession[R]) Missed(flags.Side) bool { return false }

// Lock does nothing: nobody can know a key that was made a moment ago.
func (s valuesSession[R]) Lock(context.Context, []string) error { return nil }

func (s valuesSession[R]) Protect(ctx context.Context, fn func(context.Context) error) error {
	return fn(ctx)
}

func (s valuesSession[R]) RecordStale(_ context.Context, side flags.Side, keys []string, _ error) error {
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
func (s valuesSession[R]) Doom(ctx context.Context, side flags.Side, keys []string, cause error) error {
	return s.RecordStale(ctx, side, keys, cause)
}

func (s valuesSession[R]) ClearStale(_ context.Context, records []StaleKey) error {
	s.v.mu.Lock()
	defer s.v.mu.Unlock()
	s.v.stale[s.tenant] = slices.DeleteFunc(s.v.stale[s.tenant], func(k StaleKey) bool { return slices.Contains(records, k) })
	return nil
}
