package flags

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Fetch loads one migration's policy from the ledger and hands it to
// [Set.Apply]. It must read the ledger after it was called (joining a load that
// began earlier is not enough) and must serialize its loads, so that an older
// policy is never applied after a newer one. What it applies is used until the
// next [Set.Expire]: whoever fetches past a lease begins a new one, or expires
// the set again.
type Fetch func(ctx context.Context, migration string) error

// Set holds the flags of one process. All methods may be called concurrently.
type Set struct {
	fetch Fetch
	lease lease

	mu       sync.Mutex
	flags    map[string]*Flag
	watchers map[int]func(Change)
	next     int
	health   Change // Fresh, Stale or Failed, with the cause
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
	return &Set{fetch: fetch, flags: map[string]*Flag{}, watchers: map[int]func(Change){}, health: Change{Kind: Fresh}}
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
		if s.health.Kind == Stale {
			f.cause = s.health.Err
		}
		s.flags[migration] = f
	}
	return f
}

// find returns the migration's flag, or nil where nobody asked for it before.
func (s *Set) find(migration string) *Flag {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flags[migration]
}

// Flags returns the flags of the set, sorted by migration.
func (s *Set) Flags() []*Flag {
	s.mu.Lock()
	all := make([]*Flag, 0, len(s.flags))
	for _, f := range s.flags {
		all = append(all, f)
	}
	s.mu.Unlock()
	slices.SortFunc(all, func(a, b *Flag) int { return strings.Compare(a.migration, b.migration) })
	return all
}

// Apply makes p the policy of its migration. An invalid policy, or one without
// an epoch (the ledger numbers from 1), is an error and changes nothing.
func (s *Set) Apply(p Policy) error {
	if err := p.Validate(); err != nil {
		return fmt.Errorf("apply policy: %w", err)
	}
	table, err := p.table()
	if err != nil {
		return fmt.Errorf("apply policy: %w", err)
	}
	p.Overrides = nil
	return s.ApplyCompiled(p.compile(table))
}

// ApplyCompiled is [Set.Apply] for a policy that was compiled, as out of the one
// before and what changed. It belongs to the set from then on.
func (s *Set) ApplyCompiled(c *Compiled) error {
	p := &c.policy
	if p.Epoch < 1 {
		// Epoch 0 would look unguarded, and nothing would fence its writes.
		return fmt.Errorf("apply policy: %w", &PolicyError{Migration: p.Migration, Problem: fmt.Sprintf("epoch %d is below 1: apply policies as the ledger numbered them", p.Epoch)})
	}
	if s.Flag(p.Migration).swap(c) {
		s.notify(Change{Kind: Applied, Migration: p.Migration, Epoch: p.Epoch})
	}
	return nil
}

// Newest returns the policy of a migration that was applied last, also past the
// lease, or nil: what the next one may be made of, never what to act on.
func (s *Set) Newest(migration string) *Compiled {
	if f := s.find(migration); f != nil {
		return f.newest()
	}
	return nil
}

// Expire takes the policies out of use: from now on a decision asks the ledger
// inside the call, also where a pin stands. The member of the fleet calls it
// when its lease runs out. Operations under way go on: the fence judges those
// that write, and [Use.Held] tells the others.
func (s *Set) Expire(cause error) {
	s.lease.end()
	c := Change{Kind: Stale, Err: cause}
	s.setHealth(c)
	for _, f := range s.Flags() {
		f.expire(cause)
	}
	s.notify(c)
}

// Confirm tells the watchers that the policies are confirmed again. Call it
// after applying them: it brings no expired policy back into use.
func (s *Set) Confirm() {
	c := Change{Kind: Fresh}
	s.setHealth(c)
	s.notify(c)
}

// Fail tells the watchers that the ledger could not be read.
func (s *Set) Fail(err error) {
	c := Change{Kind: Failed, Err: err}
	s.setHealth(c)
	s.notify(c)
}

// setHealth records what the set as a whole is like. An expired set stays
// expired until it is confirmed.
func (s *Set) setHealth(c Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Kind != Failed || s.health.Kind != Stale {
		s.health = c
	}
}

func (s *Set) healthNow() Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.health
}

// Watch calls fn at every change until the returned function is called; a call
// under way may end after that. Concurrent changes may arrive in any order: ask
// [Flag.Current] for what holds. fn must not block and must not call back into
// the set's Watch.
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

// Acknowledged is the oldest policy of a migration that a process still acts on.
type Acknowledged struct {
	Migration string
	Epoch     int64
	PolicyID  PolicyID
}

// Oldest returns, for each migration with a policy, the oldest one that a live
// pin or operation of this process acts on, or the current one; sorted by
// migration.
func (s *Set) Oldest() []Acknowledged {
	var all []Acknowledged
	for _, f := range s.Flags() {
		if a, ok := f.oldest(); ok {
			all = append(all, a)
		}
	}
	return all
}
