package repo

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
)

// pool runs comparisons: a bounded queue and a few workers, in bursts.
type pool struct {
	timeout time.Duration
	panics  *atomic.Int64 // those of comparisons
	workers sync.WaitGroup
	life    context.Context //nolint:containedctx // that of the workers
	stop    context.CancelFunc
	pace    pace

	waiting atomic.Int64 // queued and running
	limit   atomic.Int64 // of those
	size    int64        // the highest limit

	mu      sync.Mutex
	work    *sync.Cond // there is something to do, or never again
	queue   []comparison
	head    int // of the queue
	phase   phase
	timer   *time.Timer // ends the phase
	due     time.Duration
	running int
	stuck   int   // of those running: no rest waits for them
	done    int64 // in this burst
	idle    int   // workers that wait for something to do
	closed  bool
}

// phase is what the workers do.
type phase uint8

const (
	parked   phase = iota // nothing to do
	resting               // until the timer ends it
	bursting              // until there is no more to do, or it lasts too long
	closing               // until those that run have ended, or the timer fires
)

// comparison is one answer that was served and is still to be compared.
type comparison interface {
	// judge compares, and returns what has to be done if its verdict counts.
	judge(ctx context.Context) (compare.Verdict, func())
	// spare is how many connections comparisons may still take. Those that run
	// may not have taken theirs yet.
	spare() int
	of() *job
}

// job is what the pool knows of a comparison.
type job struct {
	use   flags.Use
	count tally
	at    time.Duration   // when it began to wait
	over  atomic.Bool     // it was judged, or given up
	ctx   context.Context //nolint:containedctx // of the caller: only its values count by now
}

func (j *job) of() *job { return j }

// joined is a ctx with the values of another one.
type joined struct {
	context.Context
	values context.Context //nolint:containedctx // nothing else of it counts
}

func (c *joined) Value(key any) any {
	if own := c.Context.Value(key); own != nil { // what the context package keeps there
		return own
	}
	return c.values.Value(key)
}

func (p *pool) start(cfg ComparerConfig, panics *atomic.Int64) {
	p.timeout, p.panics = cfg.Timeout, panics
	p.size = int64(cfg.Queue + cfg.Workers)
	p.limit.Store(p.size)
	p.life, p.stop = context.WithCancel(context.Background())
	p.work = sync.NewCond(&p.mu)
	p.pace.start(cfg.Harm)
	p.timer = time.AfterFunc(time.Hour, p.tick)
	p.timer.Stop() // nothing to do yet
	for range cfg.Workers {
		p.workers.Add(1)
		go p.worker()
	}
}

// reserve takes a place in the queue, or counts a drop.
func (p *pool) reserve(count *tally) bool {
	if p.waiting.Add(1) > p.limit.Load() {
		p.waiting.Add(-1)
		count.drop()
		return false
	}
	return true
}

// enqueue hands over a job whose place is reserved. It wakes nobody: see [rest].
func (p *pool) enqueue(c comparison) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		p.waiting.Add(-1)
		c.of().count.drop()
		return false
	}
	c.of().at = p.pace.load.now()
	p.queue = append(p.queue, c)
	if p.phase == parked {
		p.turn(resting, rest)
	}
	return true
}

// turn begins a phase that the timer ends after d.
func (p *pool) turn(to phase, d time.Duration) {
	p.phase, p.due = to, p.pace.load.now()+d
	p.timer.Reset(d)
}

// tick ends the phase in progress.
func (p *pool) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.pace.load.now()
	if p.closed || now < p.due { // it was set anew meanwhile
		return
	}
	p.expire(now)
	switch p.phase {
	case resting:
		p.begin()
	case bursting, closing:
		p.rest()
	case parked:
	}
}

// begin begins a burst.
func (p *pool) begin() {
	if p.queued() == 0 {
		p.phase = parked
		return
	}
	p.pace.turn(true)
	p.done = 0
	p.turn(bursting, p.pace.burst+strays)
	for range min(p.queued(), p.idle) {
		p.work.Signal()
	}
}

