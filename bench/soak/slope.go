package main

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// series is one figure over time.
type series struct {
	name, unit string
	// bound is how much an hour may add.
	bound float64
	of    func(sample) float64
}

// watched are the figures that must stay flat, and their bounds.
var watched = []series{
	{"heap in use after a collection", "MiB", 1, func(s sample) float64 { return s.heap }},
	{"resident memory", "MiB", 4, func(s sample) float64 { return s.rss }},
	{"goroutines", "", 1, func(s sample) float64 { return s.goroutines }},
	{"open connections", "", 1, func(s sample) float64 { return s.connections }},
}

// trend is how much an hour adds: the median slope between all pairs of samples (Theil and Sen), which a few strange
// samples do not bend, and half of its 95 % confidence interval. Samples that follow each other are not independent, so
// that the interval is a little too narrow.
type trend struct{ perHour, noise float64 }

// trendOf returns the trend of the second half of the samples.
func trendOf(samples []sample, of func(sample) float64) trend {
	samples = samples[len(samples)/2:]
	n := float64(len(samples))
	if n < 10 {
		return trend{noise: math.Inf(1)}
	}
	slopes := make([]float64, 0, len(samples)*(len(samples)-1)/2)
	for i, a := range samples {
		for _, b := range samples[i+1:] {
			slopes = append(slopes, (of(b)-of(a))/(b.at-a.at).Hours())
		}
	}
	slices.Sort(slopes)
	reach := 1.96 * math.Sqrt(n*(n-1)*(2*n+5)/18) / 2 // in ranks
	at := func(rank float64) float64 { return slopes[max(0, min(len(slopes)-1, int(math.Round(rank))))] }
	middle := float64(len(slopes)-1) / 2
	return trend{at(middle), (at(middle+reach) - at(middle-reach)) / 2}
}

// String shows what an hour adds, and the noise.
func (t trend) String() string {
	perHour := math.Round(t.perHour*100) / 100
	if perHour == 0 {
		perHour = 0 // and not -0
	}
	return fmt.Sprintf("%+.2f (%.2f)", perHour, t.noise)
}

// verdict is what a trend says.
type verdict string

const (
	flat     verdict = "flat"
	growing  verdict = "grows"
	tooShort verdict = "too short to say"
)

// against judges a trend: flat is what lies below the bound with its noise, growing what lies above it without.
func (t trend) against(bound float64) verdict {
	switch {
	case t.perHour+t.noise <= bound:
		return flat
	case t.perHour-t.noise > bound:
		return growing
	default:
		return tooShort
	}
}

// every returns the time between two samples: 720 in a run, and at least a quarter of a second apart.
func every(duration time.Duration) time.Duration { return max(250*time.Millisecond, duration/720) }
