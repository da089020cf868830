package flags

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Subject is who a decision is about.
type Subject struct {
	Tenant string
	// Key is the canonical text of the one key that an operation names. Empty
	// means several keys, all of them, or one that is not known yet: a decision
	// that is valid for every key of the tenant.
	Key string
}

// Decision is the stage of one subject, pinned for one operation or request.
type Decision struct {
	Migration string
	Stage     Stage
	// Epoch and PolicyID name the policy that decided. Both are zero for an
	// unguarded decision, which cannot be fenced.
	Epoch    int64
	PolicyID PolicyID
	Reason   Reason
	// Mixed is the upper of the two rungs at which keys of the tenant stand
	// under a share of keys, where the subject names no single key; Stage is
	// then the lower one, which is valid for every key. Zero means that the
	// whole subject stands at Stage.
	Mixed Stage
	// Clean, StrictShadow and Unfenced are what the policy says to hold at the
	// decision's stage: see [Standing].
	Clean, StrictShadow, Unfenced bool
}

// Guarded reports whether the ledger granted the decision, so that a
// transaction can be fenced by it.
func (d Decision) Guarded() bool { return d.Epoch != 0 }

// Decider decides the stage of one migration. *[Flag] is the decider of a
// program that uses a ledger; [Through] and [Unguarded] make others.
// Implementations may be used by any number of goroutines.
type Decider interface {
	// Migration returns the migration's name, which is the flag's key.
	Migration() string
	// Enter decides for the subject, or returns what a pin in ctx decided
	// before, and keeps the decision's epoch alive until [Use.Done].
	Enter(ctx context.Context, s Subject) (Use, error)
	// Refused tells that the fence refused the decision: the next Enter
	// decides from a policy fetched after this call began, also where a pin
	// stands.
	Refused(ctx context.Context, s Subject, d Decision) error
}

// Use is a decision in use by one operation. Done must be called exactly once.
type Use struct {
	Decision
	refs       *refs  // nil for an unguarded decision
	generation uint64 // of the lease under which the policy was confirmed
}

// Done ends the use: the process may acknowledge a newer epoch. It panics when
// a policy has had more ends than uses, as that would acknowledge too early.
func (u Use) Done() {
	if u.refs != nil && u.refs.n.Add(-1) < 0 {
		panic("flags: Done was called more than once on a use")
	}
}

// again counts one more use of a policy that the caller keeps in use meanwhile.
func (u Use) again() Use {
	if u.refs != nil {
		u.refs.n.Add(1)
	}
	u.generation = u.confirmed()
	return u
}

// of returns the use for another subject of the same tenant: under a share of
// keys, each key has a decision of its own by the one policy in use.
func (u Use) of(s Subject) Use {
	if u.refs != nil && u.refs.policy.ofKeys() {
		u.Decision = u.refs.policy.decide(s)
	}
	return u
}

// KeyStage returns the stage of one key of the tenant by the policy in use:
// that of the decision itself unless it is mixed. It allocates nothing.
func (u Use) KeyStage(tenant, key string) Stage {
	if u.Mixed == 0 || u.refs == nil {
		return u.Stage
	}
	stage, _ := u.refs.policy.KeyStage(tenant, key)
	return stage
}

// refs counts the operations and pins that act on one compiled policy.
type refs struct {
	policy    *Compiled // whose counter this is
	n         atomic.Int64
	lease     *lease        // of the set that it was applied to
	confirmed atomic.Uint64 // the lease's generation when it was applied last
}

// NoPolicyError says that a process has no policy that it may act on: none was
// loaded yet, the migration is unknown to the ledger, or the lease ran out.
type NoPolicyError struct {
	Migration string
	Cause     error
}

func (e *NoPolicyError) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: no policy to act on: %s", e.Migration, e.Cause)
	}
	return fmt.Sprintf("%s: no policy to act on: none was loaded in this process: check the migration's name and that the ledger was reached", e.Migration)
}

func (e *NoPolicyError) Unwrap() error { return e.Cause }

// Flag is one migration's flag in one process.
type Flag struct {
	set       *Set
	migration string
	current   atomic.Pointer[Compiled] // nil while there is no policy to act on

	mu      sync.Mutex
	last    *Compiled   // the newest policy applied, also past the lease
	retired []*Compiled // older ones that may still be in use, oldest first
	cause   error       // why current is nil
}

var _ source = (*Flag)(nil)

// Migration returns the migration's name.
func (f *Flag) Migration() string { return f.migration }

// Current returns the policy that decisions use, or nil when there is none to act on.
func (f *Flag) Current() *Compiled { return f.current.Load() }

