package compare_test

import (
	"encoding/json"
	"errors"
	"math"
	"net"
	"testing"
	"time"
	"unsafe"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/stretchr/testify/assert"
)

func deep[T any](served, other T, options ...compare.Option) []string {
	return one(func(c *compare.Collector) { compare.Any(c, "", served, other, options...) })
}

type node struct {
	Name string
	Next *node
	Kids []*node
}

type private struct {
	hidden int
	at     time.Time
	list   []string
}

type brokenEqual struct{ X int }

func (brokenEqual) Equal(brokenEqual) bool { panic("no") }

func ring(names ...string) *node {
	first := &node{Name: names[0]}
	last := first
	for _, name := range names[1:] {
		last.Next = &node{Name: name}
		last = last.Next
	}
	last.Next = first
	return first
}

func TestAnyFollowsStructure(t *testing.T) {
	assert.Empty(t, deep(Customer{Name: "a", Lines: []Line{{1, 2}}}, Customer{Name: "a", Lines: []Line{{1, 2}}}))
	assert.Equal(t, []string{"Address.City value", "Lines[0].Cents value"},
		deep(Customer{Lines: []Line{{1, 2}}}, Customer{Address: Address{City: "x"}, Lines: []Line{{1, 3}}}))
	assert.Equal(t, []string{"[1] value"}, deep([2]int{1, 2}, [2]int{1, 3}))
	assert.Equal(t, []string{"length", "[1] missing"}, deep([]int{1, 2}, []int{1}))
	assert.Equal(t, []string{"length", "[1] extra"}, deep([]int{1}, []int{1, 2}))
	assert.Equal(t, []string{"Next missing"}, deep(&node{Next: &node{}}, &node{}))
	assert.Equal(t, []string{"Next extra"}, deep(&node{}, &node{Next: &node{}}))
	assert.Equal(t, []string{`["a"] value`, `["b"] missing`, `["c"] extra`},
		sorted(deep(map[string]int{"a": 1, "b": 1}, map[string]int{"a": 2, "c": 1}, compare.Safe())))
	assert.Equal(t, []string{"hidden value", "list[0] value"}, deep(private{1, time.Time{}, []string{"a"}}, private{2, time.Time{}, []string{"b"}}))
}

func TestAnyKeepsTheDefaultsOfTypedComparison(t *testing.T) {
	at := time.Date(2024, 1, 2, 3, 4, 5, 6789, time.UTC)
	assert.Empty(t, deep(math.NaN(), math.NaN()))
	assert.Empty(t, deep(complex(math.NaN(), 1), complex(math.NaN(), 1)))
	assert.Len(t, deep(complex(1, 1), complex(1, 2)), 1)
	assert.Empty(t, deep(math.Copysign(0, -1), 0))
	assert.Empty(t, deep(at, at.Local().Truncate(time.Microsecond)))
	assert.Len(t, deep(at, at.Add(time.Second)), 1)
	assert.Empty(t, deep(at, at.Add(time.Second), compare.Within(time.Second)))
	assert.Empty(t, deep(time.Second, 2*time.Second, compare.Within(time.Second)))
	assert.Empty(t, deep(1, 2, compare.Tolerance(1)))
	assert.Empty(t, deep(uint8(1), 2, compare.Tolerance(1)))
	assert.Len(t, deep(true, false), 1)
	assert.Empty(t, deep[any]("a", "a"))
	assert.Empty(t, deep[any](true, true))
	assert.Empty(t, deep[any](int64(1), int64(1)))
	assert.Empty(t, deep[any](1.5, 1.5))
	assert.Len(t, deep(json.Number("1.0"), "1.1"), 1)
	assert.Empty(t, deep(json.Number("1.0"), "1.1", compare.Tolerance(0.1)))
	assert.Empty(t, deep(1.0, 1.1, compare.Tolerance(0.1)))
	assert.Empty(t, deep(json.Number("1.0"), "1"))
	assert.Empty(t, deep(net.IPv4(1, 2, 3, 4), net.IPv4(1, 2, 3, 4).To4()), "a method Equal decides")
	assert.Equal(t, []string{"value"}, deep([]int(nil), []int{}))
	assert.Empty(t, deep([]int(nil), []int{}, compare.NilEmpty()))
	assert.Equal(t, []string{"value"}, deep(map[int]int(nil), map[int]int{}))
	assert.Empty(t, deep(map[int]int(nil), map[int]int{}, compare.NilEmpty()))
	assert.Empty(t, deep(nil, new(0), compare.NilEmpty()))
	assert.Equal(t, []string{"value ignored"}, deep(1, 2, compare.Ignore()))
}

