package micro

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/crossfade-db/crossfade/bench/measure"
)

// loop is something that takes nanoseconds: run does it n times in a row.
type loop struct {
	name string
	run  func(n int)
}

// figure is a median over rounds and, as noise, half of what lies between the quartiles.
type figure struct{ value, noise float64 }

func middle(figures []float64) figure {
	sorted := slices.Sorted(slices.Values(figures))
	q := func(at float64) float64 { return measure.Quantile(sorted, at) }
	return figure{value: q(0.5), noise: (q(0.75) - q(0.25)) / 2}
}

// cost is what one pass of a loop costs.
type cost struct {
	nanos  figure
	allocs float64
}

// pace says how long loops are measured.
type pace struct {
	rounds int
	turn   time.Duration // of one loop in one round
}

func (c Config) pace() pace {
	if c.Quick {
		return pace{rounds: 20, turn: 250 * time.Microsecond}
	}
	return pace{rounds: 600, turn: 250 * time.Microsecond}
}

// timed measures the loops: in each round every one has a turn, in random order. Turns are many, and shorter than the
// time that a processor gives to another program: whatever else the machine does spoils some of them, and not the median.
func timed(ctx context.Context, p pace, loops []loop) (map[string]cost, error) {
	passes := make([]int, len(loops))
	for i, l := range loops {
		passes[i] = enough(l, p.turn)
	}
	nanos := make([][]float64, len(loops))
	for range p.rounds {
		for _, i := range rand.Perm(len(loops)) { //nolint:gosec // an order needs no secret
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			began := time.Now()
			loops[i].run(passes[i])
			nanos[i] = append(nanos[i], float64(time.Since(began))/float64(passes[i]))
		}
	}
	costs := map[string]cost{}
	for i, l := range loops {
		const some = 100
		costs[l.name] = cost{nanos: middle(nanos[i]), allocs: testing.AllocsPerRun(10, func() { l.run(some) }) / some}
	}
	return costs, nil
}

// enough returns how many passes take about a turn, and warms up.
func enough(l loop, turn time.Duration) int {
	for n := 1; ; n *= 2 {
		began := time.Now()
		l.run(n)
		if took := time.Since(began); took >= turn/2 {
			return max(1, int(float64(n)*float64(turn)/float64(took)))
		}
	}
}
