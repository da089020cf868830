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
	lanes   map[any]*lane
	picks   uint64
	phase   phase
	timer   *time.Timer // ends the phase
	lapse   *time.Timer // ends the wait of the queue's head
	lapsing bool        // that timer runs
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
	// source is whose connections those are. It can be the key of a map.
	source() any
	of() *job
}

// job is what the pool knows of a comparison.
type job struct {
	use   flags.Use
	count tally
	lane  *lane
	at    time.Duration   // when it began to wait
	over  atomic.Bool     // it was judged, or given up
	ctx   context.Context //nolint:containedctx // of the caller: only its values count by now
}

func (j *job) of() *job { return j }

// lane is what the pool knows of one source of connections. It is forgotten when
// no comparison that needs it waits or runs.
type lane struct {
	source  any
	queued  int
	running int
	free    int    // connections that comparisons may have, with those that they took
	full    uint64 // the last pick that found none
	stalled bool   // it found none although none of its comparisons ran
}

// room reports whether one more comparison finds a connection. How many of those
// that run have taken theirs is not known, but it is none of them at least and
// all of them at most: what was free before any ran holds within these bounds.
func (l *lane) room(spare int) bool {
	l.free = max(l.free, spare)
	if l.free-l.running > spare { // more than if all had taken theirs
		l.free = spare + l.running
	}
	return spare > 0 && l.running < l.free
}

// pooled is a backend that shares its connections with others.
type pooled interface {
	// Pool is what they share. It can be the key of a map.
	Pool() any
}

// source implements [comparison]. Without one there is no end of connections.
func (k *comparing[R, A, V]) source() any { return k.q.route.source }

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
	p.lapse = time.AfterFunc(time.Hour, p.lapsed)
	p.lapse.Stop()
	p.lanes = make(map[any]*lane)
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
	j, source := c.of(), c.source()
	l := p.lanes[source]
	if p.closed || l != nil && l.stalled && p.stalled() >= int(p.size/2) {
		p.waiting.Add(-1)
		j.count.drop()
		return false
	}
	if l == nil {
		l = &lane{source: source}
		p.lanes[source] = l
	}
	l.queued++
	j.lane, j.at = l, p.pace.load.now()
	if len(p.queue) == cap(p.queue) && p.head > len(p.queue)/2 { // reuse what it has left behind
		n := copy(p.queue, p.queue[p.head:])
		clear(p.queue[n:])
		p.queue, p.head = p.queue[:n], 0
	}
	p.queue = append(p.queue, c)
	if !p.lapsing {
		p.lapsing = true
		p.lapse.Reset(p.timeout)
	}
	if p.phase == parked {
		p.turn(resting, rest)
	}
	return true
}

// stalled is how many wait for a source that gives no connection at all. They get
// half of the places at most, so that those of other sources find one.
func (p *pool) stalled() (n int) {
	for _, l := range p.lanes {
		if l.stalled {
			n += l.queued
		}
	}
	return n
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

// lapsed drops what has waited for as long as it might take: until a comparison
// ends, its epoch is in use, and a step of the ladder waits. However long a rest
// is, it does not wait for that.
func (p *pool) lapsed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	now := p.pace.load.now()
	for p.queued() > 0 {
		j := p.queue[p.head].of()
		if left := j.at + p.timeout - now; left > 0 {
			p.lapse.Reset(left)
			return
		}
		p.pop()
		p.forget(j.lane)
		j.count.drop()
		j.use.Done()
		p.waiting.Add(-1)
	}
	p.lapsing = false
}

func (p *pool) queued() int { return len(p.queue) - p.head }

func (p *pool) pop() comparison {
	c := p.queue[p.head]
	p.queue[p.head] = nil
	c.of().lane.queued--
	if p.head++; p.head == len(p.queue) {
		p.queue, p.head = p.queue[:0], 0
	}
	return c
}

// pick takes the first comparison that finds a connection: a source that has none
// to spare holds up none but its own. nil when there is none.
func (p *pool) pick() comparison {
	p.picks++
	blocked := 0
	for i := p.head; i < len(p.queue) && blocked < p.queued(); i++ {
		c := p.queue[i]
		l := c.of().lane
		if !p.closed {
			if l.full == p.picks {
				continue
			}
			if !l.room(c.spare()) {
				l.full, l.stalled = p.picks, l.running == 0
				blocked += l.queued
				continue
			}
		}
		l.stalled = false
		copy(p.queue[p.head+1:i+1], p.queue[p.head:i])
		p.queue[p.head] = c
		return p.pop()
	}
	return nil
}

// forget forgets a lane that nothing needs.
func (p *pool) forget(l *lane) {
	if l.queued == 0 && l.running == 0 {
		delete(p.lanes, l.source)
	}
}

// rest ends a burst. While comparisons harm reads, no more are taken than the
// next two bursts will get done: what waits for long compares badly.
func (p *pool) rest() {
	lasted := p.pace.turn(false)
	p.limit.Store(p.size)
	if p.pace.share.Load() < whole {
		p.limit.Store(min(p.size, max(2*p.done, 8)+int64(p.stalled())))
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
		if p.closed || p.phase == bursting {
			if c := p.pick(); c != nil {
				p.running++
				c.of().lane.running++
				if p.queued() > 0 && p.idle > 0 {
					p.work.Signal()
				}
				return c
			}
		}
		switch {
		case p.closed:
			return nil
		case p.running <= p.stuck && (p.phase == bursting || p.phase == closing):
			p.rest()
		}
		p.idle++
		p.work.Wait()
		p.idle--
	}
}

// ended takes a comparison off the list of those running.
func (p *pool) ended(j *job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running--
	j.lane.running--
	p.forget(j.lane)
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
	p.ended(j)
	return true
}

// shutdown is [Comparer.Shutdown].
func (p *pool) shutdown(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	p.timer.Stop()
	p.lapse.Stop()
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
