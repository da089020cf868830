package measure

import (
	"fmt"
	"slices"
	"time"
)

// Result is what a run found.
type Result struct {
	names   []string
	medians [][]float64 // per variant and round, in nanoseconds
	all     [][]time.Duration
}

func newResult(variants []Variant) *Result {
	r := &Result{medians: make([][]float64, len(variants)), all: make([][]time.Duration, len(variants))}
	for _, v := range variants {
		r.names = append(r.names, v.Name)
	}
	return r
}

// add takes the latencies of one round.
func (r *Result) add(samples [][]time.Duration) {
	for v, own := range samples {
		slices.Sort(own)
		r.medians[v] = append(r.medians[v], Quantile(own, 0.5))
		r.all[v] = append(r.all[v], own...)
	}
}

// Names returns the variants in the order in which they were given.
func (r *Result) Names() []string { return slices.Clone(r.names) }

// Has reports whether the variant was measured.
func (r *Result) Has(variant string) bool { return slices.Contains(r.names, variant) }

func (r *Result) index(variant string) int {
	i := slices.Index(r.names, variant)
	if i < 0 {
		panic(fmt.Sprintf("measure: variant %q was not measured", variant)) // a mistake in the program, not in a run
	}
	return i
}

// Ratio is a variant's latency over that of another one: of the medians of each round, the median, and as noise half of
// what lies between the quartiles.
type Ratio struct{ Value, Noise float64 }

// Ratio returns the ratio of two variants, which must have been measured.
func (r *Result) Ratio(variant, over string) Ratio {
	a, b := r.medians[r.index(variant)], r.medians[r.index(over)]
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
	}
	return middle(ratios)
}

// Latency returns a quantile of a variant's latencies over all rounds, in nanoseconds.
func (r *Result) Latency(variant string, quantile float64) float64 {
	own := slices.Clone(r.all[r.index(variant)])
	slices.Sort(own)
	return Quantile(own, quantile)
}

// middle returns the median of some figures and half of what lies between their quartiles.
func middle(figures []float64) Ratio {
	sorted := slices.Sorted(slices.Values(figures))
	return Ratio{Value: Quantile(sorted, 0.5), Noise: (Quantile(sorted, 0.75) - Quantile(sorted, 0.25)) / 2}
}

// Quantile returns a quantile, 0 to 1, of figures in ascending order, between two of them by their distance. It is zero
// without any figure.
func Quantile[N ~int64 | ~float64](sorted []N, quantile float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := quantile * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	share := at - float64(low)
	return float64(sorted[low])*(1-share) + float64(sorted[high])*share
}
