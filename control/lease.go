package control

import (
	"sync"
	"time"

	"github.com/crossfade-db/crossfade/internal/deadline"
)

// lease is how long a process may act on its policies without asking again. It
// is counted from before the question was sent, so that it ends no later than
// the ledger believes. It is over when the monotonic clock or the wall clock
// says so: the first stands still on Linux while the machine is suspended. The
// timer notices soon; whoever uses the lease compares the clocks as well, since
// a process that was stopped runs before its timers do.
type lease struct {
	ttl    time.Duration
	hold   func(until time.Time) // runs under mu whenever the lease is renewed
	expire func()                // runs under mu, once for each time that it runs out

	mu         sync.Mutex
	ends       deadline.Deadline
	valid      bool
	ended      bool
	generation uint64 // raised whenever the lease runs out
	timer      *time.Timer
}

func newLease(ttl time.Duration, hold func(until time.Time), expire func()) *lease {
	return &lease{ttl: ttl, hold: hold, expire: expire}
}

// renew extends the lease after a heartbeat that was sent at a time, or begins
// a new one. A heartbeat whose answer took longer than the lease renews nothing.
func (l *lease) renew(sent time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.look(now)
	until := sent.Add(l.ttl)
	ends := deadline.At(until)
	if l.ended || ends.Passed(now) {
		return false
	}
	if l.valid && !ends.After(l.ends) {
		return true
	}
	l.ends, l.valid = ends, true
	l.hold(until)
	if l.timer == nil {
		l.timer = time.AfterFunc(ends.Left(now), l.runOut)
	} else {
		l.timer.Reset(ends.Left(now))
	}
	return true
}

// runOut expires the lease unless it was renewed at the last moment.
func (l *lease) runOut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.look(time.Now())
}

// look ends the lease if it has run out. It is called with the mutex held.
func (l *lease) look(now time.Time) {
	if l.valid && l.ends.Passed(now) {
		l.over()
	}
}

func (l *lease) over() {
	l.valid = false
	l.generation++
	l.expire()
}

// begin returns the generation of the lease, and whether it is valid now.
func (l *lease) begin() (generation uint64, valid bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.look(time.Now())
	return l.generation, l.valid
}

// during runs fn if the lease is valid and has not run out since it had the
// generation, and keeps it from running out meanwhile. What was read under an
// earlier lease says nothing: nobody waited for this process since.
func (l *lease) during(generation uint64, fn func() error) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.look(time.Now())
	if !l.valid || l.generation != generation {
		return false, nil
	}
	return true, fn()
}

// end gives the lease up for good.
func (l *lease) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
	}
	l.ended = true
	if l.valid {
		l.over()
	}
}
