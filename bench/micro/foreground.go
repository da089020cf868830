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
	beside := map[string]backfill.Entity{foregroundAlone: nil}
	for how, entity := range w.entities() {
		beside[foregroundBeside(how)] = entity
	}
	p99s := map[string][]float64{}
	for range e.rounds {
		for name, entity := range beside { // in any order
			if err := w.emptied(ctx); err != nil {
				return Result{}, err
			}
			latencies, err := w.beside(ctx, entity, e.foreground)
			if err != nil {
				return Result{}, fmt.Errorf("%s: %w", name, err)
			}
			slices.Sort(latencies)
			p99 := measure.Quantile(latencies, 0.99)
			cfg.say("%s: %.2f ms of %d calls, p50 %.2f ms", name, p99/1e6, len(latencies), measure.Quantile(latencies, 0.5)/1e6)
			p99s[name] = append(p99s[name], p99)
		}
	}
	rows := []report.Row{}
	for _, how := range ways {
		f := middle(p99s[foregroundBeside(how)])
		rows = append(rows, report.AtMost(foregroundBeside(how), report.Loopback, report.Nanos, f.value, f.noise, float64(foregroundP99)))
	}
	f := middle(p99s[foregroundAlone])
	return Result{Rows: append(rows, report.Of(foregroundAlone, report.Loopback, report.Nanos, f.value, f.noise))}, nil
}

// beside runs backfills of the entity, one after the other, as long as the foreground calls; none of a nil entity.
func (w *world) beside(ctx context.Context, entity backfill.Entity, lasts time.Duration) ([]time.Duration, error) {
	if entity == nil {
		return w.foreground(ctx, lasts)
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
