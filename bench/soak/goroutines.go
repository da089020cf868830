package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"

	"github.com/crossfade-db/crossfade/bench/workload/items"
	"github.com/crossfade-db/crossfade/bench/workload/items/v1"
	"github.com/crossfade-db/crossfade/bench/workload/items/v2"
	"github.com/crossfade-db/crossfade/flags"
)

// crowdSize is how many calls are in flight while goroutines are counted, and callsEach how many follow each other.
const (
	crowdSize = 32
	callsEach = 200
)

// crowd is what calls at a stage add in goroutines, beside direct calls of the same side.
type crowd struct {
	stage          flags.Stage
	direct, routed spawned
}

// spawned is what callers left behind in the counts of the runtime.
type spawned struct {
	peak    int64   // goroutines at once, those of the callers included
	perCall float64 // goroutines created for each call
}

// allowed is how many goroutines a call may create beyond the direct call: none, and the program's own background work.
const allowed = 0.05

// flat says that no call has a goroutine of its own. The driver's, which direct calls have as well, are not counted.
func (c crowd) flat() bool {
	return c.routed.perCall-c.direct.perCall <= allowed && c.routed.peak-c.direct.peak <= crowdSize/2
}

func (c crowd) String() string {
	return fmt.Sprintf("%.3f created per routed call and %.3f per direct call; at most %d and %d alive with %d calls in flight",
		c.routed.perCall, c.direct.perCall, c.routed.peak, c.direct.peak, crowdSize)
}

// crowdAt goes to a stage and counts there, while nobody else calls.
func (a *app) crowdAt(ctx context.Context, stage flags.Stage) (crowd, error) {
	c := crowd{stage: stage}
	if err := a.goTo(ctx, stage); err != nil {
		return c, err
	}
	direct := v1.New(a.pool)
	if stage == flags.New {
		direct = v2.New(a.pool)
	}
	var err error
	for range 2 { // the first opens connections and prepares statements
		if c.direct, err = a.spawned(ctx, direct); err == nil {
			c.routed, err = a.spawned(ctx, a.routed)
		}
	}
	return c, err
}

func (a *app) spawned(ctx context.Context, r items.Items) (spawned, error) {
	created := []metrics.Sample{{Name: "/sched/goroutines-created:goroutines"}}
	metrics.Read(created)
	before := created[0].Value.Uint64()
	var running sync.WaitGroup
	var peak atomic.Int64
	errs := make([]error, crowdSize)
	for c := range crowdSize {
		running.Go(func() {
			random := rand.New(rand.NewPCG(2, uint64(c))) //nolint:gosec // what is called is no secret
			for range callsEach {
				ctx, cancel := context.WithTimeout(ctx, callTimeout)
				err := a.act(ctx, r, random)
				cancel()
				if err != nil && !errors.Is(err, items.ErrNotFound) {
					errs[c] = err
					return
				}
				for now := int64(runtime.NumGoroutine()); ; {
					if seen := peak.Load(); seen >= now || peak.CompareAndSwap(seen, now) {
						break
					}
				}
			}
		})
	}
	running.Wait()
	metrics.Read(created)
	all := float64(created[0].Value.Uint64() - before - crowdSize)
	return spawned{peak.Load(), all / (crowdSize * callsEach)}, errors.Join(errs...)
}