// Enter implements [Decider]. With a policy in memory it neither blocks nor
// allocates; the first use under a [Pin] allocates. ctx bounds the fetch of a
// policy where there is none, and then the error is a [*NoPolicyError].
func (f *Flag) Enter(ctx context.Context, s Subject) (use Use, err error) {
	if p := pinOf(ctx); p != nil {
		return p.enter(ctx, f, f, s)
	}
	c := f.tryAcquire()
	if c == nil {
		if c, err = f.acquire(ctx); err != nil {
			return use, err
		}
	}
	c.fill(&use, s) // in place: a use is large, and copying it costs more than deciding
	return use, nil
}

func (f *Flag) decide(ctx context.Context, s Subject) (use Use, err error) {
	c, err := f.acquire(ctx)
	if err == nil {
		c.fill(&use, s)
	}
	return use, err
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

// Refused implements [Decider]. A set without a fetch decides from what was
// applied last.
func (f *Flag) Refused(ctx context.Context, s Subject, d Decision) error {
	var err error
	if f.set.fetch != nil {
		if cause := f.set.fetch(ctx, f.migration); cause != nil {
			err = &NoPolicyError{Migration: f.migration, Cause: cause}
		}
	}
	// Only now: dropped before the fetch, another goroutine of the request
	// could pin the refused policy again.
	if p := pinOf(ctx); p != nil {
		p.drop(f, s, d)
	}
	return err
}

// acquire returns the current policy with one use counted, fetching one where
// there is none.
func (f *Flag) acquire(ctx context.Context) (*Compiled, error) {
	if c := f.tryAcquire(); c != nil {
		return c, nil
	}
	if f.set.fetch == nil {
		return nil, f.noPolicy()
	}
	if err := f.set.fetch(ctx, f.migration); err != nil {
		return nil, &NoPolicyError{Migration: f.migration, Cause: err}
	}
	if c := f.tryAcquire(); c != nil {
		return c, nil
	}
	return nil, f.noPolicy()
}

func (f *Flag) tryAcquire() *Compiled {
	for c := f.current.Load(); c != nil; c = f.current.Load() {
		c.refs.n.Add(1)
		// A swap between load and count might have seen no use: look again,
		// so that whoever swaps and then counts never misses one.
		if f.current.Load() == c {
			return c
		}
		c.refs.n.Add(-1)
	}
	return nil
}

func (f *Flag) noPolicy() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return &NoPolicyError{Migration: f.migration, Cause: f.cause}
}

// swap makes c current. The same policy again keeps its counter, and is only
// confirmed.
func (f *Flag) swap(c *Compiled) (changed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cause = nil
	generation := f.set.lease.generation.Load()
	if l := f.last; l != nil && l.policy.Epoch == c.policy.Epoch && l.policy.ID == c.policy.ID {
		l.refs.confirmed.Store(generation)
		f.current.Store(l)
		return false
	}
	if f.last != nil {
		f.retired = append(f.retired, f.last)
	}
	c.refs.lease = &f.set.lease
	c.refs.confirmed.Store(generation)
	f.last = c
	f.current.Store(c)
	f.prune()
	return true
}

// prune forgets the retired policies that nobody uses. It is called with the
// mutex held and after the swap: once current is another policy, a count of
// zero stays zero (see tryAcquire).
func (f *Flag) prune() {
	f.retired = slices.DeleteFunc(f.retired, func(c *Compiled) bool { return c.refs.n.Load() == 0 })
}

func (f *Flag) expire(cause error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cause = cause
	f.current.Store(nil)
}

// newest returns the policy applied last, also past the lease, or nil.
func (f *Flag) newest() *Compiled {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

func (f *Flag) oldest() (Acknowledged, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last == nil {
		return Acknowledged{}, false
	}
	f.prune()
	oldest := f.last
	if len(f.retired) > 0 {
		oldest = f.retired[0]
	}
	return Acknowledged{Migration: f.migration, Epoch: oldest.policy.Epoch, PolicyID: oldest.policy.ID}, true
}

func (c *Compiled) decide(s Subject) Decision {
	var use Use
	c.fill(&use, s)
	return use.Decision
}

// use makes a Use of a policy whose counter was raised already.
func (c *Compiled) use(s Subject) (use Use) {
	c.fill(&use, s)
	return use
}

// fill makes a zero Use that of a policy whose counter was raised already.
func (c *Compiled) fill(use *Use, s Subject) {
	stage, mixed, reason := c.place(s.Tenant, s.Key)
	d, standing := &use.Decision, &c.policy.Standing
	d.Migration, d.Epoch, d.PolicyID = c.policy.Migration, c.policy.Epoch, c.policy.ID
	d.Stage, d.Mixed, d.Reason = stage, mixed, reason
	// Writes of several keys go by the lower rung, whose failures leave keys
	// behind that the upper one has to look for.
	d.Clean = standing.Clean && (!c.ofKeys() || reason == ReasonOverride)
	d.StrictShadow = standing.StrictShadow
	d.Unfenced = stage == Old && standing.UnfencedOld || stage == New && standing.UnfencedNew
	use.refs, use.generation = &c.refs, c.refs.confirmed.Load()
}
