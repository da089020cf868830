// Package rig wires routed repositories over two plain Go values for the tests
// of generated packages. Nothing else imports it.
package rig

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/versions"
)

// Rig is one migration between two plain Go values.
type Rig struct {
	t        testing.TB
	set      *flags.Set
	epoch    int64
	comparer *repo.Comparer
	sink     sink
}

const migration = "golden-v2"

// New returns a rig at stage old, and the configuration of a routed repository.
func New[R any](t testing.TB, oldSide, newSide R) (*Rig, repo.Config[R]) {
	t.Helper()
	last, err := versions.Must(versions.New("golden", "v1", "v2")).Last()
	if err != nil {
		t.Fatal(err)
	}
	backend, err := repo.NewValues(oldSide, newSide)
	if err != nil {
		t.Fatal(err)
	}
	r := &Rig{t: t, set: flags.NewSet(nil)}
	r.comparer = repo.NewComparer(&repo.ComparerConfig{Sink: &r.sink})
	t.Cleanup(func() { _ = r.comparer.Shutdown(context.Background()) })
	r.At(flags.Old)
	return r, repo.Config[R]{Migration: last, Flag: r.set.Flag(last.Name), Backend: backend, Comparer: r.comparer}
}

// At puts every tenant on a stage.
func (r *Rig) At(stage flags.Stage) {
	r.t.Helper()
	r.epoch++
	if err := r.set.Apply(flags.Policy{Migration: migration, Epoch: r.epoch, ID: flags.NewPolicyID(), Default: stage}); err != nil {
		r.t.Fatal(err)
	}
}

// Mismatches ends comparing and returns "Entity.Method path" of each mismatch,
// sorted. Comparisons that judged nothing fail the test.
func (r *Rig) Mismatches() []string {
	r.t.Helper()
	if err := r.comparer.Shutdown(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	for _, op := range r.comparer.Stats().Operations {
		if op.Dropped > 0 || op.Inconclusive > 0 {
			r.t.Errorf("%s: %d comparisons dropped, %d inconclusive", op.Operation, op.Dropped, op.Inconclusive)
		}
	}
	r.sink.mu.Lock()
	defer r.sink.mu.Unlock()
	slices.Sort(r.sink.found)
	return r.sink.found
}

type sink struct {
	mu    sync.Mutex
	found []string
}

func (s *sink) Record(_ context.Context, records []compare.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		s.found = append(s.found, fmt.Sprintf("%s %s", r.Operation, r.Field))
	}
	return nil
}

// Table is a table in memory: rows by tenant and key, in an order of its own.
// It counts its calls and copies what it takes and gives by value only.
type Table[K comparable, T any] struct {
	Order func(a, b K) int
	mu    sync.Mutex
	rows  map[string]map[K]T
	calls []string
}

// Called notes a call of a side's method.
func (t *Table[K, T]) Called(method string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls = append(t.calls, method)
}

// Calls returns the noted calls in their order, and forgets them.
func (t *Table[K, T]) Calls() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	calls := t.calls
	t.calls = nil
	return calls
}

// Row returns a row and whether it is there.
func (t *Table[K, T]) Row(tenant string, key K) (T, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	row, ok := t.rows[tenant][key]
	return row, ok
}

// Set inserts or replaces a row.
func (t *Table[K, T]) Set(tenant string, key K, row T) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rows == nil {
		t.rows = map[string]map[K]T{}
	}
	if t.rows[tenant] == nil {
		t.rows[tenant] = map[K]T{}
	}
	t.rows[tenant][key] = row
}

// Remove deletes a row.
func (t *Table[K, T]) Remove(tenant string, key K) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.rows[tenant], key)
}

// After returns up to limit keys behind after in the table's order; nil means
// from the start.
func (t *Table[K, T]) After(tenant string, after *K, limit int) []K {
	t.mu.Lock()
	defer t.mu.Unlock()
	var keys []K
	for key := range t.rows[tenant] {
		if after == nil || t.Order(key, *after) > 0 {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, t.Order)
	return keys[:min(limit, len(keys))]
}

// Rows returns the rows of a tenant in the order of their keys.
func (t *Table[K, T]) Rows(tenant string) []T {
	var rows []T
	for _, key := range t.After(tenant, nil, 1<<30) {
		row, _ := t.Row(tenant, key)
		rows = append(rows, row)
	}
	return rows
}
