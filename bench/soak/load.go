package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crossfade-db/crossfade/bench/workload/items"
	"github.com/crossfade-db/crossfade/flags"
)

// callers are the goroutines that call the application; there are never more, so that the load itself is flat.
const callers = 8

// beat is how often the load is dealt out.
const beat = 20 * time.Millisecond

// callTimeout bounds one call, as a server's would.
const callTimeout = 30 * time.Second

// load calls the application at a fixed rate, whatever its answers take. What the callers cannot keep up with is
// skipped, and counted.
type load struct {
	app  *app
	rate float64

	calls, failed, skipped atomic.Int64
	first                  atomic.Pointer[error] // the first failure
}

// run calls until ctx ends.
func (l *load) run(ctx context.Context) {
	turns := make(chan struct{}, 64)
	var running sync.WaitGroup
	for c := range callers {
		running.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(c))) //nolint:gosec // what is called is no secret
			for range turns {
				l.call(ctx, random)
			}
		})
	}
	l.deal(ctx, turns)
	close(turns)
	running.Wait()
}

// deal gives out turns until ctx ends.
func (l *load) deal(ctx context.Context, turns chan<- struct{}) {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	due := 0.0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for due += l.rate * beat.Seconds(); due >= 1; due-- {
			select {
			case turns <- struct{}{}:
			default:
				l.skipped.Add(1)
			}
		}
	}
}

func (l *load) call(ctx context.Context, random *rand.Rand) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout) // what began comes to its end
	defer cancel()
	ctx, release := flags.Pin(ctx, 0)
	defer release()
	err := l.app.act(ctx, l.app.routed, random)
	l.calls.Add(1)
	if err != nil && !errors.Is(err, items.ErrNotFound) {
		l.failed.Add(1)
		l.first.CompareAndSwap(nil, &err)
	}
}

// act does one thing that the application's users do.
func (a *app) act(ctx context.Context, r items.Items, random *rand.Rand) error {
	id := random.Int64N(rows)
	tenant := a.names[id%tenants]
	now := time.Now().UTC().Truncate(time.Microsecond)
	switch n := random.IntN(100); {
	case n < 60:
		_, err := r.Get(ctx, tenant, id)
		return err
	case n < 65:
		_, err := r.Keys(ctx, tenant, &id, 20)
		return err
	case n < 82:
		return r.SetStock(ctx, tenant, id, random.Int64N(1000), now)
	case n < 97:
		return r.Save(ctx, items.Item{
			Tenant: tenant, ID: id, Name: fmt.Sprintf("item %d, as of %d", id, n), Stock: random.Int64N(1000),
			PriceCents: 100 + random.Int64N(9900), UpdatedAt: now,
		})
	default:
		return r.Delete(ctx, tenant, id)
	}
}
