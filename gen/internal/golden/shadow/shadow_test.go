package shadow

import (
	"cmp"
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/gen/internal/golden/rig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type memory struct{ rig.Table[string, served] }

func newMemory() *memory {
	m := &memory{}
	m.Order = cmp.Compare[string]
	return m
}

func (m *memory) Get(_ context.Context, tenant string, id string) (served, error) {
	row, ok := m.Row(tenant, id)
	if !ok {
		return row, ErrNone
	}
	return row, nil
}

func (m *memory) Search(_ context.Context, tenant string, a, b, c, d string, e int, f, g bool) ([]served, error) {
	m.Called(fmt.Sprint(a, b, c, d, e, f, g))
	return m.Rows(tenant), nil
}

func (m *memory) All(_ context.Context, tenant string, numbers ...int) (c, []served, error) {
	list := c{}
	for range numbers {
		list = append(list, side{other{"o"}})
	}
	return list, m.Rows(tenant), nil
}

func (m *memory) Lower(_ context.Context, _ string, a, b, c string, d, e int) ([]side, int, error) {
	return []side{{other{fmt.Sprint(a, b, c, d, e)}}}, d, nil
}

func (m *memory) Save(_ context.Context, tenant string, row served) error {
	m.Set(tenant, row.ID, row)
	return nil
}

func (m *memory) Delete(_ context.Context, tenant string, id string) error {
	m.Remove(tenant, id)
	return nil
}

func (m *memory) Keys(_ context.Context, tenant string, after *string, limit int) ([]string, error) {
	return m.After(tenant, after, limit), nil
}

func TestUnluckyNamesReachTheRightPlaces(t *testing.T) {
	ctx := t.Context()
	v1, v2 := newMemory(), newMemory()
	r, cfg := rig.New[Sides](t, v1, v2)
	sides, err := NewRoutedSides(cfg)
	require.NoError(t, err)
	r.At(flags.Shadow)
	require.NoError(t, sides.Save(ctx, "t", served{"id", "name"}))
	v2.Set("t", "id", served{"id", "other"})
	row, err := sides.Get(ctx, "t", "id")
	require.NoError(t, err)
	assert.Equal(t, "name", row.Name)
	_, err = sides.Search(ctx, "t", "a", "b", "c", "d", 5, true, false)
	require.NoError(t, err)
	assert.Contains(t, v1.Calls(), "abcd5 true false")
	list, rows, err := sides.All(ctx, "t", 1, 2)
	require.NoError(t, err)
	assert.Len(t, list, 2)
	assert.Len(t, rows, 1)
	lower, n, err := sides.Lower(ctx, "t", "x", "y", "z", 3, 4)
	require.NoError(t, err)
	assert.Equal(t, []side{{other{"xyz3 4"}}}, lower)
	assert.Equal(t, 3, n)
	assert.Equal(t, []string{
		"Sides.All Serveds[0].Name", "Sides.Get Name", "Sides.Search [0].Name",
	}, r.Mismatches())
	require.NoError(t, sides.Delete(ctx, "t", "id"))
	assert.Empty(t, v2.Rows("t"))
	assert.Equal(t, v, customersKeyText())
	assert.Equal(t, 10, opSidesGet+sidesCopier+sidesSearchArgs+diffServedList)
}
