package repo

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crossfade-db/crossfade/compare"
)

// ComparerConfig configures a [Comparer]. A nil config and zero fields are useful.
type ComparerConfig struct {
	// Workers is how many comparisons run at once. Zero means 4. Each may use
	// one database connection.
	Workers int
	// Queue is how many more may wait; what does not fit is dropped and
	// counted. Zero means 1,024.
	Queue int
	// Timeout bounds one comparison, its confirmation included. Zero means 5s.
	Timeout time.Duration
	// Sink takes confirmed mismatches. Nil means none: they are counted alone.
	// It is called through [compare.Safely].
	Sink compare.Sink
	// Sampler says which reads are compared. Nil means every one.
	Sampler *compare.Sampler
	// Rules are applied to every difference. Nil means none.
	Rules *compare.Rules
	// Classifiers give errors their class. Not found is known from the
	// entity's directive already.
	Classifiers []compare.Classifier
}

// Comparer compares answers that were served already: the other side is read
// and compared by a bounded pool of workers, never in the caller's time. A
// difference counts only once it was found again in one snapshot. One comparer
// serves any number of routes and goroutines.
type Comparer struct {
	cfg      ComparerConfig
	sink     compare.Sink
	counters compare.Counters
	panics   atomic.Int64
	sinkErrs atomic.Int64

	waiting atomic.Int64 // queued and running
	jobs    chan func(context.Context)
	workers sync.WaitGroup
	stop    context.CancelFunc

	mu     sync.RWMutex // guards closed against sends on jobs
	closed bool
}

// NewComparer starts the workers. Call [Comparer.Shutdown] to stop them.
func NewComparer(cfg *ComparerConfig) *Comparer {
	c := &Comparer{}
	if cfg != nil {
		c.cfg = *cfg
	}
	if c.cfg.Workers <= 0 {
		c.cfg.Workers = 4
	}
	if c.cfg.Queue <= 0 {
		c.cfg.Queue = 1024
	}
	if c.cfg.Timeout <= 0 {
		c.cfg.Timeout = 5 * time.Second
	}
	c.cfg.Rules = c.countingPanics(c.cfg.Rules)
	if c.cfg.Sink != nil {
		c.sink = compare.Safely(c.cfg.Sink, func(any) { c.panics.Add(1) })
	}
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.jobs = make(chan func(context.Context), c.cfg.Queue+c.cfg.Workers)
	for range c.cfg.Workers {
		c.workers.Go(func() {
			for job := range c.jobs {
				job(ctx)
				c.waiting.Add(-1)
			}
		})
	}
	return c
}

// countingPanics returns the rules with the panics of their redactor counted.
func (c *Comparer) countingPanics(rules *compare.Rules) *compare.Rules {
	var counted compare.Rules
	if rules != nil {
		counted = *rules
	}
	tell := counted.OnPanic
	counted.OnPanic = func(recovered any) {
		c.panics.Add(1)
		if tell != nil {
			tell(recovered)
		}
	}
	return &counted
}

// ComparerStats are counts since the comparer was made.
type ComparerStats struct {
	// Operations holds the five numbers of each operation.
	Operations []compare.Counts
	// Panics are those of candidates, comparators, redactors and sinks.
	Panics int64
	// SinkErrors are records that the sink did not take.
	SinkErrors int64
	// Waiting are comparisons queued or running now.
	Waiting int64
}

// Stats returns the counts. It may be called at any time.
func (c *Comparer) Stats() ComparerStats {
	return ComparerStats{
		Operations: c.counters.Snapshot(), Panics: c.panics.Load(),
		SinkErrors: c.sinkErrs.Load(), Waiting: c.waiting.Load(),
	}
}

// Shutdown takes no more comparisons, which are then counted as dropped, and
// waits for those queued. When ctx ends first, the rest is cancelled, what is
// still queued counts as inconclusive, and ctx's error is returned. Calling it
// again waits again.
func (c *Comparer) Shutdown(ctx context.Context) error {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.jobs)
	}
	c.mu.Unlock()
	done := make(chan struct{})
	go func() {
		c.workers.Wait()
		close(done)
	}()
	select {
	case <-done:
		c.stop()
		return nil
	case <-ctx.Done():
		c.stop() // comparisons end with their ctx; one that hangs is left behind by its worker
		<-done
		return ctx.Err()
	}
}

// reserve takes a place in the queue, or counts a drop.
func (c *Comparer) reserve(count tally) bool {
	if c.waiting.Add(1) > int64(cap(c.jobs)) {
		c.waiting.Add(-1)
		count.drop()
		return false
	}
	return true
}

// enqueue hands over a job whose place is reserved, so that it never blocks.
func (c *Comparer) enqueue(count tally, job func(context.Context)) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		c.waiting.Add(-1)
		count.drop()
		return false
	}
	c.jobs <- job
	return true
}

// watched runs one comparison in a goroutine of its own, so that a candidate
// that hangs costs the pool its timeout and not a worker: the goroutine is then
// left to end alone, its verdict no longer counts, and what it compared counts
// as inconclusive.
func (c *Comparer) watched(ctx context.Context, count tally, body func(context.Context) (compare.Verdict, func())) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	type outcome struct {
		verdict compare.Verdict
		report  func()
	}
	done := make(chan outcome, 1)
	go func() {
		result := outcome{verdict: compare.Inconclusive}
		defer func() { done <- result }()
		err := guard(func() error {
			result.verdict, result.report = body(ctx)
			return nil
		})
		if err != nil {
			c.panics.Add(1)
		}
	}()
	select {
	case o := <-done:
		count.judged(o.verdict)
		if o.report != nil {
			o.report()
		}
	case <-ctx.Done():
		count.judged(compare.Inconclusive)
	}
}

// report gives confirmed differences to the sink.
func (c *Comparer) report(ctx context.Context, base compare.Record, diffs []Diff) {
	if c.sink == nil {
		return
	}
	if err := c.sink.Record(ctx, compare.Records(base, diffs)); err != nil {
		c.sinkErrs.Add(1)
	}
}

// panicked counts err when it is a panic.
func (c *Comparer) panicked(err error) {
	var p *PanicError
	if errors.As(err, &p) {
		c.panics.Add(1)
	}
}
