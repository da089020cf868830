package repo

import (
	"context"
	"errors"
	"time"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
)

// Meter is told how the calls of both sides and the comparisons go. The
// member of the fleet implements it. Its methods are called in the caller's
// time, by any number of goroutines: they must not block, fail or allocate.
type Meter interface {
	// Called tells of one call of one side.
	Called(Called)
	// Compared tells of one comparison that was meant to take place.
	Compared(migration, tenant string, outcome Outcome)
}

// Called is one call of one side.
type Called struct {
	Migration, Tenant string
	Stage             flags.Stage
	Side              flags.Side
	// Write tells writes from reads.
	Write bool
	// Served says that the answer went to the caller, and not only into a
	// comparison or into the side without authority.
	Served bool
	// Failed says that the side erred: with something else than not found, and
	// not because the caller gave up.
	Failed bool
	Took   time.Duration
}

// Outcome is what became of a comparison.
type Outcome uint8

// What can become of a comparison.
const (
	OutcomeMatched Outcome = iota + 1
	OutcomeMismatched
	OutcomeIgnored
	OutcomeInconclusive
	OutcomeDropped
)

func outcomeOf(v compare.Verdict) Outcome {
	switch v {
	case compare.Matched:
		return OutcomeMatched
	case compare.Mismatched:
		return OutcomeMismatched
	case compare.Ignored:
		return OutcomeIgnored
	case compare.Inconclusive:
	}
	return OutcomeInconclusive
}

// began returns when a call of a side begins; zero where nobody measures.
func (r *Route[R]) began() (at time.Time) {
	if r.meter != nil {
		at = time.Now()
	}
	return at
}

// called tells the meter of a call of a side that has just ended: c holds all but
// the migration and whether it failed. What the fence refused says nothing about
// the side.
func (r *Route[R]) called(ctx context.Context, c Called, err error) {
	if r.meter == nil {
		return
	}
	if err != nil {
		if _, refused := errors.AsType[*RefusedError](err); refused {
			return
		}
		c.Failed = ctx.Err() == nil && !r.copier.NotFound(err)
	}
	c.Migration = r.migration.Name
	r.meter.Called(c)
}

// told is what the meter is told of one call of an operation in a scope.
func (s *Scope) told(side flags.Side, served bool, took time.Duration) Called {
	return Called{
		Tenant: s.Tenant, Stage: s.Decision.Stage, Side: side, Served: served, Took: took,
		Write: s.Op.Kind == KindWrite || s.Op.Kind == KindCreate,
	}
}

// tally counts the comparisons of one operation of one tenant. It finds the
// counter when it counts, which is seldom in the caller's time.
type tally struct {
	counters          *compare.Counters
	meter             Meter
	entity, method    string
	migration, tenant string
}

func (t *tally) counter() *compare.Counter { return t.counters.Of(t.migration, t.entity+"."+t.method) }

func (t *tally) judged(v compare.Verdict) {
	t.counter().Judged(v)
	if t.meter != nil {
		t.meter.Compared(t.migration, t.tenant, outcomeOf(v))
	}
}

func (t *tally) drop() {
	t.counter().Drop()
	if t.meter != nil {
		t.meter.Compared(t.migration, t.tenant, OutcomeDropped)
	}
}
