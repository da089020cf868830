package flags

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// Subject is who a decision is about.
type Subject struct{ Tenant string }

// Decision is the stage of one subject, pinned for one operation or request.
type Decision struct {
	Migration string
	Stage     Stage
	// Epoch and PolicyID name the policy that decided. Both are zero for an
	// unguarded decision, which cannot be fenced.
	Epoch    int64
	PolicyID PolicyID
	Reason   Reason
}

// Guarded reports whether the ledger granted the decision, so that a
// transaction can be fenced by it.
func (d Decision) Guarded() bool { return d.Epoch != 0 }

// Decider decides the stage of one migration. *[Flag] is the decider of a
// program that uses a ledger; [Unguarded] and [Flag.Through] are others.
// Implementations may be used by any number of goroutines.
type Decider interface {
	// Migration returns the migration's name, which is the flag's key.
	Migration() string
	// Enter decides for the subject, or returns what a pin in ctx decided
	// before, and keeps the decision's epoch alive until [Use.Done].
	Enter(ctx context.Context, s Subject) (Use, error)
	// Refused tells that the fence refused the decision: the next Enter
	// decides from a policy fetched after this call, also where a pin stands.
	Refused(ctx context.Context, s Subject, d Decision) error
}

// Use is a decision in use by one operation. Done must be called exactly once.
type Use struct {
	Decision
	refs *refs
}

// Done ends the use: the process may acknowledge a newer epoch.
func (u Use) Done() {
	if u.refs != nil {
		u.refs.n.Add(-1)
	}
}

// refs counts the operations and pins that act on one compiled policy.
type refs struct{ n atomic.Int64 }

// NoPolicyError says that a process has no policy that it may act on: none was
// loaded yet, the migration is unknown to the ledger, or the lease ran out.
type NoPolicyError struct {
	Migration string
	Cause     error
}

func (e *NoPolicyError) Error() string {
	text := fmt.Sprintf("%s: no policy to act on", e.Migration)
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

func (e *NoPolicyError) Unwrap() error { return e.Cause }

// Fetch loads one migration's policy from the ledger and hands it to
// [Set.Apply]. It must serialize its loads, so that an older policy is never
// applied after a newer one.
type Fetch func(ctx context.Context, migration string) error

// Set holds the flags of one process. All methods may be called concurrently.
type Set struct {
	fetch Fetch

	mu       sync.Mutex
	flags    map[string]*Flag
	watchers map[int]func(Change)
	next     int
}

// Change tells a watcher of a set what happened.
type Change struct {
	Kind      ChangeKind
	Migration string // empty when the whole set is meant
	Epoch     int64
	Err       error
}

// ChangeKind is what happened to a set.
type ChangeKind int

// What can happen to a set.
const (
	// Applied: a migration has a policy other than before.
	Applied ChangeKind = iota
	// Stale: the policies can no longer be confirmed; decisions ask the ledger.
	Stale
	// Fresh: the policies are confirmed again.
	Fresh
	// Failed: the ledger could not be read; the policies still hold.
	Failed
)

// NewSet returns an empty set. fetch is asked when a decision has no policy to
// act on and after a refusal; nil means that only [Set.Apply] brings policies.
func NewSet(fetch Fetch) *Set {
	return &Set{fetch: fetch, flags: map[string]*Flag{}, watchers: map[int]func(Change){}}
}

// Flag returns the migration's flag, made on first use. Without a policy its
// decisions fetch one, or fail with a [*NoPolicyError].
func (s *Set) Flag(migration string) *Flag {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flag(migration)
}

func (s *Set) flag(migration string) *Flag {
	f := s.flags[migration]
	if f == nil {
		f = &Flag{set: s, migration: migration}
		s.flags[migration] = f
	}
	return f
}

// Flags returns the flags of the set in no particular order.
func (s *Set) Flags() []*Flag {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Flag, 0, len(s.flags))
	for _, f := range s.flags {
		all = append(all, f)
	}
	return all
}

// Apply makes p the policy of its migration. An invalid policy is an error and
// changes nothing.
func (s *Set) Apply(p Policy) error {
	compiled, err := p.Compile()
	if err != nil {
		return fmt.Errorf("apply policy: %w", err)
	}
	s.mu.Lock()
	f := s.flag(p.Migration)
	s.mu.Unlock()
	if f.swap(compiled) {
		s.notify(Change{Kind: Applied, Migration: p.Migration, Epoch: p.Epoch})
	}
	return nil
}

// Expire takes the policies out of use: from now on a decision asks the ledger
// inside the call. The member of the fleet calls it when its lease runs out.
func (s *Set) Expire(cause error) {
	for _, f := range s.Flags() {
		f.expire(cause)
	}
	s.notify(Change{Kind: Stale, Err: cause})
}

// Confirm tells the watchers that the policies are confirmed again.
func (s *Set) Confirm() { s.notify(Change{Kind: Fresh}) }

// Fail tells the watchers that the ledger could not be read.
func (s *Set) Fail(err error) { s.notify(Change{Kind: Failed, Err: err}) }

