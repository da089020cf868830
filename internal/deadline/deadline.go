// Package deadline tells when a time is over by two clocks at once: the
// monotonic clock, which nobody can set but which on Linux stands still while a
// machine is suspended, and the wall clock, which is set right after a
// suspension but may also be set at any other time. What is over by either of
// them is over.
//
// It never waits. A virtual machine that is paused from outside, and whose wall
// clock nobody sets right afterwards, has no clock that knows.
package deadline

import "time"

// Deadline is a moment on both clocks. The zero Deadline has passed.
type Deadline struct{ monotonic, wall time.Time }

// At returns the deadline at a time that came from [time.Now] and durations.
func At(t time.Time) Deadline { return Deadline{monotonic: t, wall: t.Round(0)} }

// Apart returns a deadline whose two clocks disagree, for tests.
func Apart(monotonic, wall time.Time) Deadline {
	return Deadline{monotonic: monotonic, wall: wall.Round(0)}
}

// Passed reports whether the deadline is over by either clock. now comes from
// [time.Now]. It allocates nothing.
func (d Deadline) Passed(now time.Time) bool {
	return !now.Before(d.monotonic) || !now.Before(d.wall) // a time without monotonic reading compares by the wall clock
}

// After reports whether d is later than o by the monotonic clock, which tells
// which of two was set later.
func (d Deadline) After(o Deadline) bool { return d.monotonic.After(o.monotonic) }

// Left returns how long it is until the deadline by the monotonic clock, which
// is the one that timers follow.
func (d Deadline) Left(now time.Time) time.Duration { return d.monotonic.Sub(now) }
