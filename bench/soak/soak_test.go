package main

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/flags"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hour returns an hour's samples: a heap that begins at 20 MiB, grows by so much an hour, and swings by noise.
func hour(grows, noise float64) []sample {
	all := make([]sample, 720)
	for i := range all {
		at := time.Duration(i) * 5 * time.Second
		swing := noise * math.Sin(float64(i*i)) // as good as random
		all[i] = sample{at: at, heap: 20 + grows*at.Hours() + swing, goroutines: 30, connections: 9}
	}
	return all
}

func TestTrendIsWhatAnHourAdds(t *testing.T) {
	heap := watched[0]
	for name, c := range map[string]struct {
		samples []sample
		grows   float64
		want    verdict
	}{
		"nothing grows":                        {hour(0, 0), 0, flat},
		"noise is no growth":                   {hour(0, 2), 0, flat},
		"a leak of a few bytes per call":       {hour(8, 2), 8, growing},
		"growth below the bound":               {hour(0.5, 0.1), 0.5, flat},
		"what shrinks":                         {hour(-3, 0.5), -3, flat},
		"more noise than an hour can settle":   {hour(0.9, 20), 0.9, tooShort},
		"too few samples":                      {hour(0, 0)[:12], 0, tooShort},
		"what a process needs at first":        {append(hour(500, 0)[:200], shifted(hour(0, 0.1)[200:])...), 0, flat},
		"one sample in twenty is out of place": {spiked(hour(0, 0.1)), 0, flat},
	} {
		t.Run(name, func(t *testing.T) {
			trend := trendOf(c.samples, heap.of)
			assert.Equal(t, c.want, trend.against(heap.bound), "%+v", trend)
			if c.want != tooShort {
				assert.InDelta(t, c.grows, trend.perHour, 0.5)
			}
		})
	}
}

func TestTrendsAreShownWithoutANegativeNothing(t *testing.T) {
	assert.Equal(t, "+0.00 (0.04)", trend{-0.004, 0.04}.String())
	assert.Equal(t, "-3.62 (2.18)", trend{-3.618, 2.182}.String())
}

func shifted(samples []sample) []sample {
	for i := range samples {
		samples[i].heap += 140
	}
	return samples
}

func spiked(samples []sample) []sample {
	for i := range samples {
		if i%20 == 0 {
			samples[i].heap += float64(i)
		}
	}
	return samples
}

func measured(samples []sample) *result {
	return &result{
		options: options{duration: time.Hour, rate: 100}, commit: "0a1b2c3", lasted: time.Hour, samples: samples, calls: 360_000, compared: 90_000,
		arrivals: []arrival{{0, flags.Old}, {time.Minute, flags.Dual}, {2 * time.Minute, flags.Shadow}},
		crowds:   []crowd{{stage: flags.Old, direct: spawned{20, 0.01}, routed: spawned{21, 0.02}}},
	}
}

func TestARunIsFlatOnlyIfAllOfItIs(t *testing.T) {
	assert.True(t, measured(hour(0, 0.1)).flat())
	assert.False(t, measured(hour(9, 0.1)).flat(), "a heap that grows")

	failed := measured(hour(0, 0.1))
	failed.failed = 1
	assert.False(t, failed.flat(), "a call that failed")

	crowded := measured(hour(0, 0.1))
	crowded.crowds[0].routed.perCall = 1.01
	assert.False(t, crowded.flat(), "a goroutine per call")

	crowded = measured(hour(0, 0.1))
	crowded.crowds[0].routed.peak += crowdSize
	assert.False(t, crowded.flat(), "a goroutine for each call in flight")
}

func TestWhatWasMeasuredIsPublishedBetweenItsMarkers(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "docs"), 0o755))
	document := filepath.Join(root, documentFile)
	require.NoError(t, os.WriteFile(document, []byte("before\n"+beginMarker+"\n"+endMarker+"\nafter"), 0o644))
	require.NoError(t, measured(hour(9, 0.1)).save(root))

	text, err := os.ReadFile(document)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(text), "before\n") && strings.HasSuffix(string(text), "\nafter"))
	assert.Contains(t, string(text), "`make soak DURATION=1h RATE=100` of commit 0a1b2c3, on ")
	assert.Contains(t, string(text), "| 1 | **grows** |")
	chart, err := os.ReadFile(filepath.Join(root, chartFile))
	require.NoError(t, err)
	assert.Contains(t, string(chart), "heap in use after a collection, MiB")
	assert.NotContains(t, string(chart), "resident", "the system did not say")
}

func TestARunThatIsEndedEarlySaysWhatThereIs(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var out ended
	out.at, out.stop = "connections", stop // the head of the table: the run has begun
	ok, err := soak(ctx, options{duration: time.Hour, rate: 200}, &out)
	require.NoError(t, err)
	assert.False(t, ok, "it was too short")
	assert.Contains(t, out.String(), "no call has a goroutine of its own at old")
	assert.Contains(t, out.String(), "no call has a goroutine of its own at new")
	assert.Contains(t, out.String(), "failed: 0")
	assert.Contains(t, out.String(), "not everything is flat")
}

// ended stops what writes to it at a word.
type ended struct {
	strings.Builder
	at   string
	stop func()
}

func (e *ended) Write(data []byte) (int, error) {
	if strings.Contains(string(data), e.at) && strings.Contains(string(data), "stage") {
		e.stop()
	}
	return e.Builder.Write(data)
}

func TestStagesAreNamedByTheTimeOfTheirArrival(t *testing.T) {
	arrivals := measured(nil).arrivals
	assert.Equal(t, "old", stageAt(nil, 0))
	assert.Equal(t, "dual", stageAt(arrivals, 90*time.Second))
	assert.Equal(t, "shadow", stageAt(arrivals, time.Hour))
}

func TestPausesEndWithTheirContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, pause(ctx, time.Hour), context.Canceled)
}
