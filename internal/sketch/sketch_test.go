package sketch

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// durations spread over all magnitudes between a microsecond and an hour.
var durations = rapid.Map(rapid.Float64Range(0, math.Log(3.6e9)), func(x float64) time.Duration {
	return time.Duration(math.Exp(x) * float64(time.Microsecond))
})

func of(all ...time.Duration) *Sketch {
	var s Sketch
	for _, d := range all {
		s.Add(d)
	}
	return &s
}

func merged(all ...*Sketch) *Sketch {
	var s Sketch
	for _, other := range all {
		s.Merge(other)
	}
	return &s
}

func TestQuantileIsWithinTheRelativeError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(durations, 1, 300).Draw(t, "durations")
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		got := of(all...).Quantile(q)
		slices.Sort(all)
		exact := float64(all[int(q*float64(len(all)-1))])
		// One nanosecond for rounding to whole ones.
		assert.LessOrEqual(t, math.Abs(float64(got)-exact), RelativeError*exact*1.0001+1)
	})
}

func TestMergeIsCommutativeAndAssociativeAndLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) []time.Duration { return rapid.SliceOf(durations).Draw(t, name) }
		x, y, z := draw("x"), draw("y"), draw("z")
		a, b, c := of(x...), of(y...), of(z...)
		assert.Equal(t, merged(a, b), merged(b, a))
		assert.Equal(t, merged(merged(a, b), c), merged(a, merged(b, c)))
		assert.Equal(t, of(slices.Concat(x, y, z)...), merged(a, b, c))
	})
}

func TestDecodeIsTheInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := of(rapid.SliceOf(durations).Draw(t, "durations")...)
		b, err := s.AppendBinary(nil)
		require.NoError(t, err)
		var back Sketch
		rest, err := back.Decode(append(b, 42))
		require.NoError(t, err)
		assert.Equal(t, []byte{42}, rest)
		assert.Equal(t, *s, back)
		for i := range b {
			_, err := back.Decode(b[:i])
			require.Error(t, err)
		}
	})
}

func TestDecodeNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
		var s Sketch
		_, _ = s.Decode(b)
		_, _ = s.Decode(append([]byte{version}, b...))
	})
}

func TestDecodeRefusesAnotherVersion(t *testing.T) {
	var s Sketch
	_, err := s.Decode([]byte{version + 1, 0, 0})
	assert.ErrorContains(t, err, "version 2 is not known")
}

func TestWhatIsOutOfRangeIsCounted(t *testing.T) {
	s := of(-time.Second, 0, time.Nanosecond, 1000*time.Hour)
	assert.EqualValues(t, 4, s.Count())
	assert.Less(t, s.Quantile(0), time.Microsecond)
	assert.Greater(t, s.Quantile(1), time.Hour)
	assert.Zero(t, new(Sketch).Quantile(0.5))
	assert.LessOrEqual(t, index(time.Hour), buckets-1)
	assert.Greater(t, math.Pow(gamma, buckets-1)*float64(unit), float64(time.Hour))
}

func TestRecorderLosesNothing(t *testing.T) {
	var r Recorder
	var all Sketch
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			for n := range 1000 {
				r.Add(time.Duration(1000*n + i))
			}
		})
	}
	for range 50 {
		r.Take(&all)
	}
	writers.Wait()
	r.Take(&all)
	assert.EqualValues(t, 4000, all.Count())
	assert.Zero(t, testing.AllocsPerRun(100, func() { r.Add(time.Millisecond) }))
}
