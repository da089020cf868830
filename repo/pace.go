package repo

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// What follows keeps comparisons from harming the reads that they compare. They
// run in bursts with rests between them, so that what a read takes can be
// measured in both, side by side and some milliseconds apart: whatever else
// slows reads down, slows down both. How much longer reads take in bursts says
// for which share of the time bursts may last. Nothing is assumed about what is
// scarce: processors, connections, the database or the network. TCP congestion
// control for background transfers (LEDBAT, RFC 6817) measures itself likewise.

// The lengths of bursts and rests.
const (
	burst  = 5 * time.Millisecond   // how long a burst may last, while there is work
	bursts = 50 * time.Millisecond  // and where reads take longer than usual
	inside = 10                     // times a read: what falls between a burst and a rest tells neither
	rest   = time.Millisecond       // the shortest rest, which also gathers work: waking workers costs the caller more than the queue
	strays = 250 * time.Millisecond // for how long a rest waits for comparisons that go on
)

// Harm that is always allowed: reads that take microseconds, such as those of
// fakes in tests, are not worth shedding for.
const harmless = 5 * time.Microsecond

// Measurements that a judgement needs, for how long they count, and in which
// time the share at most doubles.
const (
	enough   = 64 // reads in bursts, and in rests
	memory   = 3 * time.Second
	memories = 100 // times a read, where that is longer
	recovery = time.Second
)

// load is what the reads of the foreground take.
type load struct {
	began time.Time

	mu    sync.Mutex
	going int64
	spent time.Duration // by those that ended, less the beginnings of those that go on
	ended int64
}

// now is the time since the load was made. It reads the monotonic clock alone.
func (l *load) now() time.Duration { return time.Since(l.began) }

func (l *load) enter() {
	now := l.now()
	l.mu.Lock()
	l.going++
	l.spent -= now
	l.mu.Unlock()
}

func (l *load) leave() {
	now := l.now()
	l.mu.Lock()
	l.going--
	l.spent += now
	l.ended++
	l.mu.Unlock()
}

// read returns how much time reads have spent until now, and how many have
// ended. Between two calls the one over the other is what a read takes (Little's
// law), whether callers wait for their answers or come at their own rate.
func (l *load) read(now time.Duration) work {
	l.mu.Lock()
	defer l.mu.Unlock()
	return work{spent: float64(l.spent) + float64(l.going)*float64(now), ended: float64(l.ended)}
}

// work is time spent by reads, and how many ended in it.
type work struct{ spent, ended float64 }

func (w *work) add(o, before work) {
	w.spent += o.spent - before.spent
	w.ended += o.ended - before.ended
}

func (w *work) fade(by float64) { w.spent, w.ended = w.spent*by, w.ended*by }

// pace says how long comparisons rest. Its methods are called with the pool's
// mutex held.
type pace struct {
	load     load
	harm     float64 // allowed, as a share of what reads take; negative: any
	in       [2]work // what reads took in rests and in bursts
	last     work
	burst    time.Duration // how long the next one may last
	judged   time.Duration // when the share was set
	began    time.Duration // when the phase began
	bursting bool
	share    atomic.Uint64 // of the time for which bursts may last, in parts of 10,000
}

const whole = 10_000

func (p *pace) start(harm float64) {
	p.harm, p.burst = harm, burst
	p.load.began = time.Now()
	p.share.Store(whole)
}

// turn ends a phase and begins the other, and returns how long the one was.
func (p *pace) turn(bursting bool) (lasted time.Duration) {
	now := p.load.now()
	work := p.load.read(now)
	in := &p.in[0]
	if p.bursting {
		in = &p.in[1]
	}
	in.add(work, p.last)
	lasted = now - p.began
	p.last, p.began, p.bursting = work, now, bursting
	if !bursting {
		p.judge(now)
	}
	return lasted
}

// judge sets the share: with reads that take a in rests and b in bursts, and
// bursts for a share s of the time, what gets done falls by s(1-a/b).
func (p *pace) judge(now time.Duration) {
	if p.harm < 0 {
		return
	}
	took := now - p.judged
	p.judged = now
	share, remember := 1.0, memory
	resting, bursting := &p.in[0], &p.in[1]
	if resting.ended >= enough && bursting.ended >= enough {
		a, b := resting.spent/resting.ended, bursting.spent/bursting.ended
		allowed := max(p.harm, float64(harmless)/a)
		if lost := 1 - a/b; lost > allowed {
			share = allowed / lost
		}
		p.burst = min(max(burst, inside*time.Duration(a)), bursts)
		remember = max(memory, memories*time.Duration(a))
	}
	share = min(share, p.part()*(1+float64(took)/float64(recovery)))
	p.share.Store(max(1, uint64(share*whole)))
	faded := math.Exp(-float64(took) / float64(remember))
	resting.fade(faded)
	bursting.fade(faded)
}

// part is the share as a number up to 1.
func (p *pace) part() float64 { return float64(p.share.Load()) / whole }

// pause returns how long to rest after a burst.
func (p *pace) pause(after time.Duration) time.Duration {
	return max(rest, time.Duration(float64(after)*(1/p.part()-1)))
}