func TestAnyNeverPanics(t *testing.T) {
	f, g := func() {}, func() {}
	a, b := make(chan int), make(chan int)
	x := 1
	type keyed struct{ M map[*int]int }
	for _, test := range []struct {
		promise       string
		served, other any
		want          []string
	}{
		{"functions are uncomparable", f, g, []string{"uncomparable"}},
		{"nil functions are equal", (func())(nil), (func())(nil), nil},
		{"channels are equal if they are one", a, a, nil},
		{"other channels are uncomparable", a, b, []string{"uncomparable"}},
		{"unsafe pointers too", unsafe.Pointer(&x), unsafe.Pointer(&a), []string{"uncomparable"}},
		{"slices, on which the == of interfaces panics", any([]int{1}), any([]int{1}), nil},
		{"maps, on which it panics too", any(map[string][]int{"a": {1}}), any(map[string][]int{"a": {1}}), nil},
		{"different types", 1, "1", []string{"type"}},
		{"nil and something", nil, 1, []string{"extra"}},
		{"something and nil", 1, nil, []string{"missing"}},
		{"typed nil and nil", (*int)(nil), nil, []string{"missing"}},
		{"a method that panics", brokenEqual{1}, brokenEqual{1}, []string{"panic"}},
		{"NaN keys", map[float64]int{math.NaN(): 1, math.NaN(): 2}, map[float64]int{math.NaN(): 2, math.NaN(): 1}, nil},
		{"NaN keys that hold other values", map[float64]int{math.NaN(): 1}, map[float64]int{math.NaN(): 2}, []string{"[NaN] missing"}},
		{
			"NaN keys are matched one to one",
			map[float64]int{math.NaN(): 1, math.NaN(): 1},
			map[float64]int{math.NaN(): 1, math.NaN(): 2},
			[]string{"[NaN] missing"},
		},
		{"more NaN keys on one side", map[float64]int{math.NaN(): 1}, map[float64]int{1: 1}, []string{"[#0] extra", "[NaN] length"}},
		{"keys found by address", keyed{map[*int]int{new(1): 1}}, keyed{map[*int]int{new(1): 1}}, []string{"M[#0] uncomparable", "M[#0] uncomparable"}},
		{
			"keys that hold an address",
			map[any]int{struct{ P *int }{new(1)}: 1, [1]any{new(1)}: 1},
			map[any]int{},
			[]string{"[#0] uncomparable", "[#0] uncomparable"},
		},
		{"keys that hold none", map[any]int{struct{ P int }{1}: 1, [0]*int{}: 1}, map[any]int{}, []string{"[#0] missing", "[#0] missing"}},
		{"maps of maps under NaN", map[float64][]int{math.NaN(): {1}}, map[float64][]int{math.NaN(): {1}}, nil},
		{"unexported times that look different", private{at: time.Unix(1, 0)}, private{at: time.Unix(2, 0)}, []string{"at uncomparable"}},
		{"cycles that are equal", ring("a", "b", "c"), ring("a", "b", "c"), nil},
		{"cycles that are not", ring("a", "b", "c"), ring("a", "b", "d"), []string{"Next.Next.Name value"}},
		{"cycles of other lengths", ring("a", "a"), ring("a", "a", "a"), nil},
	} {
		t.Run(test.promise, func(t *testing.T) {
			assert.Equal(t, test.want, hideHashes(deep(test.served, test.other)))
		})
	}
}

func TestAnyEndsOnValuesThatContainThemselves(t *testing.T) {
	type list []any
	loop := func() list { l := list{1, nil}; l[1] = l; return l }
	assert.Empty(t, deep(loop(), loop()))
	self := func() map[string]any { m := map[string]any{"a": 1}; m["m"] = m; return m }
	assert.Empty(t, deep(self(), self()))
}

func TestAnyIsBoundedAndSaysSo(t *testing.T) {
	chain := func(n int, name string) *node {
		var head *node
		for range n {
			head = &node{Name: name, Next: head}
		}
		return head
	}
	diffs := compare.Deep(chain(100_000, "a"), chain(100_000, "a"))
	assert.Equal(t, compare.Inconclusive, compare.Judge(diffs), "too deep is never equal")
	assert.Equal(t, compare.Mismatched, compare.Judge(compare.Deep(chain(100_000, "a"), chain(100_000, "b"))))
	nan := map[float64]*node{math.NaN(): chain(100_000, "a")}
	same := map[float64]*node{math.NaN(): chain(100_000, "a")}
	assert.NotEqual(t, compare.Matched, compare.Judge(compare.Deep(nan, same)))
	wide := make([]int, 1<<20+1)
	assert.Equal(t, compare.Inconclusive, compare.Judge(compare.Deep(wide, append([]int(nil), wide...))), "too large is never equal")
}

func TestAnyOnErrorsInsideValues(t *testing.T) {
	type answer struct{ Err error }
	assert.Empty(t, deep(answer{errors.New("a")}, answer{errors.New("a")}))
	assert.Equal(t, []string{"Err.s value"}, deep(answer{errors.New("a")}, answer{errors.New("b")}))
}

// FuzzAnyOnJSON builds arbitrary trees. Any is reflexive over a second copy, symmetric, and never panics.
func FuzzAnyOnJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2,{"b":null}]}`, `[[],{}]`, `"x"`, `1e400`, `{"a":{"a":{"a":1}}}`} {
		f.Add(seed, `{"a":[1,2,{"b":0}]}`)
	}
	f.Fuzz(func(t *testing.T, served, other string) {
		var a, again, b any
		if json.Unmarshal([]byte(served), &a) != nil || json.Unmarshal([]byte(served), &again) != nil {
			return
		}
		_ = json.Unmarshal([]byte(other), &b)
		if diffs := compare.Deep(a, again); diffs != nil {
			t.Fatalf("a copy differs: %v", diffs)
		}
		forth, back := compare.Deep(a, b), compare.Deep(b, a)
		if compare.Judge(forth) != compare.Judge(back) {
			t.Fatalf("not symmetric: %v %v", forth, back)
		}
		for _, d := range forth {
			_ = compare.Pattern(d.Path)
		}
	})
}
