package repo

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type leaf struct {
	Name string
	At   time.Time
	Big  [2]int
}

type branch struct {
	Leaf   leaf
	Tags   []string
	Raw    []byte
	Note   *string
	Leaves []leaf
	Deep   []branchlet
	ByName map[string]*leaf
	Counts map[string]int
	Pair   [2][]int
	None   []string
	hidden []int
}

type branchlet struct{ Parts []int }

type node struct {
	Value int
	Next  *node
}

type texts []string

func (b *branch) spoil() {
	b.Tags[0], b.Raw[0], *b.Note, b.Leaves[0].Name = "damage", 'X', "damage", "damage"
	b.Deep[0].Parts[0], b.ByName["a"].Name, b.Counts["a"], b.Pair[1][0] = 99, "damage", 99, 99
}

func grown() branch {
	note := "note"
	return branch{
		Leaf: leaf{Name: "leaf", At: time.Unix(1, 0), Big: [2]int{1, 2}}, Tags: []string{"a"}, Raw: []byte("raw"), Note: &note,
		Leaves: []leaf{{Name: "one"}}, Deep: []branchlet{{Parts: []int{1}}}, ByName: map[string]*leaf{"a": {Name: "x"}, "b": nil},
		Counts: map[string]int{"a": 1}, Pair: [2][]int{nil, {1}}, hidden: []int{1},
	}
}

func TestCloneSharesNoMemoryThatAnybodyCouldChange(t *testing.T) {
	for name, clone := range map[string]func(branch) branch{"by plan": Clone[branch], "by walking": walked[branch]} {
		t.Run(name, func(t *testing.T) {
			from := grown()
			to := clone(from)
			require.Equal(t, from, to)
			assert.Nil(t, to.None, "nil stays nil")
			to.spoil()
			assert.Equal(t, grown(), from)
		})
	}
}

func TestClonesByPlanAreThoseByWalking(t *testing.T) {
	text := "x"
	same(t, 1)
	same(t, "text")
	same(t, []string(nil))
	same(t, []string{})
	same(t, texts{"a"})
	same(t, []*string{&text, nil})
	same(t, map[int][]string{1: {"a"}, 2: nil})
	same(t, struct{}{})
	same(t, (*leaf)(nil))
	same(t, &leaf{Name: "x"})
	same[any](t, []string{"a"})
	same[error](t, nil)
}

func same[T any](t *testing.T, v T) {
	t.Helper()
	assert.Equal(t, walked(v), Clone(v))
}

func TestClonesOfTypesThatHoldThemselvesKeepTheirCycles(t *testing.T) {
	ring := &node{Value: 1}
	ring.Next = ring
	got := Clone(ring)
	assert.NotSame(t, ring, got)
	assert.Same(t, got, got.Next)
	assert.True(t, compile(reflect.TypeFor[*node]()).walks)
}

func TestCloneOfAValueWithoutReferencesAllocatesNothing(t *testing.T) { //nolint:paralleltest // AllocsPerRun must run alone
	v := leaf{Name: "x"}
	assert.Zero(t, testing.AllocsPerRun(100, func() { v = Clone(v) }))
}

func BenchmarkClone(b *testing.B) {
	type row struct {
		ID         int64
		Name, City string
		Tags       []string
		At         time.Time
		Note       *string
	}
	note := "note"
	v := row{1, "a", "b", []string{"x", "y"}, time.Unix(1, 0), &note}
	b.Run("by plan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v = Clone(v)
		}
	})
	b.Run("by walking", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v = walked(v)
		}
	})
}
