package micro

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/bench/measure"
	"github.com/crossfade-db/crossfade/bench/report"
	"github.com/crossfade-db/crossfade/ledger"
)

const foregroundAlone = "foreground p99, nothing beside it"

func foregroundBeside(how way) string {
	return fmt.Sprintf("foreground p99 beside a backfill %s", how)
}

// The foreground is an application at ease: so many calls a second in all, of which every other one reads a row and the
// rest write one, through the routed repository at dual.
const (
	callers       = 4
	callsEach     = 100 // a second
	foregroundP99 = 8 * time.Millisecond
)

// foregrounds measures how long the application's calls take beside a backfill. A call's time begins when it was due,
// so that calls which wait for an earlier one count as well.
func foregrounds(ctx context.Context, cfg Config, w *world, e extent) (Result, error) {
	var rows []report.Row
	note := func(name string, latencies []time.Duration, target bool) {
		slices.Sort(latencies)
		p99 := measure.Quantile(latencies, 0.99)
		noise := (measure.Quantile(latencies, 0.995) - measure.Quantile(latencies, 0.985)) / 2
		cfg.say("%s: %.2f ms of %d calls, p50 %.2f ms", name, p99/1e6, len(latencies), measure.Quantile(latencies, 0.5)/1e6)
		if target {
			rows = append(rows, report.AtMost(name, report.Loopback, report.Nanos, p99, noise, float64(foregroundP99)))
		} else {
			rows = append(rows, report.Of(name, report.Loopback, report.Nanos, p99, noise))
		}
	}
	if err := w.emptied(ctx); err != nil {
		return Result{}, err
	}
	alone, err := w.foreground(ctx, e.foreground)
	if err != nil {
		return Result{}, err
	}
	note(foregroundAlone, alone, false)
	for _, how := range []way{inSQL, throughGo} {
		beside, err := w.beside(ctx, w.ways()[how], e.foreground)
		if err != nil {
			return Result{}, err
		}
		note(foregroundBeside(how), beside, true)
	}
	return Result{Rows: rows}, nil
}

// beside runs backfills, one after the other, as long as the foreground calls.
func (w *world) beside(ctx context.Context, entity backfill.Entity, lasts time.Duration) ([]time.Duration, error) {
	if err := w.emptied(ctx); err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	var job sync.WaitGroup
	var failed error
	job.Go(func() {
		for running.Err() == nil && failed == nil {
			if _, failed = w.job(running, entity, ledger.JobBackfill, lasts); errors.Is(failed, context.Canceled) {
				failed = nil
			}
		}
	})
	latencies, err := w.foreground(ctx, lasts)
	stop()
	job.Wait()
	return latencies, errors.Join(err, failed)
}

// foreground calls as long as it is told and returns how long each call took.
func (w *world) foreground(ctx context.Context, lasts time.Duration) ([]time.Duration, error) {
	var all [callers][]time.Duration
	var errs [callers]error
	var calling sync.WaitGroup
	for c := range callers {
		calling.Go(func() { all[c], errs[c] = w.caller(ctx, c, lasts) })
	}
	calling.Wait()
	return slices.Concat(all[:]...), errors.Join(errs[:]...)
}

// caller makes calls that are due at even distances.
func (w *world) caller(ctx context.Context, number int, lasts time.Duration) (latencies []time.Duration, err error) {
	const every = time.Second / callsEach
	began := time.Now().Add(every * time.Duration(number) / callers)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := range int(lasts / every) {
		due := began.Add(time.Duration(i) * every)
		timer.Reset(time.Until(due))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		tenant, id := w.row()
		if i%2 == 0 {
			_, err = w.items.Get(ctx, tenant, id)
		} else {
			err = w.items.SetStock(ctx, tenant, id, int64(i), due.Truncate(time.Microsecond))
		}
		if err != nil {
			return nil, fmt.Errorf("call beside a backfill: %w", err)
		}
		latencies = append(latencies, time.Since(due))
	}
	return latencies, nil
}
