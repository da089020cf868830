package flags

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/crossfade-db/crossfade/internal/deadline"
)

// lease is what uses know of the time for which the process may act on its
// policies without asking the ledger again.
type lease struct {
	// generation is raised whenever the lease runs out, before anything begins
	// a new one.
	generation atomic.Uint64
	ends       atomic.Pointer[deadline.Deadline] // nil: no end

	mu   sync.Mutex
	told map[*func()]bool // who wants to be told when it runs out
}

// Hold says that the policies may be acted on until a time on the process's
// clock. Whoever renews a lease calls it each time, and calls [Set.Expire]
// first where the lease had run out. A set that nobody holds has no end: its
// uses are held until the next Expire.
func (s *Set) Hold(until time.Time) {
	ends := deadline.At(until)
	s.lease.ends.Store(&ends)
}

// end ends the uses of before.
func (l *lease) end() {
	l.generation.Add(1) // first: who sees the end gone sees the new generation as well
	l.ends.Store(nil)
	l.mu.Lock()
	told := l.told
	l.told = nil
	l.mu.Unlock()
	for fn := range told {
		(*fn)()
	}
}

// tell calls fn when the lease of a generation runs out, at once if it has.
func (l *lease) tell(generation uint64, fn func()) (stop func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.generation.Load() != generation {
		fn()
		return func() {}
	}
	if l.told == nil {
		l.told = map[*func()]bool{}
	}
	l.told[&fn] = true
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.told, &fn)
	}
}

// holds reports whether the lease has held without a gap since it had a
// generation. The clock is asked before the generation is read: an end that is
// in force later could be that of a new lease.
func (l *lease) holds(generation uint64) bool {
	if ends := l.ends.Load(); ends != nil && ends.Passed(time.Now()) {
		return false
	}
	return l.generation.Load() == generation
}

// Held reports whether the lease held without a gap from [Decider.Enter] until
// now, by the monotonic clock and by the wall clock. What a plain read brought
// counts only then: past its lease a process may act on a policy that nobody
// waited for, and a read has no fence. Held may be called after [Use.Done], and
// is always true for an unguarded decision. It takes about 65 ns, most of it for
// the clock, and allocates nothing.
//
// What it cannot tell: a process that is stopped between this call and whatever
// acts on its answer, and a virtual machine that was paused from outside and
// whose wall clock was not set right yet. Writes do not rest on it: they are
// fenced.
func (u Use) Held() bool { return u.refs == nil || u.refs.lease.holds(u.generation) }

// OnLapse calls fn once when the lease runs out, at once if it did since the use
// began, unless stop is called first: for whatever reads for long and would find
// out with [Use.Held] late. fn must not block, and must not call back into the
// set or the use.
func (u Use) OnLapse(fn func()) (stop func()) {
	if u.refs == nil {
		return func() {}
	}
	return u.refs.lease.tell(u.generation, fn)
}

// lapsed reports whether the lease ran out since the use's policy was confirmed
// last, as far as somebody noticed. It asks no clock.
func (u Use) lapsed() bool {
	return u.refs != nil && u.refs.lease.generation.Load() != u.confirmed()
}

// confirmed returns the generation of the lease under which the use's policy
// was applied last.
func (u Use) confirmed() uint64 {
	if u.refs == nil {
		return 0
	}
	return u.refs.confirmed.Load()
}
