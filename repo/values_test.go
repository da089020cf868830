package repo_test

import (
	"context"
	"iter"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/versions"
)

func TestPlainValuesFollowTheLadder(t *testing.T) {
	b := newBench(t, flags.Old, nil)
	ctx := t.Context()
	require.NoError(t, b.routed.Put(ctx, "a", []string{"1"}))
	assert.Empty(t, b.new.rows)

	b.at(t, flags.Dual)
	require.NoError(t, b.routed.Put(ctx, "a", []string{"2"}))
	assert.Equal(t, []string{"2"}, b.new.rows["a"])

	b.new.on(func(context.Context, string, []string) error { return errBoom })
	require.NoError(t, b.routed.Put(ctx, "a", []string{"3"}))
	b.new.on(nil)
	b.at(t, flags.Live)
	got, err := b.routed.Get(ctx, "a")
	require.NoError(t, err)
	assert.Equal(t, []string{"3"}, got, "read through the stale key")
	require.NoError(t, b.routed.Put(ctx, "a", []string{"4"}))
	got, err = b.routed.Get(ctx, "a")
	require.NoError(t, err)
	assert.Equal(t, []string{"4"}, got)
	assert.EqualValues(t, 1, b.routed.route.Stats().StaleReads, "the write repaired the key")
	assert.EqualValues(t, 1, b.routed.route.Stats().Repaired)

	b.old.on(func(context.Context, string, []string) error { return errBoom })
	var side *repo.SideError
	require.ErrorAs(t, b.routed.Put(ctx, "a", []string{"5"}), &side)
	assert.Equal(t, flags.OldSide, side.Side)
	require.ErrorIs(t, side, errBoom)
}

func TestPlainValuesKeepWritesOfAKeyInOrder(t *testing.T) {
	b := newBench(t, flags.Dual, nil)
	var tasks sync.WaitGroup
	for i := range 20 {
		tasks.Go(func() {
			for range 50 {
				assert.NoError(t, b.routed.Put(t.Context(), "hot", []string{string(rune('a' + i))}))
			}
		})
	}
	tasks.Wait()
	assert.Equal(t, b.old.rows["hot"], b.new.rows["hot"])
}

// A row that was made a moment ago is in lists already: who writes it waits for
// its copy, or the copy would put the older value over the newer.
func TestKeyThatAPlainValueMadeIsLockedUntilItIsCopied(t *testing.T) {
	b := newBench(t, flags.Dual, nil)
	var writer sync.WaitGroup
	b.old.on(func(_ context.Context, method string, _ []string) error {
		if method == "Get" { // of the copy
			b.old.on(nil)
			writer.Go(func() { assert.NoError(t, b.routed.Put(t.Context(), "made", []string{"newer"})) })
			for range 10_000 { // long enough for a writer that nothing stops
				runtime.Gosched()
			}
			assert.Equal(t, []string{"older"}, b.old.rows["made"])
		}
		return nil
	})
	_, err := repo.Create(t.Context(), b.routed.route, repo.Op{Entity: "Things", Method: "Make", Kind: repo.KindCreate}, "acme", repo.NoArgs{},
		func(repo.NoArgs, string) []string { return []string{"made"} },
		func(ctx context.Context, side *things, _ repo.NoArgs) (string, error) {
			return "made", side.Put(ctx, "made", []string{"older"})
		})
	require.NoError(t, err)
	writer.Wait()
	assert.Equal(t, []string{"newer"}, b.old.rows["made"])
	assert.Equal(t, []string{"newer"}, b.new.rows["made"])
}

// Plain values cannot undo the new side's write: the failed call leaves a record.
func TestFailureOfTheOldValueAtLiveIsRemembered(t *testing.T) {
	b := newBench(t, flags.Live, nil)
	b.old.on(func(context.Context, string, []string) error { return errBoom })
	var failed *repo.SideError
	require.ErrorAs(t, b.routed.Put(t.Context(), "a", []string{"1"}), &failed)
	assert.Equal(t, []string{"1"}, b.new.rows["a"])
	scope := repo.Scope{Tenant: "acme", Keys: repo.Key("a")}
	require.NoError(t, b.routed.route.Backend().Read(t.Context(), scope, true, func(_ context.Context, s repo.Session[*things]) error {
		require.Len(t, s.Stale(), 1)
		assert.Equal(t, flags.OldSide, s.Stale()[0].Side)
		return nil
	}))
}

