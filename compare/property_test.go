package compare_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// rich holds one field of each sort that a comparator knows.
type rich struct {
	Name    string
	Score   float64
	At      time.Time
	Address Address
	Nick    *string
	Lines   []Line
	Tags    []string
	Labels  map[string]int
	Raw     []byte
}

func diffRich(served, other rich) []compare.Diff {
	var c compare.Collector
	compare.Equal(&c, "Name", served.Name, other.Name)
	compare.Number(&c, "Score", served.Score, other.Score)
	compare.Time(&c, "At", served.At, other.At)
	compare.Struct(&c, "Address", served.Address, other.Address, DiffAddress)
	compare.Pointer(&c, "Nick", served.Nick, other.Nick, compare.Values[string])
	compare.Slice(&c, "Lines", served.Lines, other.Lines, DiffLine)
	compare.Slice(&c, "Tags", served.Tags, other.Tags, compare.Values[string])
	compare.Map(&c, "Labels", served.Labels, other.Labels, compare.Values[int])
	compare.Bytes(&c, "Raw", served.Raw, other.Raw)
	return c.Diffs()
}

var (
	words   = rapid.StringMatching(`[a-c]{0,2}`)
	small   = rapid.Int64Range(0, 2)
	lines   = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Line { return Line{small.Draw(t, "id"), small.Draw(t, "cents")} }), 0, 4)
	anyRich = rapid.Custom(func(t *rapid.T) rich {
		r := rich{
			Name: words.Draw(t, "name"), Score: rapid.Float64().Draw(t, "score"), At: time.UnixMicro(small.Draw(t, "at")),
			Address: Address{City: words.Draw(t, "city")}, Lines: lines.Draw(t, "lines"),
			Tags:   rapid.SliceOfN(words, 0, 3).Draw(t, "tags"),
			Labels: rapid.MapOfN(words, rapid.IntRange(0, 2), 0, 3).Draw(t, "labels"), Raw: []byte(words.Draw(t, "raw")),
		}
		if rapid.Bool().Draw(t, "has nick") {
			r.Nick = new(words.Draw(t, "nick"))
		}
		return r
	})
)

// copied shares no memory with r.
func copied(r rich) rich {
	if r.Nick != nil {
		r.Nick = new(*r.Nick)
	}
	r.Lines, r.Tags, r.Raw, r.Labels = slices.Clone(r.Lines), slices.Clone(r.Tags), slices.Clone(r.Raw), maps.Clone(r.Labels)
	return r
}

func TestEveryValueEqualsACopyOfItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRich.Draw(t, "value")
		assert.Empty(t, diffRich(r, copied(r)))
		assert.Empty(t, compare.Deep(r, copied(r)))
	})
}

func TestComparisonIsSymmetricAndAgreesWithReflection(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyRich.Draw(t, "a"), anyRich.Draw(t, "b")
		verdict := compare.Judge(diffRich(a, b))
		assert.Equal(t, verdict, compare.Judge(diffRich(b, a)))
		assert.Equal(t, verdict, compare.Judge(compare.Deep(a, b)))
		mirror := map[compare.Kind]compare.Kind{compare.KindMissing: compare.KindExtra, compare.KindExtra: compare.KindMissing}
		kinds := func(diffs []compare.Diff, turn bool) map[compare.Kind]int {
			counts := map[compare.Kind]int{}
			for _, d := range diffs {
				if to, ok := mirror[d.Kind]; ok && turn {
					d.Kind = to
				}
				counts[d.Kind]++
			}
			return counts
		}
		assert.Equal(t, kinds(diffRich(a, b), false), kinds(diffRich(b, a), true), "missing on one side is extra on the other")
	})
}

