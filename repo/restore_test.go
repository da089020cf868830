package repo_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
)

// parcel refers to memory of the caller in every way.
type parcel struct {
	Pointer *line
	Nested  **line
	Lines   []line
	Refs    []*line
	Tags    map[string][]string
	ByName  map[string]*line
	Any     any
	Pair    [2]*line
	Loop    *knot
	Slice   *[]string
	Map     *map[string]int
	hidden  *line
}

type line struct {
	Name  string
	Next  *line
	Words []string
	Sizes map[string]int
}

type knot struct {
	Self *knot
	N    int
}

// owner holds the caller's own references to what a parcel refers to.
type owner struct {
	a, b, c, d, e, f, g *line
	lines               []line
	tags, words, slice  []string
	sizes, table        map[string]int
	knot                *knot
}

func newParcel() (*owner, parcel) {
	name := func(s string) *line { return &line{Name: s, Next: &line{Name: s + "'"}} }
	o := &owner{
		a: name("a"), b: name("b"), c: name("c"), d: name("d"), e: name("e"), f: name("f"), g: name("g"),
		lines: []line{{Name: "one"}, {Name: "two", Next: &line{Name: "two'"}}}, tags: []string{"x", "y"}, knot: &knot{N: 1},
	}
	o.knot.Self = o.knot
	o.words, o.sizes = []string{"w"}, map[string]int{"s": 1}
	o.slice, o.table = []string{"i", "j"}, map[string]int{"k": 1}
	slice, table := o.slice, o.table
	o.a.Words, o.a.Sizes = o.words, o.sizes
	nested := o.b
	return o, parcel{
		Pointer: o.a, Nested: &nested, Lines: o.lines, Refs: []*line{o.c, o.a}, Tags: map[string][]string{"t": o.tags},
		ByName: map[string]*line{"d": o.d}, Any: o.e, Pair: [2]*line{o.f, nil}, Loop: o.knot, hidden: o.g,
		Slice: &slice, Map: &table,
	}
}

// mutate changes everything that p refers to, as hooks of a side might.
func mutate(p parcel) {
	for _, l := range []*line{p.Pointer, *p.Nested, p.Refs[0], p.ByName["d"], p.Any.(*line), p.Pair[0]} {
		if l.Next != nil {
			l.Next.Name += "!"
		}
		l.Name += "!"
	}
	for i := range p.Lines {
		p.Lines[i].Name += "!"
		if p.Lines[i].Next != nil {
			p.Lines[i].Next.Name += "!"
		}
	}
	p.Tags["t"][0] += "!"
	p.Tags["new"] = []string{"!"}
	p.ByName["new"] = &line{Name: "!"}
	p.Loop.N++
	p.Pointer.Words[0] += "!"
	p.Pointer.Words = []string{"other"}
	p.Pointer.Sizes["s"]++
	p.Pointer.Sizes = nil
	(*p.Slice)[1] += "!"
	*p.Slice = append(*p.Slice, "more")
	(*p.Map)["k"]++
	*p.Map = map[string]int{"other": 1}
	p.Pointer.Next = &line{Name: p.Pointer.Next.Name}
	p.Lines[1], p.Lines[0] = p.Lines[0], p.Lines[1]
	delete(p.ByName, "d")
	*p.Nested = &line{Name: "other", Next: &line{Name: "other'"}}
}

// refusing is a backend that has each write run several times, as the queue does
// when one of its statements fails.
type refusing struct {
	repo.Backend[*things]
	runs int
}

func (r refusing) Write(ctx context.Context, s repo.Scope, look bool, fn func(context.Context, repo.Session[*things]) error) error {
	for range r.runs - 1 {
		_ = r.Backend.Write(ctx, s, look, func(ctx context.Context, session repo.Session[*things]) error {
			_ = fn(ctx, session)
			return errBoom
		})
	}
	return r.Backend.Write(ctx, s, look, fn)
}

// Each run sees the arguments as the caller gave them, and the caller's memory,
// by whatever reference it is reached, is as one run alone leaves it.
func TestArgumentsAreTheCallersAgainInEachRun(t *testing.T) {
	t.Parallel()
	op := repo.Op{Entity: "Things", Method: "Send", Kind: repo.KindWrite, CloneArgs: true}
	for _, runs := range []int{1, 2, 3} {
		b := newBench(t, flags.Old, nil)
		route, err := repo.NewRoute(repo.Config[*things]{
			Migration: b.routed.route.Migration(), Flag: b.routed.route.Flag(), Backend: refusing{b.routed.route.Backend(), runs},
			Copier: copier, Comparer: b.comparer,
		})
		require.NoError(t, err)
		mine, p := newParcel()
		_, fresh := newParcel()
		called := 0
		require.NoError(t, repo.Write(t.Context(), route, op, "acme", repo.Key("1"), p, func(_ context.Context, _ *things, p parcel) error {
			called++
			fresh.hidden, p.hidden = nil, nil
			require.Equal(t, fresh, p, "run %d", called)
			mutate(p)
			return nil
		}))
		require.Equal(t, runs, called)
		want, once := newParcel()
		mutate(once)
		assert.Equal(t, want, mine, "the caller's own references, after %d runs", runs)
		assert.Equal(t, once, p, "the arguments, after %d runs", runs)
		assert.Same(t, mine.a, p.Pointer)
		assert.Same(t, mine.c, p.Refs[0])
		assert.Same(t, mine.a, p.Refs[1])
		assert.Same(t, p.Loop, p.Loop.Self)
	}
}

// The same for one pointer, which is what most methods take.
func TestPointerArgumentKeepsTheLastRunsMutation(t *testing.T) {
	t.Parallel()
	op := repo.Op{Entity: "Things", Method: "Send", Kind: repo.KindWrite, CloneArgs: true}
	b := newBench(t, flags.Old, nil)
	route, err := repo.NewRoute(repo.Config[*things]{
		Migration: b.routed.route.Migration(), Flag: b.routed.route.Flag(), Backend: refusing{b.routed.route.Backend(), 2},
		Copier: copier, Comparer: b.comparer,
	})
	require.NoError(t, err)
	inner := &line{Name: "inner"}
	arg := &line{Name: "a", Next: inner}
	require.NoError(t, repo.Write(t.Context(), route, op, "acme", repo.Key("1"), arg, func(_ context.Context, _ *things, l *line) error {
		assert.Equal(t, "a inner", l.Name+" "+l.Next.Name)
		l.Name += "!"
		l.Next.Name += "!"
		return nil
	}))
	assert.Equal(t, "a! inner!", arg.Name+" "+inner.Name)
}
