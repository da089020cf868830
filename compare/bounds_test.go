package compare_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/compare"
)

// million returns a million lines, numbered from the given number on.
func million(from int64) []Line {
	lines := make([]Line, 1_000_000)
	for i := range lines {
		lines[i] = Line{ID: from + int64(i), Cents: from}
	}
	return lines
}

// cut asserts that a comparison kept within its limits and says that it left something out.
func cut(t *testing.T, diffs []compare.Diff) {
	t.Helper()
	require.NotEmpty(t, diffs)
	assert.LessOrEqual(t, len(diffs), compare.MaxDiffs+1)
	assert.Equal(t, compare.KindTruncated, diffs[len(diffs)-1].Kind, "the end says that it is not all")
	assert.Equal(t, compare.Mismatched, compare.Judge(diffs))
	for _, r := range compare.Records(compare.Record{}, (*compare.Rules)(nil).Apply(diffs)) {
		assert.True(t, r.Truncated, "and so does each record")
	}
}

func TestAMillionElementsThatAllDiffer(t *testing.T) {
	served, other := million(1), million(2_000_000)
	for name, run := range map[string]func(c *compare.Collector){
		"in order":   func(c *compare.Collector) { compare.Slice(c, "Lines", served, other, DiffLine) },
		"one longer": func(c *compare.Collector) { compare.Slice(c, "Lines", served, other[1:], DiffLine) },
		"by key": func(c *compare.Collector) {
			compare.UnorderedBy(c, "Lines", served[:100_000], other[:100_000], lineID, DiffLine)
		},
		"same keys": func(c *compare.Collector) {
			same := func(Line) int64 { return 1 }
			compare.UnorderedBy(c, "Lines", served, other, same, DiffLine)
		},
		"reflection": func(c *compare.Collector) { compare.Any(c, "Lines", served, other) },
	} {
		t.Run(name, func(t *testing.T) {
			var c compare.Collector
			allocs := testing.AllocsPerRun(1, func() {
				c = compare.Collector{}
				run(&c)
			})
			cut(t, c.Diffs())
			assert.Less(t, allocs, 30_000.0, "the work grows with what is reported, not with the length")
		})
	}
}

func TestOfAMillionElementsInAnotherOrderNothingIsSaid(t *testing.T) {
	served, other := million(1), million(2)
	for name, run := range map[string]func(c *compare.Collector){
		"by key":      func(c *compare.Collector) { compare.UnorderedBy(c, "Lines", served, other, lineID, DiffLine) },
		"without one": func(c *compare.Collector) { compare.Unordered(c, "Lines", served, other, DiffLine) },
		"documents": func(c *compare.Collector) {
			long := `["` + strings.Repeat("x", 10<<20)
			compare.JSON(c, "Document", long+`a"]`, long+`b"]`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var c compare.Collector
			run(&c)
			require.Len(t, c.Diffs(), 1)
			assert.Equal(t, compare.KindUncomparable, c.Diffs()[0].Kind)
			assert.Contains(t, c.Diffs()[0].Served, "too ")
		})
	}
}

func TestManyEntriesThatAllDiffer(t *testing.T) {
	served, other := map[int]string{}, map[int]string{}
	for i := range 100_000 {
		served[i], other[-i-1] = "served", "other"
	}
	var c compare.Collector
	compare.Map(&c, "Labels", served, other, compare.Values[string])
	cut(t, c.Diffs())
}

// What differs in ignored fields only must not hide what differs behind it, nor cost much.
func TestAMillionElementsOfWhichOneCounts(t *testing.T) {
	type noisy struct{ Noise, ID int }
	diff := func(served, other noisy) []compare.Diff {
		var c compare.Collector
		compare.Equal(&c, "Noise", served.Noise, other.Noise, compare.Ignore())
		compare.Equal(&c, "ID", served.ID, other.ID)
		return c.Diffs()
	}
	served, other := make([]noisy, 1_000_000), make([]noisy, 1_000_000)
	for i := range other {
		other[i].Noise = 1
	}
	other[999_999].ID = 1
	var c compare.Collector
	compare.Slice(&c, "", served, other, diff)
	require.Equal(t, compare.Mismatched, compare.Judge(c.Diffs()))
	assert.LessOrEqual(t, len(c.Diffs()), compare.MaxDiffs+1)
}

