package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/bench/workload/items"
)

// inner answers at once, by itself or, if spawns, by a goroutine of each call.
type inner struct{ spawns bool }

func (i inner) do() error {
	if !i.spawns {
		return nil
	}
	done := make(chan error)
	go func() { done <- nil }()
	return <-done
}

func (i inner) Get(context.Context, string, int64) (items.Item, error) { return items.Item{}, i.do() }

func (i inner) SetStock(context.Context, string, int64, int64, time.Time) error { return i.do() }

func (i inner) Save(context.Context, items.Item) error { return i.do() }

func (i inner) Delete(context.Context, string, int64) error { return i.do() }

func (i inner) Keys(context.Context, string, *int64, int) ([]int64, error) { return nil, i.do() }

func TestAGoroutineOfEachCallIsNoticed(t *testing.T) {
	a := &app{names: names()}
	direct, err := a.spawned(t.Context(), inner{})
	require.NoError(t, err)
	routed, err := a.spawned(t.Context(), inner{spawns: true})
	require.NoError(t, err)
	assert.False(t, crowd{direct: direct, routed: routed}.flat(), "%+v %+v", direct, routed)
	assert.GreaterOrEqual(t, routed.perCall, 1.0)
	again, err := a.spawned(t.Context(), inner{})
	require.NoError(t, err)
	assert.True(t, crowd{direct: direct, routed: again}.flat(), "%+v %+v", direct, again)
}
