package measure

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Load says how variants are measured one by one, each by a closed loop of callers that do nothing else: what is found
// this way is how much they get done, and what the database spends on it.
type Load struct {
	// Callers is how many goroutines call at once. Zero means 1.
	Callers int
	// For is how long one loop lasts. Zero means 200 milliseconds.
	For time.Duration
	// Passes is how often all variants have their turn, in a fresh random order. Zero means 3.
	Passes int
	// Keys is the range of the numbers that variants are given. Zero means 1,000.
	Keys int
	// Seed makes orders and numbers repeatable.
	Seed uint64
	// Settle, if not nil, is called before and after every loop: it waits for what was left to be done in the background.
	Settle func(ctx context.Context) error
	// CPU, if not nil, returns how much time of processors the database has used so far. What is done in the background
	// counts as well.
	CPU func() (time.Duration, error)
}

// Loaded is what Run found: a [Result] whose rounds are the passes, and sums over all loops.
type Loaded struct {
	*Result
	means [][]float64 // per variant and pass, in nanoseconds
	done  []int
	took  []time.Duration
	cpu   []time.Duration
}

// Slowness is a variant's mean latency over that of another one: of each pass, the median, with its noise. Where many
// callers wait for few processors, a median latency jumps between those who wait and those who do not.
func (l *Loaded) Slowness(variant, over string) Ratio {
	a, b := l.means[l.index(variant)], l.means[l.index(over)]
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
	}
	return middle(ratios)
}

// PerSecond returns how many operations a variant got done in a second, of all callers together.
func (l *Loaded) PerSecond(variant string) float64 {
	i := l.index(variant)
	return float64(l.done[i]) / l.took[i].Seconds()
}

// DatabaseCPU returns how much time of processors the database used for one operation, in nanoseconds. It is zero where
// nobody measured it.
func (l *Loaded) DatabaseCPU(variant string) float64 {
	i := l.index(variant)
	return float64(l.cpu[i]) / float64(max(1, l.done[i]))
}

// Run measures the variants. An error of any variant ends it.
func (l Load) Run(ctx context.Context, variants []Variant) (*Loaded, error) {
	l = l.defaults()
	n := len(variants)
	found := &Loaded{
		Result: newResult(variants), means: make([][]float64, n), done: make([]int, n), took: make([]time.Duration, n), cpu: make([]time.Duration, n),
	}
	random := rand.New(rand.NewPCG(l.Seed, 0)) //nolint:gosec // repeatable
	order := make([]int, n)
	for pass := range l.Passes {
		permute(random, order)
		samples := make([][]time.Duration, n)
		for _, v := range order {
			own, err := l.loop(ctx, found, pass, v, variants[v])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", variants[v].Name, err)
			}
			samples[v] = own
		}
		found.add(samples)
	}
	return found, nil
}

func (l Load) defaults() Load {
	if l.Callers <= 0 {
		l.Callers = 1
	}
	if l.For <= 0 {
		l.For = 200 * time.Millisecond
	}
	if l.Passes <= 0 {
		l.Passes = 3
	}
	if l.Keys <= 0 {
		l.Keys = 1000
	}
	if l.CPU == nil {
		l.CPU = func() (time.Duration, error) { return 0, nil }
	}
	return l
}

// loop is one loop of one variant. A tenth of it goes before and does not count, so that connections are open and warm.
func (l Load) loop(ctx context.Context, found *Loaded, pass, v int, variant Variant) ([]time.Duration, error) {
	seed := uint64(pass)<<32 | uint64(v)<<16 //nolint:gosec // small
	if _, _, err := l.callers(ctx, l.For/10, seed+1<<15, variant); err != nil {
		return nil, err
	}
	before, err := l.settled(ctx)
	if err != nil {
		return nil, err
	}
	samples, took, err := l.callers(ctx, l.For, seed, variant)
	if err != nil {
		return nil, err
	}
	after, err := l.settled(ctx)
	found.means[v] = append(found.means[v], float64(took)*float64(l.Callers)/float64(len(samples)))
	found.done[v] += len(samples)
	found.took[v] += took
	found.cpu[v] += after - before
	return samples, err
}

// settled waits until everything is done and returns what the database has used for it.
func (l Load) settled(ctx context.Context) (cpu time.Duration, err error) {
	if l.Settle != nil {
		if err := l.Settle(ctx); err != nil {
			return 0, err
		}
	}
	return l.CPU()
}

// callers have the variant do its operation for so long, at least once each.
func (l Load) callers(ctx context.Context, long time.Duration, seed uint64, variant Variant) ([]time.Duration, time.Duration, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	all, errs := make([][]time.Duration, l.Callers), make([]error, l.Callers)
	var callers sync.WaitGroup
	began := time.Now()
	for c := range l.Callers {
		callers.Go(func() {
			random := rand.New(rand.NewPCG(l.Seed, seed+uint64(c))) //nolint:gosec // repeatable, and small numbers
			for at := time.Now(); ; {
				if errs[c] = variant.Do(ctx, random.IntN(l.Keys)); errs[c] != nil {
					stop()
					return
				}
				now := time.Now()
				all[c] = append(all[c], now.Sub(at))
				if at = now; now.Sub(began) >= long {
					return
				}
			}
		})
	}
	callers.Wait()
	took := time.Since(began)
	var samples []time.Duration
	for _, own := range all {
		samples = append(samples, own...)
	}
	err := firstCause(errs)
	if err == nil {
		err = ctx.Err()
	}
	return samples, took, err
}

// ErrNoOperations says that allocations of nothing were asked for.
var ErrNoOperations = errors.New("measure: allocations per call need at least one call")
