//go:build !race

package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/crossfade-db/crossfade/flags"
)

// What calls that reach PostgreSQL may allocate, the driver's share included,
// of which the direct calls give an idea. The figures are those of a run, with
// room for a tenth: a new version of the driver may need one more. Where an
// operation makes clearly fewer, lower its budget here; where it makes more,
// find out why before raising it. Without the race detector, which adds its own.
func TestAllocationsOfCallsThatReachPostgreSQL(t *testing.T) {
	for _, tc := range []struct {
		name     string
		stage    flags.Stage
		standing flags.Standing
		sort     sort
		call     call
		budget   float64
	}{
		{"a read by key", flags.Old, none, raw, get, 16},
		{"a read by key", flags.Shadow, none, raw, get, 16},
		{"a read by key", flags.Live, none, raw, get, 111},
		{"a read by key of a clean policy", flags.Live, clean, raw, get, 16},
		{"a read by key", flags.New, none, raw, get, 16},
		{"an unfenced write that can be queued", flags.Old, unfenced, queued, save, 59},
		{"an unfenced write that runs at once", flags.Old, unfenced, raw, save, 90},
		{"a write that can be queued", flags.Old, none, queued, save, 79},
		{"a write that can be queued", flags.Dual, none, queued, save, 118},
		{"a write that can be queued", flags.Live, none, queued, save, 164},
		{"a write that can be queued of a clean policy", flags.Live, clean, queued, save, 118},
		{"a write that runs at once", flags.Dual, none, raw, save, 179},
		{"a write that can be queued", flags.New, none, queued, save, 81},
	} {
		t.Run(tc.name+" at "+tc.stage.String(), func(t *testing.T) {
			w, _ := wired(t, tc.stage, tc.standing, tc.sort)
			got := leastAllocations(func() { assert.NoError(t, tc.call(t.Context(), w)) })
			t.Logf("%.0f allocations, budget %.0f", got, tc.budget)
			assert.LessOrEqual(t, got, tc.budget*1.1)
			assert.GreaterOrEqual(t, got, tc.budget*0.8, "fewer than before: lower the budget, so that what was won stays won")
		})
	}
}

// leastAllocations is the least of several counts: what the pool and the
// runtime allocate meanwhile is in some of them.
func leastAllocations(run func()) float64 {
	least := testing.AllocsPerRun(20, run)
	for range 4 {
		least = min(least, testing.AllocsPerRun(20, run))
	}
	return least
}