// expire drops what has waited for longer than it might take: until a comparison
// ends, its epoch is in use, and a step of the ladder waits.
func (p *pool) expire(now time.Duration) {
	for p.queued() > 0 && now-p.queue[p.head].of().at > p.timeout {
		j := p.pop().of()
		j.count.drop()
		j.use.Done()
		p.waiting.Add(-1)
	}
}

func (p *pool) queued() int { return len(p.queue) - p.head }

func (p *pool) pop() comparison {
	c := p.queue[p.head]
	p.queue[p.head] = nil
	if p.head++; p.head == len(p.queue) {
		p.queue, p.head = p.queue[:0], 0
	}
	return c
}

// rest ends a burst. While comparisons harm reads, no more are taken than the
// next two bursts will get done: what waits for long compares badly.
func (p *pool) rest() {
	lasted := p.pace.turn(false)
	p.limit.Store(p.size)
	if p.pace.share.Load() < whole {
		p.limit.Store(min(p.size, max(2*p.done, 8)))
	}
	if p.done == 0 {
		lasted = max(lasted, p.pace.burst) // whoever needs what they need is given time
	}
	p.stuck = p.running
	p.turn(resting, p.pace.pause(lasted))
}

// next waits for a comparison; nil when there are no more.
func (p *pool) next() comparison {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if p.phase == bursting && p.pace.load.now()-p.pace.began > p.pace.burst {
			p.phase = closing
		}
		switch {
		case p.queued() == 0 && p.closed:
			return nil
		case p.closed || p.queued() > 0 && p.phase == bursting && p.queue[p.head].spare() > p.running:
			p.running++
			if p.queued() > 1 && p.idle > 0 {
				p.work.Signal()
			}
			return p.pop()
		case p.running <= p.stuck && (p.phase == bursting || p.phase == closing):
			p.rest()
		}
		p.idle++
		p.work.Wait()
		p.idle--
	}
}

// ended takes a comparison off the list of those running.
func (p *pool) ended() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running--
	p.stuck = min(p.stuck, p.running)
	p.done++
	p.waiting.Add(-1)
}

// worker runs comparisons until there are no more, or until one hangs: then
// another worker has taken its place.
func (p *pool) worker() {
	for {
		c := p.next()
		if c == nil {
			p.workers.Done()
			return
		}
		if !p.run(c) {
			return
		}
	}
}

// run runs one comparison, and reports whether it ended in time. One that does
// not is left to end alone: its verdict no longer counts, what it compared is
// inconclusive, and a candidate that hangs costs the pool its timeout and not a
// worker.
func (p *pool) run(c comparison) bool {
	j := c.of()
	if p.life.Err() != nil {
		return p.end(j, compare.Inconclusive, nil)
	}
	ctx, cancel := context.WithTimeout(p.life, p.timeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		if p.end(j, compare.Inconclusive, nil) {
			go p.worker()
		}
	})
	defer stop()
	verdict, report := compare.Inconclusive, (func())(nil)
	err := guard(func() (err error) {
		verdict, report = c.judge(&joined{ctx, j.ctx})
		return nil
	})
	if err != nil {
		p.panics.Add(1)
		verdict, report = compare.Inconclusive, nil
	}
	return p.end(j, verdict, report)
}

// end counts a comparison and ends its use; false if that was done before.
func (p *pool) end(j *job, verdict compare.Verdict, report func()) bool {
	if !j.over.CompareAndSwap(false, true) {
		return false
	}
	j.count.judged(verdict)
	if report != nil {
		report()
	}
	j.use.Done()
	p.ended()
	return true
}

// shutdown is [Comparer.Shutdown].
func (p *pool) shutdown(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	p.timer.Stop()
	p.work.Broadcast()
	p.mu.Unlock()
	done := make(chan struct{})
	go func() {
		p.workers.Wait()
		close(done)
	}()
	select {
	case <-done:
		p.stop()
		return nil
	case <-ctx.Done():
		p.stop() // comparisons end with their ctx; one that hangs is left behind by its worker
		<-done
		return ctx.Err()
	}
}
