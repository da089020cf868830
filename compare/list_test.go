package compare_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/stretchr/testify/assert"
)

func ordered[T comparable](served, other []T, options ...compare.Option) []string {
	return one(func(c *compare.Collector) { compare.Slice(c, "L", served, other, compare.Values[T], options...) })
}

func unordered[T comparable](served, other []T, options ...compare.Option) []string {
	return one(func(c *compare.Collector) { compare.Unordered(c, "L", served, other, compare.Values[T], options...) })
}

func multiset[T comparable](served, other []T, options ...compare.Option) []string {
	return one(func(c *compare.Collector) { compare.UnorderedValues(c, "L", served, other, options...) })
}

func byID(served, other []Line, options ...compare.Option) []string {
	return one(func(c *compare.Collector) {
		compare.UnorderedBy(c, "L", served, other, lineID, DiffLine, options...)
	})
}

func TestListsInOrder(t *testing.T) {
	for _, test := range []struct {
		promise       string
		served, other string
		want          []string
	}{
		{"equal lists", "abc", "abc", nil},
		{"a changed element", "abc", "axc", []string{"L[1] value"}},
		{"two swapped elements", "ab", "ba", []string{"L[0] value", "L[1] value"}},
		{"a missing element in the middle is not a change of all that follow", "abcd", "acd", []string{"L length", "L[1] missing"}},
		{"an extra element at the start", "bcd", "abcd", []string{"L length", "L[0] extra"}},
		{"an extra element at the end", "abc", "abcd", []string{"L length", "L[3] extra"}},
		{"a repeated element", "aab", "ab", []string{"L length", "L[1] missing"}},
		{"everything missing", "ab", "", []string{"L length", "L[0] missing", "L[1] missing"}},
		{"a change and a loss", "abcd", "axd", []string{"L length", "L[1] value", "L[2] missing"}},
	} {
		t.Run(test.promise, func(t *testing.T) {
			assert.Equal(t, test.want, ordered([]byte(test.served), []byte(test.other)))
		})
	}
}

func TestNilListDiffersFromEmptyUnlessSaid(t *testing.T) {
	for name, run := range map[string]func(a, b []int, o ...compare.Option) []string{
		"ordered": ordered[int], "unordered": unordered[int], "multiset": multiset[int],
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, []string{"L value"}, run(nil, []int{}))
			assert.Equal(t, []string{"L value"}, run([]int{}, nil))
			assert.Empty(t, run(nil, []int{}, compare.NilEmpty()))
			assert.Empty(t, run(nil, nil))
			assert.Equal(t, []string{"L value ignored"}, run(nil, []int{}, compare.Ignore()))
		})
	}
}

func TestIgnoredListGivesOneIgnoredDifference(t *testing.T) {
	assert.Equal(t, []string{"L[0] value ignored"}, ordered([]int{1, 2}, []int{3, 4}, compare.Ignore()))
	assert.Equal(t, []string{"L length ignored"}, ordered([]int{1, 2}, []int{3}, compare.Ignore()))
	assert.Equal(t, []string{"L length ignored"}, byID([]Line{{ID: 1}}, nil, compare.Ignore()))
}

