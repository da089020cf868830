package backfill

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLimiterSpreadsKeysOverTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(100)
		began := time.Now()
		for range 5 {
			require.NoError(t, l.wait(t.Context(), 50))
		}
		assert.Equal(t, 2*time.Second, time.Since(began), "the fifth chunk begins after 200 keys' time")
		time.Sleep(time.Minute)
		began = time.Now()
		require.NoError(t, l.wait(t.Context(), 50))
		assert.Zero(t, time.Since(began), "unused time is not saved up")

		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, l.wait(ctx, 50), context.DeadlineExceeded)
		require.NoError(t, newLimiter(0).wait(t.Context(), 1_000_000))
	})
}
