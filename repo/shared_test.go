package repo_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/versions"
)

// crate holds memory that the application may share with others.
type crate struct {
	ID     string
	Labels map[string]string
	Parts  []string
	Terms  *clauses
}

type clauses struct {
	Name string
	used atomic.Int64
}

type crates interface {
	Save(ctx context.Context, p crate) error
}

type crateSide func(p crate) error

func (s crateSide) Save(_ context.Context, p crate) error { return s(p) }

type crateCopier struct{ repo.Copier[crates] }

func (crateCopier) NotFound(error) bool { return false }

func saveCrates(t *testing.T, side crateSide) func(p crate) error {
	t.Helper()
	backend, err := repo.NewValues[crates](side, side)
	require.NoError(t, err)
	m, err := versions.Must(versions.New("crates", "v1", "v2")).Last()
	require.NoError(t, err)
	set := flags.NewSet(func(context.Context, string) error { return nil })
	require.NoError(t, set.Apply(flags.Policy{Migration: m.Name, Epoch: 1, Default: flags.Old}))
	route, err := repo.NewRoute(repo.Config[crates]{Migration: m, Flag: set.Flag(m.Name), Backend: backend, Copier: crateCopier{}})
	require.NoError(t, err)
	op := repo.Op{Entity: "Crates", Method: "Save", Kind: repo.KindWrite, Queue: true, CloneArgs: true}
	return func(p crate) error {
		return repo.Write(t.Context(), route, op, "acme", repo.Key(p.ID), p,
			func(ctx context.Context, side crates, p crate) error { return side.Save(ctx, p) })
	}
}

func refusal() error {
	return &repo.RefusedError{Migration: "crates-v2", Tenant: "acme", Cause: errors.New("a new policy")}
}

// Under the race detector: what nobody changes, nobody writes, also where the
// write runs again.
func TestWritesThatRunAgainWriteIntoNoMemoryThatIsOnlyRead(t *testing.T) {
	var ran sync.Map
	save := saveCrates(t, func(p crate) error {
		n := len(p.Terms.Name)
		for range p.Labels {
			n++
		}
		for _, part := range p.Parts {
			n += len(part)
		}
		assert.Equal(t, 5+50+2, n)
		if _, again := ran.LoadOrStore(p.ID, true); !again {
			return refusal()
		}
		return nil
	})
	labels := map[string]string{}
	for i := range 50 {
		labels[strconv.Itoa(i)] = "x"
	}
	parts, clauses := []string{"a", "b"}, &clauses{Name: "fixed"}
	var callers sync.WaitGroup
	for caller := range 4 {
		callers.Go(func() {
			for i := range 200 {
				id := strconv.Itoa(caller*1000 + i)
				if !assert.NoError(t, save(crate{ID: id, Labels: labels, Parts: parts, Terms: clauses})) {
					return
				}
			}
		})
	}
	callers.Wait()
}

func TestWritesThatRunAgainLeaveWhatIsNotTheirsToOthers(t *testing.T) {
	shared, runs := &clauses{Name: "fixed"}, 0
	save := saveCrates(t, func(p crate) error {
		if runs++; runs == 1 {
			p.Terms.Name = "changed by a side"
			shared.used.Add(1000) // by others, meanwhile
			return refusal()
		}
		assert.Equal(t, "fixed", p.Terms.Name)
		return nil
	})
	require.NoError(t, save(crate{ID: "1", Terms: shared}))
	assert.EqualValues(t, 1000, shared.used.Load())
}
