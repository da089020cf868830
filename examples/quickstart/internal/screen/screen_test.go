package screen

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var picture = Picture{
	Elapsed: 75 * time.Second, Phase: "shadow for 25 %",
	Rungs:   []Rung{{"old", 0}, {"dual", 15}, {"shadow", 5}, {"live", 0}},
	Paths:   []Path{{"dual path", 300, 2 * time.Millisecond, 9500 * time.Microsecond}, {"old path", 0, 0, 0}},
	Workers: 2, OperationsPerSecond: 299.6, Operations: 12345, Mismatches: 3,
	Work: &Work{Name: "backfill", Done: 12300, All: 20000, Left: 3 * time.Second},
}

func TestATerminalGetsAPictureInPlaceAndItsCursorBack(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out, true, time.Now)
	s.Show(picture)
	lines := len(picture.lines())
	assert.Equal(t, lines, strings.Count(out.String(), "\n"))
	out.Reset()
	s.Show(picture)
	assert.True(t, strings.HasPrefix(out.String(), "\x1b[13A\r"), "back to where it began: %q", out.String()[:10])
	assert.Equal(t, 13, lines)
	assert.Contains(t, out.String(), "backfill: 12300 of 20000 keys (61 %), 3s left")
	assert.Contains(t, out.String(), "300 operations/s from 2 processes")
	out.Reset()
	s.Say("a line that %s", "stays")
	assert.True(t, strings.HasSuffix(out.String(), "a line that stays\n"))
	out.Reset()
	s.Close()
	s.Close()
	s.Show(picture)
	assert.Equal(t, wrap+showCursor, out.String())
}

func TestWithoutATerminalALineComesEveryFewSeconds(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(100, 0)
	s := newScreen(&out, false, func() time.Time { return now })
	for range 10 {
		s.Show(picture)
		now = now.Add(time.Second)
	}
	s.Close()
	assert.Equal(t, 4, strings.Count(out.String(), "\n"))
	assert.NotContains(t, out.String(), "\x1b")
	assert.Contains(t, out.String(), "01:15 shadow for 25 %: dual 75 % shadow 25 % | 300 op/s | dual path p50 2.0 p99 9.5 ms")
}

func TestAFileIsNoTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer file.Close()
	assert.False(t, New(file).terminal)
}

func TestEveryLineFitsAnOrdinaryTerminal(t *testing.T) {
	for _, line := range picture.lines() {
		assert.LessOrEqual(t, len(line), 80, line)
	}
}

func TestNothingIsDividedByZero(t *testing.T) {
	assert.NotEmpty(t, Picture{Rungs: []Rung{{"old", 0}}, Work: &Work{Name: "verify"}}.lines())
}