func TestListsWithoutOrder(t *testing.T) {
	for _, test := range []struct {
		promise       string
		served, other string
		want          []string
	}{
		{"another order is equal", "abcb", "bbca", nil},
		{"trap 5: paired duplicates do not cancel out", "aab", "abb", []string{"L[1] value"}},
		{"trap 5: pairs that XOR would cancel", "aa", "bb", []string{"L[0] missing", "L[1] missing", "L[0] extra", "L[1] extra"}},
		{"one changed element is shown as changed", "abc", "cbx", []string{"L[0] value"}},
		{"one missing element", "abc", "cb", []string{"L length", "L[0] missing"}},
		{"one extra element", "ab", "bca", []string{"L length", "L[1] extra"}},
	} {
		t.Run(test.promise, func(t *testing.T) {
			assert.Equal(t, test.want, unordered([]byte(test.served), []byte(test.other)))
		})
	}
	t.Run("trap 5: values are never joined without separators", func(t *testing.T) {
		assert.Len(t, unordered([]string{"ab", "c"}, []string{"a", "bc"}), 4)
		assert.Len(t, multiset([]string{"ab", "c"}, []string{"a", "bc"}), 4)
	})
	t.Run("values by == are matched as often as they occur", func(t *testing.T) {
		assert.Empty(t, multiset([]byte("abcb"), []byte("bbca")))
		assert.Equal(t, []string{"L[1] missing", "L[2] extra"}, multiset([]byte("aab"), []byte("abb")))
		assert.Empty(t, multiset([]float64{1, math.NaN(), math.NaN()}, []float64{math.NaN(), 1, math.NaN()}))
		assert.Equal(t, []string{"L[0] missing", "L[0] extra"}, multiset([]float64{math.NaN(), 1}, []float64{2, 1}))
	})
	t.Run("an element that differs in ignored fields only is matched and counted as ignored", func(t *testing.T) {
		type row struct{ ID, Noise int }
		diffRow := func(served, other row) []compare.Diff {
			var c compare.Collector
			compare.Equal(&c, "ID", served.ID, other.ID)
			compare.Equal(&c, "Noise", served.Noise, other.Noise, compare.Ignore())
			return c.Diffs()
		}
		var c compare.Collector
		compare.Unordered(&c, "L", []row{{1, 1}, {2, 2}}, []row{{2, 2}, {1, 9}}, diffRow)
		assert.Equal(t, []string{"L[0].Noise value ignored"}, summary(c.Diffs()))
	})
	t.Run("lists too long to match are uncomparable and not equal", func(t *testing.T) {
		served := make([]int, 5000)
		for i := range served {
			served[i] = i
		}
		other := slices.Clone(served)
		slices.Reverse(other)
		assert.Equal(t, []string{"L uncomparable"}, unordered(served, other))
		assert.Empty(t, multiset(served, other))
	})
}

func TestLongListsStopAndSaySo(t *testing.T) {
	long, none := make([]Line, 3000), []Line{}
	for i := range long {
		long[i] = Line{ID: int64(i), Cents: 1}
	}
	changed := slices.Clone(long)
	for i := range changed {
		changed[i].Cents = 2
	}
	for promise, compareList := range map[string]func(*compare.Collector){
		"all missing":                func(c *compare.Collector) { compare.Slice(c, "L", long, none, DiffLine) },
		"all extra, without order":   func(c *compare.Collector) { compare.Unordered(c, "L", none, long, DiffLine) },
		"all changed, by key":        func(c *compare.Collector) { compare.UnorderedBy(c, "L", long, reversed(changed), lineID, DiffLine) },
		"all changed, one more":      func(c *compare.Collector) { compare.Slice(c, "L", long, changed[1:], DiffLine) },
		"all changed, keys in place": func(c *compare.Collector) { compare.UnorderedBy(c, "L", long, changed, lineID, DiffLine) },
	} {
		t.Run(promise, func(t *testing.T) {
			var c compare.Collector
			compareList(&c)
			assert.Equal(t, compare.Mismatched, compare.Judge(c.Diffs()))
			assert.True(t, c.Truncated())
			assert.LessOrEqual(t, len(c.Diffs()), 3*compare.MaxDiffsPerField)
		})
	}
}

func lineID(l Line) int64 { return l.ID }

