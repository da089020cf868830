package compare_test

import (
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/stretchr/testify/assert"
)

// one runs one field's comparison.
func one(compareField func(c *compare.Collector)) []string {
	var c compare.Collector
	compareField(&c)
	return summary(c.Diffs())
}

func equal[T comparable](served, other T, options ...compare.Option) []string {
	return one(func(c *compare.Collector) { compare.Equal(c, "F", served, other, options...) })
}

func number[T compare.Numeric](served, other T, options ...compare.Option) []string {
	return one(func(c *compare.Collector) { compare.Number(c, "F", served, other, options...) })
}

func instants(served, other time.Time, options ...compare.Option) []string {
	return one(func(c *compare.Collector) { compare.Time(c, "F", served, other, options...) })
}

func TestEqualComparesValues(t *testing.T) {
	assert.Empty(t, equal("a", "a"))
	assert.Equal(t, []string{"F value"}, equal("a", "b"))
	assert.Equal(t, []string{"F value ignored"}, equal("a", "b", compare.Ignore()))
	assert.Empty(t, equal(math.NaN(), math.NaN()), "NaN equals NaN")
	assert.Empty(t, equal(math.Copysign(0, -1), 0), "-0 equals 0")
	assert.Equal(t, []string{"F value"}, equal(math.NaN(), 0))
}

func TestTimesAreComparedAsInstants(t *testing.T) {
	at := time.Date(2024, 5, 17, 8, 30, 0, 123_456_789, time.UTC)
	value := []string{"F value"}
	assert.Empty(t, instants(at, at.In(time.FixedZone("", 3600))), "trap 6: the text of a time follows the time zone, the instant does not")
	assert.Empty(t, instants(at, at.Truncate(time.Microsecond)), "trap 8: PostgreSQL cuts nanoseconds")
	assert.Empty(t, instants(at, at.Round(time.Microsecond)), "trap 8: PostgreSQL rounds nanoseconds")
	assert.Equal(t, value, instants(at, at.Add(time.Microsecond)))
	assert.Equal(t, value, instants(at, at.Add(-time.Microsecond)))
	assert.Equal(t, value, instants(at, at.Add(1), compare.Within(0)), "within=0s asks for the nanosecond")
	assert.Empty(t, instants(at, at.Add(time.Second), compare.Within(time.Second)))
	assert.Equal(t, value, instants(at, at.Add(time.Second+1), compare.Within(time.Second)))
	assert.Equal(t, value, instants(at, at.Add(time.Second), compare.Tolerance(1e12)), "a numeric tolerance means nothing to a time")
	assert.Equal(t, value, instants(time.Time{}, time.Unix(1<<62, 0)), "times too far apart for a Duration")
	now := time.Now()
	assert.Empty(t, instants(now, now.Round(0)), "a monotonic reading means nothing")
}

func TestNumbersHaveTolerances(t *testing.T) {
	value := []string{"F value"}
	assert.Empty(t, number(1.0, 1.1, compare.Tolerance(0.1)), "binary fractions are taken as they print")
	assert.Equal(t, value, number(1.0, 1.1, compare.Tolerance(0.09)))
	assert.Empty(t, number(float32(1), float32(1.1), compare.Tolerance(0.1)))
	assert.Equal(t, value, number(float32(1), float32(1.2), compare.Tolerance(0.1)))
	assert.Equal(t, value, number(1e18, 1e18+128, compare.Tolerance(0.01)))
	assert.Equal(t, value, number(1, 2))
	assert.Empty(t, number(1, 2, compare.Tolerance(1)))
	assert.Equal(t, value, number(int64(math.MinInt64), int64(math.MaxInt64), compare.Tolerance(10)), "no overflow")
	assert.Empty(t, number(uint64(math.MaxUint64), math.MaxUint64-1, compare.Tolerance(1)))
	assert.Equal(t, value, number(int8(-128), int8(127), compare.Tolerance(254)))
	assert.Empty(t, number(int8(-128), int8(127), compare.Tolerance(255)))
	assert.Empty(t, number(time.Second, time.Second+time.Millisecond, compare.Within(time.Millisecond)))
	assert.Empty(t, number(math.NaN(), math.NaN()))
	assert.Empty(t, number(math.Inf(1), math.Inf(1), compare.Tolerance(1)))
	assert.Equal(t, value, number(math.Inf(1), 1, compare.Tolerance(math.MaxFloat64)))
	assert.Equal(t, value, number(math.Inf(1), math.Inf(-1), compare.Tolerance(1)))
	assert.Equal(t, value, number(math.NaN(), 1, compare.Tolerance(1)))
	assert.Equal(t, value, number(1, 2, compare.Tolerance(math.NaN())), "a tolerance that is no number forgives nothing")
	assert.Equal(t, value, number(1.0, 2, compare.Tolerance(-5)))
}

