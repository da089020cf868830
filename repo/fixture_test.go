package repo_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/versions"
)

var (
	errNone = errors.New("no such thing")
	errBoom = errors.New("boom")
)

// things is a repository in memory.
type things struct {
	mu     sync.Mutex
	rows   map[string][]string
	before func(ctx context.Context, method string, value []string) error
}

func newThings() *things { return &things{rows: map[string][]string{}} }

func (s *things) enter(ctx context.Context, method string, value []string) error {
	s.mu.Lock()
	before := s.before
	s.mu.Unlock()
	if before != nil {
		return before(ctx, method, value)
	}
	return nil
}

// on has fn run before each Get and Put; nil ends it.
func (s *things) on(fn func(ctx context.Context, method string, value []string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = fn
}

func (s *things) Get(ctx context.Context, key string) ([]string, error) {
	if err := s.enter(ctx, "Get", nil); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	value, ok := s.rows[key]
	if !ok {
		return nil, errNone
	}
	return slices.Clone(value), nil
}

func (s *things) Put(ctx context.Context, key string, value []string) error {
	if err := s.enter(ctx, "Put", value); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[key] = slices.Clone(value)
	return nil
}

func (s *things) Delete(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rows, key)
	return nil
}

type putArgs struct {
	Key   string
	Value []string
}

type routed struct{ route *repo.Route[*things] }

func (r routed) Get(ctx context.Context, key string) ([]string, error) {
	return repo.Read(ctx, r.route, repo.Op{Entity: "Things", Method: "Get", Kind: repo.KindRead, CloneResult: true}, "acme", repo.Key(key),
		compare.Deep[[]string], key, func(ctx context.Context, side *things, key string) ([]string, error) { return side.Get(ctx, key) })
}

func (r routed) Put(ctx context.Context, key string, value []string) error {
	return repo.Write(ctx, r.route, repo.Op{Entity: "Things", Method: "Put", Kind: repo.KindWrite, CloneArgs: true}, "acme", repo.Key(key),
		putArgs{key, value}, func(ctx context.Context, side *things, a putArgs) error { return side.Put(ctx, a.Key, a.Value) })
}

var copier = repo.CopyBy[*things, string, putArgs]{
	KeyText:  func(key string) string { return key },
	ParseKey: func(text string) (string, error) { return text, nil },
	Get: func(ctx context.Context, side *things, _ string, key string) (putArgs, error) {
		value, err := side.Get(ctx, key)
		return putArgs{key, value}, err
	},
	Put: func(ctx context.Context, side *things, _ string, a putArgs) error {
		return side.Put(ctx, a.Key, a.Value)
	},
	Delete: func(ctx context.Context, side *things, _ string, key string) error { return side.Delete(ctx, key) },
	KeysAfter: func(_ context.Context, side *things, _ string, after *string, limit int) ([]string, error) {
		side.mu.Lock()
		defer side.mu.Unlock()
		var keys []string
		for _, key := range slices.Sorted(maps.Keys(side.rows)) {
			if (after == nil || key > *after) && len(keys) < limit {
				keys = append(keys, key)
			}
		}
		return keys, nil
	},
	KeyOf:      func(a putArgs) string { return a.Key },
	IsNotFound: func(err error) bool { return errors.Is(err, errNone) },
	Compare:    compare.Deep[putArgs],
}

// bench is one process over two repositories in memory.
type bench struct {
	old, new *things
	set      *flags.Set
	comparer *repo.Comparer
	routed   routed
}

func newBench(t testing.TB, stage flags.Stage, cfg *repo.ComparerConfig) *bench {
	t.Helper()
	b := &bench{old: newThings(), new: newThings(), set: flags.NewSet(nil)}
	b.at(t, stage)
	backend, err := repo.NewValues(b.old, b.new)
	require.NoError(t, err)
	migration, err := versions.Must(versions.New("things", "v1", "v2")).Last()
	require.NoError(t, err)
	b.comparer = repo.NewComparer(cfg)
	t.Cleanup(func() { _ = b.comparer.Shutdown(context.Background()) })
	route, err := repo.NewRoute(repo.Config[*things]{
		Migration: migration, Flag: b.set.Flag("things-v2"), Backend: backend, Copier: copier, Comparer: b.comparer,
	})
	require.NoError(t, err)
	b.routed = routed{route}
	return b
}

func (b *bench) at(t testing.TB, stage flags.Stage) {
	t.Helper()
	epoch := int64(1)
	if c := b.set.Flag("things-v2").Current(); c != nil {
		epoch = c.Policy().Epoch + 1
	}
	require.NoError(t, b.set.Apply(flags.Policy{Migration: "things-v2", Epoch: epoch, ID: flags.NewPolicyID(), Default: stage}))
}

// counts waits for all comparisons and returns the numbers of Get.
func (b *bench) counts(t testing.TB) compare.Counts {
	t.Helper()
	require.NoError(t, b.comparer.Shutdown(context.Background()))
	for _, c := range b.comparer.Stats().Operations {
		if c.Operation == "Things.Get" {
			return c
		}
	}
	return compare.Counts{}
}
