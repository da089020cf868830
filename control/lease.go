package control

import (
	"sync"
	"time"
)

// lease is how long a process may act on its policies without asking again. It
// is counted from before the question was sent, so that it ends no later than
// the ledger believes.
type lease struct {
	ttl    time.Duration
	expire func() // runs under mu, once for each time that the lease runs out

	mu    sync.Mutex
	ends  time.Time
	valid bool
	ended bool
	timer *time.Timer
}

func newLease(ttl time.Duration, expire func()) *lease { return &lease{ttl: ttl, expire: expire} }

// renew extends the lease after a heartbeat that was sent at a time. A
// heartbeat whose answer took longer than the lease renews nothing.
func (l *lease) renew(sent time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	ends := sent.Add(l.ttl)
	left := time.Until(ends)
	if l.ended || left <= 0 {
		return false
	}
	if l.valid && !ends.After(l.ends) {
		return true
	}
	l.ends, l.valid = ends, true
	if l.timer == nil {
		l.timer = time.AfterFunc(left, l.runOut)
	} else {
		l.timer.Reset(left)
	}
	return true
}

// runOut expires the lease unless it was renewed at the last moment.
func (l *lease) runOut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.valid || time.Until(l.ends) > 0 {
		return
	}
	l.valid = false
	l.expire()
}

// during runs fn if the lease is valid, and keeps it from running out meanwhile.
func (l *lease) during(fn func() error) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.valid || time.Until(l.ends) <= 0 {
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
		l.valid = false
		l.expire()
	}
}