func TestBytesNilDiffersFromEmptyUnlessSaid(t *testing.T) {
	run := func(served, other []byte, options ...compare.Option) []string {
		return one(func(c *compare.Collector) { compare.Bytes(c, "F", served, other, options...) })
	}
	assert.Empty(t, run([]byte("a"), []byte("a")))
	assert.Equal(t, []string{"F value"}, run(nil, []byte{}))
	assert.Empty(t, run(nil, []byte{}, compare.NilEmpty()))
	assert.Equal(t, []string{"F value"}, run(nil, []byte("a"), compare.NilEmpty()))
}

func TestOptionsAddUpAndTheLaterOneHolds(t *testing.T) {
	assert.Equal(t, []string{"F value ignored"}, number(1, 3, compare.Ignore(), compare.Tolerance(1), compare.Safe()))
	assert.Empty(t, number(1, 3, compare.Tolerance(2), compare.Ignore()))
	assert.Equal(t, []string{"F value"}, number(1, 3, compare.Tolerance(2), compare.Tolerance(1)))
	at := time.Unix(1, 0)
	assert.Empty(t, instants(at, at.Add(2), compare.Within(0), compare.Within(2)))
}

func TestPointersAreComparedByWhatTheyPointTo(t *testing.T) {
	run := func(served, other *string, options ...compare.Option) []string {
		return one(func(c *compare.Collector) { compare.Pointer(c, "F", served, other, compare.Values[string], options...) })
	}
	assert.Empty(t, run(new("a"), new("a")))
	assert.Empty(t, run(nil, nil))
	assert.Equal(t, []string{"F value"}, run(new("a"), new("b")))
	assert.Equal(t, []string{"F missing"}, run(new("a"), nil))
	assert.Equal(t, []string{"F extra"}, run(nil, new("")))
	assert.Empty(t, run(nil, new(""), compare.NilEmpty()))
	assert.Empty(t, run(new(""), nil, compare.NilEmpty()))
	assert.Equal(t, []string{"F missing"}, run(new("a"), nil, compare.NilEmpty()))
}

func TestIgnoredSubtreeGivesOneIgnoredDifferenceWithoutValues(t *testing.T) {
	var c compare.Collector
	compare.Struct(&c, "Address", Address{"a", "b"}, Address{"c", "d"}, DiffAddress, compare.Ignore())
	assert.Equal(t, []compare.Diff{{Path: "Address", Kind: compare.KindValue, Ignored: true}}, c.Diffs())
}

func TestSafeSubtreeShowsItsValues(t *testing.T) {
	var c compare.Collector
	compare.Struct(&c, "Address", Address{"a", "b"}, Address{"a", "d"}, DiffAddress, compare.Safe())
	assert.Equal(t, `Address.City: value: served "b", other "d"`, c.Diffs()[0].String())
}

func TestOwnFunctions(t *testing.T) {
	trimmed := func(served, other string) bool { return trimPadding(served) == trimPadding(other) }
	t.Run("trap 6: padding of char(n) differs, and a function of one's own forgives it", func(t *testing.T) {
		assert.Equal(t, []string{"F value"}, equal("DE", "DE   "))
		assert.Empty(t, one(func(c *compare.Collector) { compare.Custom(c, "F", "DE", "DE   ", trimmed) }))
		assert.Equal(t, []string{"F value"}, one(func(c *compare.Collector) { compare.Custom(c, "F", "DE", "FR", trimmed) }))
	})
	t.Run("a panic makes the field inconclusive and leaves the others", func(t *testing.T) {
		broken := func(string, string) bool { panic("no") }
		assert.Equal(t, []string{"F panic", "G value"}, one(func(c *compare.Collector) {
			compare.Custom(c, "F", "a", "a", broken)
			compare.Equal(c, "G", 1, 2)
		}))
		assert.Empty(t, one(func(c *compare.Collector) { compare.Custom(c, "F", "a", "a", broken, compare.Ignore()) }))
	})
	t.Run("a method Equal decides", func(t *testing.T) {
		run := func(served, other net.IP) []string {
			return one(func(c *compare.Collector) { compare.Method(c, "F", served, other) })
		}
		assert.Empty(t, run(net.IPv4(1, 2, 3, 4), net.IPv4(1, 2, 3, 4).To4()))
		assert.Equal(t, []string{"F value"}, run(net.IPv4(1, 2, 3, 4), nil))
	})
}

func trimPadding(s string) string {
	return strings.TrimRight(s, " ")
}

func TestReadyFuncs(t *testing.T) {
	assert.Empty(t, compare.Values(1, 1))
	assert.Len(t, compare.Values(1, 2), 1)
	assert.Empty(t, compare.Times(time.Unix(0, 1), time.Unix(0, 2)))
	assert.Len(t, compare.Times(time.Unix(0, 1), time.Unix(1, 2)), 1)
	assert.Empty(t, compare.Numbers(math.NaN(), math.NaN()))
	assert.Len(t, compare.Numbers(1, 2), 1)
	assert.Empty(t, compare.Deep([]int{1}, []int{1}))
}
