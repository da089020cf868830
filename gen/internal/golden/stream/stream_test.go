package stream

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/gen/internal/golden/rig"
	"github.com/crossfade-db/crossfade/repo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type memory struct{ rig.Table[int64, Event] }

func newMemory() *memory {
	m := &memory{}
	m.Order = cmp.Compare[int64]
	return m
}

func (m *memory) All(_ context.Context, tenant string) iter.Seq2[Event, error] {
	m.Called("All")
	return func(yield func(Event, error) bool) {
		for _, e := range m.Rows(tenant) {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (m *memory) Since(_ context.Context, tenant string, at time.Time, skip int) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		for _, e := range m.Rows(tenant)[skip:] {
			if e.At.After(at) && !yield(&e, nil) {
				return
			}
		}
	}
}

func (m *memory) Some(ctx context.Context, f *Filter) iter.Seq2[Event, error] {
	return m.All(ctx, f.Tenant)
}

func (m *memory) Each(_ context.Context, tenant string, fn func(Event) error) error {
	for _, e := range m.Rows(tenant) {
		if err := fn(e); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Walk(_ context.Context, tenant string, log io.Writer, fn func(int, Event) bool) error {
	for i, e := range m.Rows(tenant) {
		_, _ = io.WriteString(log, ".")
		if !fn(i, e) {
			break
		}
	}
	return nil
}

func (m *memory) Get(_ context.Context, tenant string, id int64) (Event, error) {
	e, ok := m.Row(tenant, id)
	if !ok {
		return e, ErrNone
	}
	return e, nil
}

func (m *memory) Save(_ context.Context, tenant string, e Event) error {
	m.Set(tenant, e.ID, e)
	return nil
}

func (m *memory) Delete(_ context.Context, tenant string, id int64) error {
	m.Remove(tenant, id)
	return nil
}

func (m *memory) Keys(_ context.Context, tenant string, after *int64, limit int) ([]int64, error) {
	return m.After(tenant, after, limit), nil
}

func TestStreamsRunOnTheAuthorityAlone(t *testing.T) {
	ctx := t.Context()
	v1, v2 := newMemory(), newMemory()
	r, cfg := rig.New[Events](t, v1, v2)
	events, err := NewRoutedEvents(cfg)
	require.NoError(t, err)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r.At(flags.Live)
	for n := range int64(4) {
		require.NoError(t, events.Save(ctx, "t", Event{n, start.Add(time.Duration(n) * time.Hour)}))
	}
	v1.Remove("t", 0) // nobody looks

	seen := 0
	for _, err := range events.All(ctx, "t") {
		require.NoError(t, err)
		if seen++; seen == 3 {
			break
		}
	}
	assert.Equal(t, 3, seen)
	for e, err := range events.Since(ctx, "t", start, 2) {
		require.NoError(t, err)
		assert.Equal(t, int64(2), e.ID)
		break
	}
	for _, err := range events.Some(ctx, &Filter{Tenant: "t"}) {
		require.NoError(t, err)
	}
	var problem error
	for _, err := range events.Some(ctx, nil) {
		problem = err
	}
	var key *repo.KeyError
	require.ErrorAs(t, problem, &key)

	stop := errors.New("enough")
	require.ErrorIs(t, events.Each(ctx, "t", func(Event) error { return stop }), stop)
	var log strings.Builder
	require.NoError(t, events.Walk(ctx, "t", &log, func(i int, _ Event) bool { return i < 1 }))
	assert.Equal(t, "..", log.String())
	assert.Empty(t, v1.Calls())
	assert.Empty(t, r.Mismatches())
}