func TestWiringMistakesAreNamed(t *testing.T) {
	_, err := repo.NewValues[any](nil, newThings())
	require.ErrorContains(t, err, "the old side is nil")
	_, err = repo.NewValues[*things](newThings(), nil)
	require.ErrorContains(t, err, "the new side is nil")
	b := newBench(t, flags.Old, nil)
	good := repo.Config[*things]{
		Migration: b.routed.route.Migration(), Flag: b.routed.route.Flag(), Backend: b.routed.route.Backend(), Copier: copier,
	}
	for problem, spoil := range map[string]func(*repo.Config[*things]){
		"has no name":       func(c *repo.Config[*things]) { c.Migration = versions.Migration{} },
		"Flag is nil":       func(c *repo.Config[*things]) { c.Flag = nil },
		"that of migration": func(c *repo.Config[*things]) { c.Flag = b.set.Flag("other-v2") },
		"Backend is nil":    func(c *repo.Config[*things]) { c.Backend = nil },
		"Copier is nil":     func(c *repo.Config[*things]) { c.Copier = nil },
	} {
		cfg := good
		spoil(&cfg)
		_, err := repo.NewRoute(cfg)
		var config *repo.ConfigError
		require.ErrorAs(t, err, &config)
		assert.ErrorContains(t, err, problem)
	}
	_, err = routed{b.routed.route.InTx(nil)}.Get(t.Context(), "a")
	require.ErrorContains(t, err, "share no transaction")
}

func TestNoPolicyFailsTheCallAndSaysWhy(t *testing.T) {
	b := newBench(t, flags.Old, nil)
	b.set.Expire(errBoom)
	_, err := b.routed.Get(t.Context(), "a")
	var none *flags.NoPolicyError
	require.ErrorAs(t, err, &none)
	require.ErrorIs(t, err, errBoom)
	require.ErrorAs(t, b.routed.Put(t.Context(), "a", nil), &none)
	assert.Empty(t, b.old.rows)
}

func TestIteratorsComeFromTheAuthorityAndHoldTheirDecision(t *testing.T) {
	b := newBench(t, flags.Live, nil)
	b.new.rows["a"], b.new.rows["b"] = []string{"1"}, []string{"2"}
	walk := func(fail error) iter.Seq2[string, error] {
		return repo.Seq(t.Context(), b.routed.route, repo.Op{Entity: "Things", Method: "All", Kind: repo.KindStream}, "acme", fail,
			func(_ context.Context, side *things, fail error) iter.Seq2[string, error] {
				return func(yield func(string, error) bool) {
					for _, key := range []string{"a", "b"} {
						if !yield(side.rows[key][0], nil) {
							return
						}
					}
					if fail != nil {
						yield("", fail)
					}
				}
			})
	}
	var got []string
	for value, err := range walk(nil) {
		require.NoError(t, err)
		before := b.set.Oldest()[0].Epoch
		b.at(t, flags.Live)
		assert.Equal(t, before, b.set.Oldest()[0].Epoch, "until the loop ends")
		got = append(got, value)
	}
	assert.Equal(t, []string{"1", "2"}, got)
	assert.Equal(t, b.set.Flag("things-v2").Current().Policy().Epoch, b.set.Oldest()[0].Epoch)
	for range walk(nil) {
		break
	}
	var last error
	for _, err := range walk(errBoom) {
		last = err
	}
	require.ErrorIs(t, last, errBoom)
	b.set.Expire(errBoom)
	for _, err := range walk(nil) {
		require.ErrorIs(t, err, errBoom)
	}
}

func TestClone(t *testing.T) {
	type leaf struct{ Names []string }
	type node struct {
		Leaf   *leaf
		ByName map[string]*leaf
		Any    any
		Next   *node
		Grid   [2][]int
		hidden []int
	}
	n := &node{
		Leaf: &leaf{Names: []string{"a"}}, ByName: map[string]*leaf{"x": {Names: []string{"b"}}},
		Any: []int{1}, Grid: [2][]int{{1}, {2}}, hidden: []int{3},
	}
	n.Next = n
	c := repo.Clone(n)
	require.Equal(t, n.Leaf, c.Leaf)
	assert.Same(t, c, c.Next, "cycles are kept")
	c.Leaf.Names[0], c.ByName["x"].Names[0], c.Grid[1][0] = "z", "z", 9
	c.Any.([]int)[0] = 9
	assert.Equal(t, "a", n.Leaf.Names[0])
	assert.Equal(t, "b", n.ByName["x"].Names[0])
	assert.Equal(t, []int{1}, n.Any)
	assert.Equal(t, 2, n.Grid[1][0])
	assert.Equal(t, []int{3}, c.hidden)
	assert.Nil(t, repo.Clone([]int(nil)))
	assert.Nil(t, repo.Clone[any](nil))
	assert.NoError(t, repo.Clone[error](nil))
}
