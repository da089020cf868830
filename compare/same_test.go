package compare_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/compare"
)

func TestSameTextIsWhatTheOperatorSays(t *testing.T) {
	for n := range 70 {
		text := strings.Repeat("abcdefghij", 7)[:n]
		assert.True(t, compare.SameText(text, string([]byte(text))), n)
		assert.False(t, compare.SameText(text, text+"x"), n)
		for i := range n { // each byte counts
			other := []byte(text)
			other[i]++
			assert.False(t, compare.SameText(text, string(other)), "%d of %d", i, n)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		require.Equal(t, a == b, compare.SameText(a, b))
	})
}

// What is the same must be what a comparison without options finds no
// difference in.
func TestSameNeverCallsDifferentValuesEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b"}), -1, 3)
		maps := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b"}), rapid.SampledFrom([]string{"x", "y"}), -1, 2)
		a, b := texts.Draw(t, "a"), texts.Draw(t, "b")
		if rapid.Bool().Draw(t, "nil") && len(a) == 0 {
			a = nil
		}
		if compare.SameValues(a, b) || compare.SameList(a, b, compare.SameValue[string]) || compare.SameArray(a, b, compare.Values[string]) {
			require.Empty(t, found(func(c *compare.Collector) { compare.Slice(c, "", a, b, compare.Values[string]) }))
		}
		m, n := maps.Draw(t, "m"), maps.Draw(t, "n")
		if compare.SameMap(m, n, compare.Values[string]) {
			require.Empty(t, found(func(c *compare.Collector) { compare.Map(c, "", m, n, compare.Values[string]) }))
		}
		if compare.SameAny[any](a, b) {
			require.Empty(t, compare.Deep[any](a, b))
		}
		if compare.SameAny[any](m, n) {
			require.Empty(t, compare.Deep[any](m, n))
		}
	})
}

func found(run func(*compare.Collector)) []compare.Diff {
	var c compare.Collector
	run(&c)
	return c.Diffs()
}

func TestSameTellsNilFromEmptyAndOneNilFromAnother(t *testing.T) {
	assert.False(t, compare.SameValues(nil, []int{}))
	assert.False(t, compare.SameList(nil, []int{}, compare.SameValue[int]))
	assert.False(t, compare.SameArray(nil, []int{}, compare.Values[int]))
	assert.False(t, compare.SameBytes([]byte(nil), []byte{}))
	assert.False(t, compare.SameMap(nil, map[int]int{}, compare.Values[int]))
	assert.True(t, compare.SamePointer(nil, nil, compare.SameValue[int]))
	assert.False(t, compare.SamePointer(new(1), nil, compare.SameValue[int]))
	assert.False(t, compare.SamePointer(nil, new(1), compare.SameValue[int]))
	assert.True(t, compare.SamePointer(new(1), new(1), compare.SameValue[int]))
	at := time.Unix(1, 0)
	assert.True(t, compare.SameTime(&at, new(at.UTC())))
	assert.False(t, compare.SameTime(&at, new(at.Add(1))))
}

func TestSameSurvivesFunctionsThatPanic(t *testing.T) {
	assert.False(t, compare.SameBy(1, 1, func(int, int) bool { panic("boom") }))
	assert.False(t, compare.SameMethod(panicky{}, panicky{}))
}

type panicky struct{}

func (panicky) Equal(panicky) bool { panic("boom") }
