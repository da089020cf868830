package deadline_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/internal/deadline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDeadlineIsOverWhenEitherClockSaysSo(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name            string
		monotonic, wall time.Duration
		passed          bool
	}{
		{"neither", time.Second, time.Second, false},
		{"a suspended machine: its monotonic clock stood still", time.Hour, -time.Second, true},
		{"a wall clock that was set back", -time.Second, time.Hour, true},
		{"both", -time.Second, -time.Second, true},
		{"at the moment itself", 0, time.Hour, true},
		{"at the moment itself by the wall clock", time.Hour, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := deadline.Apart(now.Add(c.monotonic), now.Add(c.wall))
			assert.Equal(t, c.passed, d.Passed(now))
			assert.Equal(t, c.monotonic, d.Left(now))
		})
	}
	assert.True(t, deadline.Deadline{}.Passed(now))
	assert.True(t, deadline.At(now.Add(2)).After(deadline.At(now.Add(1))))
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = deadline.At(now).Passed(now) }))
}
