package measure

import (
	"context"
	"fmt"
	"runtime"
)

// Allocs is what the heap had to give for one call, background work that the call left behind included.
type Allocs struct{ Allocs, Bytes float64 }

// batches is of how many batches the median counts: what else the program does now and then falls into one of them.
const batches = 5

// Allocations has one goroutine call the variant so many times in each of several batches and counts, as
// testing.AllocsPerRun does, everything that the program allocates meanwhile. settle, if not nil, waits for what the calls
// left to be done.
func Allocations(ctx context.Context, calls, keys int, settle func(context.Context) error, variant Variant) (Allocs, error) {
	if calls <= 0 {
		return Allocs{}, ErrNoOperations
	}
	run := func() error {
		for i := range calls {
			if err := variant.Do(ctx, i%max(1, keys)); err != nil {
				return fmt.Errorf("%s: %w", variant.Name, err)
			}
		}
		if settle != nil {
			return settle(ctx)
		}
		return nil
	}
	if err := run(); err != nil { // caches fill
		return Allocs{}, err
	}
	var number, size []float64
	for range batches {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := run(); err != nil {
			return Allocs{}, err
		}
		runtime.ReadMemStats(&after)
		number = append(number, float64(after.Mallocs-before.Mallocs)/float64(calls))
		size = append(size, float64(after.TotalAlloc-before.TotalAlloc)/float64(calls))
	}
	return Allocs{Allocs: middle(number).Value, Bytes: middle(size).Value}, nil
}