func TestEveryChangeIsFoundUnderItsPath(t *testing.T) {
	changes := map[string]func(*rich){
		"Name":         func(r *rich) { r.Name += "x" },
		"At":           func(r *rich) { r.At = r.At.Add(time.Microsecond) },
		"Address.City": func(r *rich) { r.Address.City += "x" },
		"Nick":         func(r *rich) { r.Nick = new("nick") },
		"Lines":        func(r *rich) { r.Lines = append(r.Lines, Line{}) },
		"Tags":         func(r *rich) { r.Tags = append([]string{"x"}, r.Tags...) },
		"Labels[*]":    func(r *rich) { r.Labels["x"]++ },
		"Raw":          func(r *rich) { r.Raw = append(r.Raw, 'x') },
	}
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.SampledFrom(slices.Sorted(maps.Keys(changes))).Draw(t, "path")
		r := anyRich.Draw(t, "value")
		changed := copied(r)
		changes[path](&changed)
		diffs := diffRich(r, changed)
		require.NotEmpty(t, diffs)
		for _, d := range (&compare.Rules{Ignore: []string{path}}).Apply(diffs) {
			assert.True(t, d.Ignored, "%s is not at %s", d, path)
		}
	})
}

func TestListsWithoutOrderAreEqualIfAndOnlyIfTheirSortedFormsAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOfN(rapid.IntRange(0, 3), 0, 6).Draw(t, "a")
		b := rapid.OneOf(rapid.SliceOfN(rapid.IntRange(0, 3), 0, 6), rapid.Permutation(a)).Draw(t, "b")
		want := slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
		nilEmpty := compare.NilEmpty()
		assert.Equal(t, want, unordered(a, b, nilEmpty) == nil)
		assert.Equal(t, want, multiset(a, b, nilEmpty) == nil)
		assert.Equal(t, slices.Equal(a, b), ordered(a, b, nilEmpty) == nil)
	})
}

func TestMissingAndExtraElementsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.IntRange(0, 3), 0, 7)
		a, b := list.Draw(t, "a"), list.Draw(t, "b")
		for _, run := range []func(a, b []int, o ...compare.Option) []string{ordered[int], unordered[int], multiset[int]} {
			missing, extra := 0, 0
			for _, line := range run(a, b) {
				var at int
				if n, _ := fmt.Sscanf(line, "L[%d] missing", &at); n == 1 && line == fmt.Sprintf("L[%d] missing", at) {
					missing++
					assert.Less(t, at, len(a))
				} else if line == fmt.Sprintf("L[%d] extra", at) {
					extra++
					assert.Less(t, at, len(b))
				}
			}
			assert.Equal(t, len(a)-len(b), missing-extra)
		}
	})
}

func TestPathIsNamedByItsPattern(t *testing.T) {
	part := rapid.OneOf(rapid.StringMatching(`\.?[A-Z][a-z]{0,2}`), rapid.StringMatching(`\[[0-9]\]`),
		rapid.Map(rapid.String(), func(s string) string { return fmt.Sprintf("[%q]", s) }))
	rapid.Check(t, func(t *rapid.T) {
		path := "F"
		for _, p := range rapid.SliceOfN(part, 0, 5).Draw(t, "parts") {
			path += p
		}
		pattern := compare.Pattern(path)
		assert.Equal(t, pattern, compare.Pattern(pattern))
		rules := &compare.Rules{Ignore: []string{pattern}}
		assert.True(t, rules.Apply([]compare.Diff{{Path: path}})[0].Ignored, "%s does not name %s", pattern, path)
	})
}

func FuzzPathsOfAnyTextAreHarmless(f *testing.F) {
	f.Add("A.B[3]", "A")
	f.Add(`["`, "[*]")
	f.Fuzz(func(t *testing.T, path, pattern string) {
		if again := compare.Pattern(compare.Pattern(path)); again != compare.Pattern(path) {
			t.Fatalf("pattern of %q is not its own: %q", path, again)
		}
		rules, err := compare.NewRules(compare.Rules{Ignore: []string{pattern}})
		if err == nil {
			rules.Apply([]compare.Diff{{Path: path}})
		}
	})
}
