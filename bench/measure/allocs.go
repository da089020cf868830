package measure

import (
	"context"
	"fmt"
	"runtime"
)

// Allocs is what the heap had to give for one call, background work that the call left behind included.
type Allocs struct{ Allocs, Bytes float64 }

// Allocations has one goroutine call the variant so many times and counts, as testing.AllocsPerRun does, everything that
// the program allocates meanwhile. settle, if not nil, waits for what the calls left to be done.
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
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := run()
	runtime.ReadMemStats(&after)
	per := func(from, to uint64) float64 { return float64(to-from) / float64(calls) }
	return Allocs{Allocs: per(before.Mallocs, after.Mallocs), Bytes: per(before.TotalAlloc, after.TotalAlloc)}, err
}
