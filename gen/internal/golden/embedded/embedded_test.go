package embedded

import (
	"cmp"
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/gen/internal/golden/embedded/base"
	"github.com/crossfade-db/crossfade/gen/internal/golden/rig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type memory struct {
	rig.Table[int64, base.Order]
	lost int // orders that Count does not see
}

func newMemory() *memory {
	m := &memory{}
	m.Order = cmp.Compare[int64]
	return m
}

func (m *memory) Get(_ context.Context, tenant string, id int64) (base.Order, error) {
	o, ok := m.Row(tenant, id)
	if !ok {
		return o, ErrNone
	}
	return o, nil
}

func (m *memory) Count(_ context.Context, tenant, _ string) (int, error) {
	return len(m.Rows(tenant)) - m.lost, nil
}

func (m *memory) Keys(_ context.Context, tenant string, after *int64, limit int) ([]int64, error) {
	return m.After(tenant, after, limit), nil
}

func (m *memory) Save(_ context.Context, tenant string, o base.Order) error {
	m.Set(tenant, o.ID, o)
	return nil
}

func (m *memory) Delete(_ context.Context, tenant string, id int64) error {
	m.Remove(tenant, id)
	return nil
}

func TestMethodsOfEmbeddedInterfacesAreRouted(t *testing.T) {
	ctx := t.Context()
	v1, v2 := newMemory(), newMemory()
	r, cfg := rig.New[Orders](t, v1, v2)
	orders, err := NewRoutedOrders(cfg)
	require.NoError(t, err)
	r.At(flags.Shadow)
	require.NoError(t, orders.Save(ctx, "t", base.Order{ID: 1, Notes: []string{"n"}}))
	require.NoError(t, orders.Save(ctx, "t", base.Order{ID: 2}))
	require.NoError(t, orders.Delete(ctx, "t", 2))
	v2.Set("t", 1, base.Order{ID: 1, Notes: []string{"m"}})
	v2.lost = 1
	o, err := orders.Get(ctx, "t", 1)
	require.NoError(t, err)
	assert.Equal(t, []string{"n"}, o.Notes)
	n, err := orders.Count(ctx, "t", "")
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	keys, err := orders.Keys(ctx, "t", nil, 5)
	require.NoError(t, err)
	assert.Equal(t, []int64{1}, keys)
	assert.Equal(t, []string{"orders.Count ", "orders.Get Notes[0]"}, r.Mismatches())
}