func TestHugeValuesHaveShortTexts(t *testing.T) {
	huge, other := strings.Repeat("x", 4<<20), strings.Repeat("y", 4<<20)
	entries := map[string]string{}
	for i := range 2000 {
		entries[fmt.Sprint(i)] = huge[:1<<14]
	}
	long := func(d compare.Diff) int { return len(d.Path) + len(d.Served) + len(d.Other) }
	for name, run := range map[string]func(c *compare.Collector){
		"text":               func(c *compare.Collector) { compare.Equal(c, "Text", huge, other) },
		"text that is safe":  func(c *compare.Collector) { compare.Equal(c, "Text", huge, other, compare.Safe()) },
		"bytes":              func(c *compare.Collector) { compare.Bytes(c, "Bytes", []byte(huge), []byte(other)) },
		"a list":             func(c *compare.Collector) { compare.Slice(c, "List", []string{huge}, nil, compare.Values[string]) },
		"a map":              func(c *compare.Collector) { compare.Any(c, "Map", entries, nil) },
		"a map that is safe": func(c *compare.Collector) { compare.Any(c, "Map", entries, nil, compare.Safe()) },
		"keys": func(c *compare.Collector) {
			compare.Map(c, "Map", map[string]int{huge: 1}, nil, compare.Values[int], compare.Safe())
		},
		"an error": func(c *compare.Collector) { c.Add(compare.Errors(fmt.Errorf("%s", huge), nil)[0]) },
	} {
		t.Run(name, func(t *testing.T) {
			var c compare.Collector
			run(&c)
			diffs := (&compare.Rules{Safe: []string{"error"}}).Apply(c.Diffs())
			require.NotEmpty(t, diffs)
			for _, d := range diffs {
				assert.Less(t, long(d), 1000)
			}
		})
	}
}

// tree holds itself by value, so that its comparator descends as deep as it is.
type tree []tree

func diffTree(served, other tree) []compare.Diff {
	var c compare.Collector
	compare.Slice(&c, "", served, other, diffTree)
	return c.Diffs()
}

func TestDeepNestingHasShortPaths(t *testing.T) {
	deep := func(levels int, leaf tree) tree {
		for range levels {
			leaf = tree{leaf}
		}
		return leaf
	}
	diffs := diffTree(deep(5000, tree{}), deep(5000, tree{{}}))
	require.NotEmpty(t, diffs)
	for _, d := range diffs {
		assert.LessOrEqual(t, len(d.Path), compare.MaxPath+10)
		assert.Contains(t, d.Path, "[...]", "it says that it was cut")
	}
	list := func(levels int, leaf any) any {
		for range levels {
			leaf = []any{leaf}
		}
		return leaf
	}
	diffs = compare.Deep(list(5000, 1), list(5000, 2))
	assert.Equal(t, compare.Inconclusive, compare.Judge(diffs), "reflection stops, and says so")
	for _, d := range diffs {
		assert.LessOrEqual(t, len(d.Path), compare.MaxPath+10)
	}
}

func TestRulesStillMatchPathsThatWereCut(t *testing.T) {
	var c compare.Collector
	name := strings.Repeat("N", 996)
	compare.Struct(&c, "Top", 1, 2, func(int, int) []compare.Diff {
		var inner compare.Collector
		compare.Struct(&inner, name, 1, 2, func(int, int) []compare.Diff {
			var inmost compare.Collector
			compare.Equal(&inmost, "Leaf", 1, 2)
			return inmost.Diffs()
		})
		return inner.Diffs()
	})
	require.Len(t, c.Diffs(), 1)
	assert.Equal(t, "Top[...]", c.Diffs()[0].Path)
	assert.Equal(t, compare.Ignored, compare.Judge((&compare.Rules{Ignore: []string{"Top"}}).Apply(c.Diffs())))
}
