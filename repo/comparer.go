package repo

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/crossfade-db/crossfade/compare"
)

// ComparerConfig configures a [Comparer]. A nil config and zero fields are useful.
type ComparerConfig struct {
	// Workers is how many comparisons run at once. Zero means 4. Each may use
	// one database connection.
	Workers int
	// Queue is how many more may wait; what does not fit, or has waited for the
	// timeout, is dropped and counted. Zero means 1,024.
	Queue int
	// Timeout bounds one comparison, its confirmation included. Zero means 5s.
	Timeout time.Duration
	// Harm is by how much comparisons may slow the reads of callers down on
	// average, as a share of what these take. They are measured, and where
	// comparisons harm more, they rest, and what then does not fit into the queue
	// is dropped and counted. Microseconds are always allowed. Zero means 0.02;
	// negative means any harm.
	Harm float64
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
//
// What it cannot do without harm to callers, it does not do: it works in bursts
// of milliseconds, measures how much longer reads take in them, rests
// accordingly, and leaves the last connections of a pool to others. What was not
// compared for that is counted as dropped, beside what was.
type Comparer struct {
	cfg      ComparerConfig
	sink     compare.Sink
	counters compare.Counters
	panics   atomic.Int64
	sinkErrs atomic.Int64

	pool pool
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
	if c.cfg.Harm == 0 {
		c.cfg.Harm = 0.02
	}
	if c.cfg.Timeout <= 0 {
		c.cfg.Timeout = 5 * time.Second
	}
	c.cfg.Rules = c.countingPanics(c.cfg.Rules)
	if c.cfg.Sink != nil {
		c.sink = compare.Safely(c.cfg.Sink, func(any) { c.panics.Add(1) })
	}
	c.pool.start(c.cfg, &c.panics)
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
	// Share is for which part of the time comparisons may run at present: 1 where
	// they harm nobody. See [ComparerConfig].Harm.
	Share float64
}

// Stats returns the counts. It may be called at any time.
func (c *Comparer) Stats() ComparerStats {
	return ComparerStats{
		Operations: c.counters.Snapshot(), Panics: c.panics.Load(),
		SinkErrors: c.sinkErrs.Load(), Waiting: c.pool.waiting.Load(), Share: c.pool.pace.part(),
	}
}

// Shutdown takes no more comparisons, which are then counted as dropped, and
// waits for those queued. When ctx ends first, the rest is cancelled, what is
// still queued counts as inconclusive, and ctx's error is returned. Calling it
// again waits again.
func (c *Comparer) Shutdown(ctx context.Context) error { return c.pool.shutdown(ctx) }

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
	if _, ok := errors.AsType[*PanicError](err); ok {
		c.panics.Add(1)
	}
}
