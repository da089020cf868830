package measure_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/bench/measure"
)

func TestLoadsTellWhatCallersGetDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settled := 0
		var used time.Duration
		load := measure.Load{
			Callers: 4, For: 100 * time.Millisecond, Passes: 3,
			Settle: func(context.Context) error { settled++; return nil },
			CPU:    func() (time.Duration, error) { used += 2 * time.Millisecond; return used, nil },
		}
		found, err := load.Run(t.Context(), []measure.Variant{taking("direct", time.Millisecond), taking("slow", 4*time.Millisecond)})
		require.NoError(t, err)
		assert.InDelta(t, 4000, found.PerSecond("direct"), 1e-6)
		assert.InDelta(t, 1000, found.PerSecond("slow"), 1e-6)
		assert.Equal(t, measure.Ratio{Value: 4}, found.Ratio("slow", "direct"))
		assert.Equal(t, measure.Ratio{Value: 4}, found.Slowness("slow", "direct"))
		assert.InDelta(t, 4e6, found.Latency("slow", 0.99), 0)
		assert.Equal(t, 2*2*3, settled)
		assert.InDelta(t, 2e6*3/(4*100*3), found.DatabaseCPU("direct"), 1e-6)
	})
}

var sink []byte

func TestAllocationsAreThoseOfOneCall(t *testing.T) {
	variant := measure.Variant{Name: "three of 1 KiB", Do: func(context.Context, int) error {
		for range 3 {
			sink = make([]byte, 1024)
		}
		return nil
	}}
	settled := 0
	settle := func(context.Context) error { settled++; return nil }
	found, err := measure.Allocations(t.Context(), 2000, 10, settle, variant)
	require.NoError(t, err)
	assert.InDelta(t, 3, found.Allocs, 0.1)
	assert.InDelta(t, 3*1024, found.Bytes, 100)
	assert.Equal(t, 6, settled)
}
