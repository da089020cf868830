// Package measure times variants of one operation side by side in one run: the only honest way on a machine that other
// work shares, as whatever disturbs it disturbs all of them alike.
//
// It knows neither databases nor what a variant does, and never judges a figure.
package measure

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Variant is one way to do the operation.
type Variant struct {
	Name string
	// Do does it once. i is a number to pick a row by, 0 to Plan.Keys-1. It is called by many goroutines at once.
	Do func(ctx context.Context, i int) error
}

// Plan says how much is measured. The zero value of a field is useful unless it says otherwise.
type Plan struct {
	// Rounds is how often everything is repeated; figures are medians over rounds. Zero means 9.
	Rounds int
	// Turns is how many turns each variant has in a round, of all workers together. Zero means 100.
	Turns int
	// Budget, if not zero, is about how long all rounds take together: Turns is then found from how long the first round
	// took that does not count, for which Turns is what it was. Where that was wrong, the last rounds are left out.
	Budget time.Duration
	// Block is how many operations follow each other in a turn, each timed alone. Zero means 1: the order of the
	// variants is drawn anew for every single operation.
	Block int
	// Workers is how many goroutines do this at once. Zero means 1.
	Workers int
	// Keys is the range of the numbers that variants are given. Zero means 1,000.
	Keys int
	// Seed makes orders and numbers repeatable.
	Seed uint64
	// Settle, if not nil, is called before every turn, and is not timed: it waits for what the turn before left to be
	// done in the background. With it, Workers must be 1.
	Settle func(ctx context.Context) error
	// Progress, if not nil, is called after every round.
	Progress func(round, rounds int)
}

func (p Plan) defaults() Plan {
	orDefault := func(n *int, value int) {
		if *n <= 0 {
			*n = value
		}
	}
	orDefault(&p.Rounds, 9)
	orDefault(&p.Turns, 100)
	orDefault(&p.Block, 1)
	orDefault(&p.Workers, 1)
	orDefault(&p.Keys, 1000)
	return p
}

// ErrSettleAlone says that several workers cannot settle.
var ErrSettleAlone = errors.New("measure: a plan that settles has one worker: the others would disturb it")

// leastTurns keeps a round's median from being of next to nothing.
const leastTurns = 5

// leastRounds are measured also when time is up: fewer have no quartiles worth the name.
const leastRounds = 5

// Run measures the variants. The first round is preceded by one that does not count, which opens connections and
// prepares statements. An error of any variant ends the run.
func Run(ctx context.Context, plan Plan, variants []Variant) (*Result, error) {
	plan = plan.defaults()
	if plan.Settle != nil && plan.Workers > 1 {
		return nil, ErrSettleAlone
	}
	result := newResult(variants)
	var start time.Time
	for round := -1; round < plan.Rounds; round++ {
		began := time.Now()
		samples, err := plan.round(ctx, round, variants)
		if err != nil {
			return nil, err
		}
		if round < 0 {
			plan.Turns = plan.affordable(time.Since(began))
			start = time.Now()
			continue
		}
		result.add(samples)
		if plan.Progress != nil {
			plan.Progress(round+1, plan.Rounds)
		}
		if plan.Budget > 0 && round+1 >= leastRounds && time.Since(start) >= plan.Budget {
			break
		}
	}
	return result, nil
}

// affordable is how many turns a round may have after one that took so long.
func (p Plan) affordable(took time.Duration) int {
	if p.Budget <= 0 || took <= 0 {
		return p.Turns
	}
	rounds := float64(p.Budget) / float64(took)
	return max(leastTurns*p.Workers, int(float64(p.Turns)*rounds/float64(p.Rounds)))
}

// round measures every variant once over, and returns the latencies of each.
func (p Plan) round(ctx context.Context, round int, variants []Variant) ([][]time.Duration, error) {
	turns := max(1, p.Turns/p.Workers)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	all := make([][][]time.Duration, p.Workers)
	errs := make([]error, p.Workers)
	var workers sync.WaitGroup
	for w := range p.Workers {
		workers.Go(func() {
			random := rand.New(rand.NewPCG(p.Seed, uint64(round+1)<<32|uint64(w))) //nolint:gosec // repeatable, and small numbers
			if all[w], errs[w] = p.work(ctx, random, turns, variants); errs[w] != nil {
				stop()
			}
		})
	}
	workers.Wait()
	samples := make([][]time.Duration, len(variants))
	for _, own := range all {
		for v := range own {
			samples[v] = append(samples[v], own[v]...)
		}
	}
	return samples, firstCause(errs)
}

// work is what one worker does in a round.
func (p Plan) work(ctx context.Context, random *rand.Rand, turns int, variants []Variant) ([][]time.Duration, error) {
	samples := make([][]time.Duration, len(variants))
	for v := range samples {
		samples[v] = make([]time.Duration, 0, turns*p.Block)
	}
	order := make([]int, len(variants))
	for range turns {
		permute(random, order)
		for _, v := range order {
			if p.Settle != nil {
				if err := p.Settle(ctx); err != nil {
					return samples, err
				}
			}
			for range p.Block {
				i := random.IntN(p.Keys)
				began := time.Now()
				err := variants[v].Do(ctx, i)
				took := time.Since(began)
				if err != nil {
					return samples, fmt.Errorf("%s: %w", variants[v].Name, err)
				}
				samples[v] = append(samples[v], took)
			}
		}
	}
	return samples, ctx.Err()
}

// permute fills order with a fresh random order.
func permute(random *rand.Rand, order []int) {
	for i := range order {
		order[i] = i
	}
	random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
}

// firstCause prefers an error that is not only the echo of another worker's.
func firstCause(errs []error) error {
	var echo error
	for _, err := range errs {
		switch {
		case err == nil:
		case errors.Is(err, context.Canceled):
			echo = err
		default:
			return err
		}
	}
	return echo
}