func reversed(list []Line) []Line {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

func TestListsByKey(t *testing.T) {
	served := []Line{{1, 10}, {2, 20}, {3, 30}}
	assert.Empty(t, byID(served, []Line{{3, 30}, {1, 10}, {2, 20}}))
	assert.Equal(t, []string{"L[1].Cents value"}, byID(served, []Line{{3, 30}, {1, 10}, {2, 21}}))
	assert.Equal(t, []string{"L[1].Cents value"}, byID(served, []Line{{1, 10}, {2, 21}, {3, 30}}), "keys in place")
	assert.Equal(t, []string{"L length", "L[0] missing"}, byID(served, []Line{{3, 30}, {2, 20}}))
	assert.Equal(t, []string{"L[2] missing", "L[0] extra"}, byID(served, []Line{{4, 30}, {1, 10}, {2, 20}}))
	assert.Equal(t, []string{"L[1].Cents value"}, byID([]Line{{1, 1}, {1, 2}, {2, 0}}, []Line{{2, 0}, {1, 1}, {1, 1}}),
		"trap 5: elements that share a key are matched in turn")
	t.Run("trap 3: two values swapped between rows are two differences", func(t *testing.T) {
		assert.Equal(t, []string{"L[0].Cents value", "L[1].Cents value"}, byID([]Line{{1, 10}, {2, 20}}, []Line{{2, 10}, {1, 20}}))
	})
}

func TestMaps(t *testing.T) {
	run := func(served, other map[string]int, options ...compare.Option) []compare.Diff {
		var c compare.Collector
		compare.Map(&c, "M", served, other, compare.Values[int], options...)
		return c.Diffs()
	}
	served := map[string]int{"a": 1, "b": 2, "c": 3}
	assert.Empty(t, run(served, map[string]int{"c": 3, "b": 2, "a": 1}))
	t.Run("keys are data and stand hashed in paths", func(t *testing.T) {
		diffs := run(map[string]int{"ada@example.org": 1}, nil, compare.NilEmpty())
		assert.Equal(t, compare.KindMissing, diffs[0].Kind)
		assert.Equal(t, "M["+compare.RedactKey(nil, "ada@example.org")+"]", diffs[0].Path)
	})
	t.Run("safe keys are shown, in order", func(t *testing.T) {
		assert.Equal(t, []string{`M["a"] missing`, `M["b"] value`, `M["d"] extra`},
			summary(run(served, map[string]int{"b": 9, "c": 3, "d": 4}, compare.Safe())))
	})
	t.Run("nil differs from empty unless said", func(t *testing.T) {
		assert.Equal(t, []string{"M value"}, summary(run(nil, map[string]int{})))
		assert.Empty(t, run(nil, map[string]int{}, compare.NilEmpty()))
		assert.Len(t, run(nil, map[string]int{"a": 1}, compare.NilEmpty()), 1)
	})
	t.Run("a missing key differs from a zero value", func(t *testing.T) {
		assert.Len(t, run(map[string]int{"a": 0}, map[string]int{"b": 0}), 2)
	})
	t.Run("keys that are no text but look like it are told apart", func(t *testing.T) {
		var c compare.Collector
		compare.Map(&c, "M", map[any]int{"1": 1}, map[any]int{1: 1}, compare.Values[int], compare.Safe())
		assert.Equal(t, []string{`M["1"] missing`, `M[1] extra`}, summary(c.Diffs()))
	})
	t.Run("safe keys of any text make paths that rules can read", func(t *testing.T) {
		for _, key := range []string{`a"]b`, "a.b", "[", "]", "", strings.Repeat("long", 100)} {
			diffs := run(map[string]int{key: 1}, map[string]int{key: 2}, compare.Safe())
			assert.Equal(t, "M[*]", compare.Pattern(diffs[0].Path), key)
		}
	})
	t.Run("NaN keys, which no lookup finds, are matched by what they hold", func(t *testing.T) {
		nan := func(values ...int) map[float64]int {
			m := map[float64]int{}
			for _, v := range values {
				m[math.NaN()] = v
			}
			return m
		}
		diff := func(served, other map[float64]int) []string {
			return one(func(c *compare.Collector) { compare.Map(c, "M", served, other, compare.Values[int]) })
		}
		assert.Empty(t, diff(nan(1, 2), nan(2, 1)))
		assert.NotEmpty(t, diff(nan(1, 2), nan(2, 2)))
		assert.NotEmpty(t, diff(nan(1), nan()))
	})
	t.Run("a large ignored map is ignored, not truncated", func(t *testing.T) {
		served, other := map[int]int{}, map[int]int{}
		for i := range 2000 {
			served[i], other[i] = 1, 2
		}
		var c compare.Collector
		compare.Map(&c, "M", served, other, compare.Values[int], compare.Ignore())
		assert.Equal(t, compare.Ignored, compare.Judge(c.Diffs()))
		c = compare.Collector{}
		compare.Map(&c, "M", served, other, compare.Values[int])
		assert.True(t, c.Truncated())
		assert.Equal(t, compare.Mismatched, compare.Judge(c.Diffs()))
	})
}
