package compare_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// summary writes differences as "path kind", which is what most tests are about.
func summary(diffs []compare.Diff) []string {
	var lines []string
	for _, d := range diffs {
		line := strings.TrimSpace(d.Path + " " + string(d.Kind))
		if d.Ignored {
			line += " ignored"
		}
		lines = append(lines, line)
	}
	return lines
}

func TestPanicInAComparatorIsInconclusiveAndNeverEqual(t *testing.T) {
	var nobody *Customer
	diffs := compare.Run(func(served, other *Customer) []compare.Diff {
		return compare.Values(served.Name, other.Name)
	}, nobody, nobody)
	assert.Equal(t, []string{"panic"}, summary(diffs))
	assert.Equal(t, compare.Inconclusive, compare.Judge(diffs))
}

func TestTextOfAPanicIsNotShownSinceItMayHoldData(t *testing.T) {
	diffs := compare.Run(func(string, string) []compare.Diff { panic("ada@example.org") }, "", "")
	assert.NotContains(t, fmt.Sprintf("%+v %s", diffs, diffs), "ada@example.org")
}

func TestRunWithoutAComparatorComparesByReflection(t *testing.T) {
	assert.Nil(t, compare.Run(nil, []int{1}, []int{1}))
	assert.Equal(t, []string{"[0] value"}, summary(compare.Run(nil, []int{1}, []int{2})))
}

func TestVerdictIsTheStrongestThatTheDifferencesAllow(t *testing.T) {
	value := compare.Diff{Kind: compare.KindValue}
	ignored := compare.Diff{Kind: compare.KindValue, Ignored: true}
	unknown := compare.Diff{Kind: compare.KindUncomparable}
	truncated := compare.Diff{Kind: compare.KindTruncated}
	for _, test := range []struct {
		promise string
		diffs   []compare.Diff
		want    compare.Verdict
	}{
		{"no difference is a match", nil, compare.Matched},
		{"ignored is not matched", []compare.Diff{ignored}, compare.Ignored},
		{"what cannot be judged is not ignored", []compare.Diff{ignored, unknown}, compare.Inconclusive},
		{"what was left out may have counted", []compare.Diff{ignored, truncated}, compare.Inconclusive},
		{"one difference that counts is a mismatch", []compare.Diff{unknown, ignored, value}, compare.Mismatched},
	} {
		t.Run(test.promise, func(t *testing.T) { assert.Equal(t, test.want, compare.Judge(test.diffs)) })
	}
	assert.Equal(t, "matched ignored inconclusive mismatched verdict(9)",
		fmt.Sprint(compare.Matched, " ", compare.Ignored, " ", compare.Inconclusive, " ", compare.Mismatched, " ", compare.Verdict(9)))
}

func TestCollectorIsBoundedAndKeepsWhatDecides(t *testing.T) {
	add := func(c *compare.Collector, from, to int, kind compare.Kind, ignored bool) {
		for i := from; i < to; i++ {
			c.Add(compare.Diff{Path: fmt.Sprintf("Field%d", i), Kind: kind, Ignored: ignored})
		}
	}
	t.Run("no more than MaxDiffs and a marker", func(t *testing.T) {
		var c compare.Collector
		add(&c, 0, 1000, compare.KindValue, false)
		require.Len(t, c.Diffs(), compare.MaxDiffs+1)
		assert.Equal(t, compare.KindTruncated, c.Diffs()[compare.MaxDiffs].Kind)
		assert.True(t, c.Truncated())
	})
	t.Run("a marker names what was left out, or everything", func(t *testing.T) {
		var c compare.Collector
		c.Add(compare.Diff{Path: "Lines", Kind: compare.KindTruncated})
		c.Add(compare.Diff{Path: "Lines", Kind: compare.KindTruncated})
		assert.Equal(t, []string{"Lines truncated"}, summary(c.Diffs()))
		c.Add(compare.Diff{Path: "Tags", Kind: compare.KindTruncated})
		assert.Equal(t, []string{"truncated"}, summary(c.Diffs()))
	})
	t.Run("asking twice gives the same answer", func(t *testing.T) {
		var c compare.Collector
		add(&c, 0, 1000, compare.KindValue, false)
		assert.Equal(t, c.Diffs(), c.Diffs())
	})
	t.Run("ignored differences never crowd out one that counts", func(t *testing.T) {
		var c compare.Collector
		add(&c, 0, 500, compare.KindValue, true)
		assert.Equal(t, compare.Ignored, compare.Judge(c.Diffs()))
		add(&c, 500, 501, compare.KindValue, false)
		assert.Equal(t, compare.Mismatched, compare.Judge(c.Diffs()))
		assert.False(t, c.Truncated())
	})
	t.Run("doubts never crowd out a proof", func(t *testing.T) {
		var c compare.Collector
		add(&c, 0, 500, compare.KindUncomparable, false)
		add(&c, 500, 501, compare.KindValue, false)
		assert.Equal(t, compare.Mismatched, compare.Judge(c.Diffs()))
	})
	t.Run("a noisy field of a long list does not hide the others", func(t *testing.T) {
		type row struct{ Noise, Cents int }
		diffRow := func(served, other row) []compare.Diff {
			var c compare.Collector
			compare.Equal(&c, "Noise", served.Noise, other.Noise)
			compare.Equal(&c, "Cents", served.Cents, other.Cents)
			return c.Diffs()
		}
		served, other := make([]row, 200), make([]row, 200)
		for i := range other {
			other[i].Noise = i + 1
		}
		other[199].Cents = 1
		var c compare.Collector
		compare.Slice(&c, "", served, other, diffRow)
		rules := &compare.Rules{Ignore: []string{"Noise"}}
		assert.Equal(t, compare.Mismatched, compare.Judge(rules.Apply(c.Diffs())))
	})
}

func TestDifferencesPastTheLimitOfAListAreInconclusiveWhenTheRestIsIgnored(t *testing.T) {
	served, other := make([]int, 5000), make([]int, 5000)
	for i := range other {
		other[i] = 1
	}
	var c compare.Collector
	compare.Slice(&c, "Lines", served, other, compare.Values[int])
	assert.True(t, c.Truncated())
	assert.Equal(t, compare.Mismatched, compare.Judge(c.Diffs()))
	whole := &compare.Rules{Ignore: []string{"Lines"}}
	assert.Equal(t, compare.Ignored, compare.Judge(whole.Apply(c.Diffs())), "what is ignored may be as long as it likes")
	elements := &compare.Rules{Ignore: []string{"Lines[*]"}}
	assert.Equal(t, compare.Inconclusive, compare.Judge(elements.Apply(c.Diffs())))
}

func sorted(lines []string) []string {
	slices.Sort(lines)
	return lines
}

var hash = regexp.MustCompile("#[0-9a-f]{12}")

// hideHashes makes keyed hashes, which are new in each process, readable in tests, and sorts.
func hideHashes(lines []string) []string {
	for i := range lines {
		lines[i] = hash.ReplaceAllString(lines[i], "#0")
	}
	return sorted(lines)
}