// Watch calls fn at every change until the returned function is called. fn
// must not block and must not call back into the set's Watch.
func (s *Set) Watch(fn func(Change)) (cancel func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.next
	s.next++
	s.watchers[id] = fn
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, id)
	}
}

func (s *Set) notify(c Change) {
	s.mu.Lock()
	watchers := make([]func(Change), 0, len(s.watchers))
	for _, fn := range s.watchers {
		watchers = append(watchers, fn)
	}
	s.mu.Unlock()
	for _, fn := range watchers {
		fn(c)
	}
}

// Flag is one migration's flag in one process.
type Flag struct {
	set       *Set
	migration string
	current   atomic.Pointer[Compiled] // nil while there is no policy to act on

	mu      sync.Mutex
	last    *Compiled   // the newest policy applied, also past the lease
	retired []*Compiled // older ones that may still be in use
	cause   error       // why current is nil
}

var _ Decider = (*Flag)(nil)

// Migration returns the migration's name.
func (f *Flag) Migration() string { return f.migration }

// Current returns the policy that decisions use, or nil when there is none to act on.
func (f *Flag) Current() *Compiled { return f.current.Load() }

// Enter implements [Decider]. With a policy in memory it neither blocks nor
// allocates. ctx bounds the fetch of a policy where there is none.
func (f *Flag) Enter(ctx context.Context, s Subject) (Use, error) {
	if p := pinOf(ctx); p != nil {
		return p.enter(ctx, f, s)
	}
	c, err := f.acquire(ctx)
	if err != nil {
		return Use{}, err
	}
	return c.use(s), nil
}

// Peek returns what Enter would decide from the policy in memory, without
// keeping its epoch alive: for displays, never for acting on it.
func (f *Flag) Peek(s Subject) (Decision, error) {
	c := f.current.Load()
	if c == nil {
		return Decision{}, f.noPolicy()
	}
	return c.decide(s), nil
}

// Refused implements [Decider].
func (f *Flag) Refused(ctx context.Context, s Subject, d Decision) error {
	if p := pinOf(ctx); p != nil {
		p.drop(f, s, d)
	}
	if f.set.fetch == nil {
		return nil
	}
	if err := f.set.fetch(ctx, f.migration); err != nil {
		return &NoPolicyError{Migration: f.migration, Cause: err}
	}
	return nil
}

// acquire returns the current policy with one use counted.
func (f *Flag) acquire(ctx context.Context) (*Compiled, error) {
	for range 2 {
		for c := f.current.Load(); c != nil; c = f.current.Load() {
			c.refs.n.Add(1)
			// A swap between load and count might have seen no use: look again,
			// so that whoever swaps and then counts never misses one.
			if f.current.Load() == c {
				return c, nil
			}
			c.refs.n.Add(-1)
		}
		if f.set.fetch == nil {
			break
		}
		if err := f.set.fetch(ctx, f.migration); err != nil {
			return nil, &NoPolicyError{Migration: f.migration, Cause: err}
		}
	}
	return nil, f.noPolicy()
}

func (f *Flag) noPolicy() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return &NoPolicyError{Migration: f.migration, Cause: f.cause}
}

func (f *Flag) swap(c *Compiled) (changed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cause = nil
	if l := f.last; l != nil && l.policy.Epoch == c.policy.Epoch && l.policy.ID == c.policy.ID {
		f.current.Store(l) // the same policy, confirmed: its uses keep their counter
		return false
	}
	if f.last != nil {
		f.retired = append(f.retired, f.last)
	}
	f.last = c
	f.current.Store(c)
	return true
}

func (f *Flag) expire(cause error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cause = cause
	f.current.Store(nil)
}

// Acknowledged is the oldest policy of a migration that a process still acts on.
type Acknowledged struct {
	Migration string
	Epoch     int64
	PolicyID  PolicyID
}

// Oldest returns, for each migration with a policy, the oldest one that a live
// pin or operation of this process acts on, or the current one.
func (s *Set) Oldest() []Acknowledged {
	var all []Acknowledged
	for _, f := range s.Flags() {
		if a, ok := f.oldest(); ok {
			all = append(all, a)
		}
	}
	return all
}

func (f *Flag) oldest() (Acknowledged, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last == nil {
		return Acknowledged{}, false
	}
	live := f.retired[:0]
	for _, c := range f.retired {
		if c.refs.n.Load() > 0 {
			live = append(live, c)
		}
	}
	clear(f.retired[len(live):])
	f.retired = live
	oldest := f.last
	if len(live) > 0 {
		oldest = live[0]
	}
	return Acknowledged{Migration: f.migration, Epoch: oldest.policy.Epoch, PolicyID: oldest.policy.ID}, true
}

func (c *Compiled) decide(s Subject) Decision {
	stage, reason := c.Stage(s.Tenant)
	return Decision{Migration: c.policy.Migration, Stage: stage, Epoch: c.policy.Epoch, PolicyID: c.policy.ID, Reason: reason}
}

// use makes a Use of a policy whose counter was raised already.
func (c *Compiled) use(s Subject) Use { return Use{Decision: c.decide(s), refs: &c.refs} }
