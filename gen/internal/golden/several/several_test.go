package several

import (
	"cmp"
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/gen/internal/golden/rig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type products struct{ rig.Table[string, Product] }

func (m *products) Find(_ context.Context, tenant, sku string) (Product, error) {
	p, ok := m.Row(tenant, sku)
	if !ok {
		return p, &NotThereError{SKU: sku}
	}
	return p, nil
}

func (m *products) Put(_ context.Context, tenant string, p Product) error {
	m.Set(tenant, p.SKU, p)
	return nil
}

func (m *products) Remove(_ context.Context, tenant, sku string) error {
	m.Table.Remove(tenant, sku)
	return nil
}

func (m *products) SKUs(_ context.Context, tenant string, after *string, limit int) ([]string, error) {
	return m.After(tenant, after, limit), nil
}

type stocks struct{ rig.Table[string, Stock] }

func (m *stocks) Find(_ context.Context, tenant, sku string) (Stock, bool, error) {
	s, ok := m.Row(tenant, sku)
	return s, ok, nil
}

func (m *stocks) Put(_ context.Context, tenant string, s *Stock) (int, error) {
	m.Set(tenant, s.SKU, *s)
	return 7, nil
}

func (m *stocks) Remove(_ context.Context, tenant, sku string) (bool, error) {
	_, ok := m.Row(tenant, sku)
	m.Table.Remove(tenant, sku)
	return ok, nil
}

func (m *stocks) SKUs(_ context.Context, tenant string, after *string, limit int) ([]string, error) {
	return m.After(tenant, after, limit), nil
}

type supplierRows struct{ rig.Table[string, Supplier] }

func (m *supplierRows) Load(_ context.Context, tenant, name string) (*Supplier, error) {
	s, ok := m.Row(tenant, name)
	switch {
	case name == "gone":
		return nil, errGone
	case !ok:
		return nil, nil
	}
	return &s, nil
}

func (m *supplierRows) Store(_ context.Context, tenant string, s Supplier) error {
	m.Set(tenant, s.Name, s)
	return nil
}

func (m *supplierRows) Drop(_ context.Context, tenant, name string) error {
	m.Remove(tenant, name)
	return errGone
}

func (m *supplierRows) Names(_ context.Context, tenant string, after *string, limit int) ([]string, error) {
	return m.After(tenant, after, limit), nil
}

func TestNotThereByErrorType(t *testing.T) {
	ctx := t.Context()
	v1, v2 := &products{}, &products{}
	v1.Order, v2.Order = cmp.Compare[string], cmp.Compare[string]
	r, cfg := rig.New[Products](t, v1, v2)
	routed, err := NewRoutedProducts(cfg)
	require.NoError(t, err)
	r.At(flags.Shadow)
	require.NoError(t, routed.Put(ctx, "t", Product{SKU: "a", Price: Money{1, "EUR"}}))
	v2.Set("t", "a", Product{SKU: "a", Price: Money{2, "EUR"}})
	_, err = routed.Find(ctx, "t", "a")
	require.NoError(t, err)
	_, err = routed.Find(ctx, "t", "none")
	var none *NotThereError
	require.ErrorAs(t, err, &none)
	copier := routed.Route().Copier()
	assert.True(t, copier.NotFound(err))
	assert.Equal(t, []string{"Products.Find Price.Cents"}, r.Mismatches())
	v1.Table.Remove("t", "a")
	require.NoError(t, copier.Copy(ctx, v1, v2, "t", "a"))
	assert.Empty(t, v2.Rows("t"))
}

func TestNotThereByBool(t *testing.T) {
	ctx := t.Context()
	v1, v2 := &stocks{}, &stocks{}
	v1.Order, v2.Order = cmp.Compare[string], cmp.Compare[string]
	r, cfg := rig.New[Stocks](t, v1, v2)
	routed, err := NewRoutedStocks(cfg)
	require.NoError(t, err)
	r.At(flags.Shadow)
	version, err := routed.Put(ctx, "t", &Stock{SKU: "a", Count: 1})
	require.NoError(t, err)
	assert.Equal(t, 7, version)
	_, err = routed.Put(ctx, "t", nil)
	require.ErrorContains(t, err, "Stocks.Put: s.SKU cannot be read")
	copier := routed.Route().Copier()
	v2.Table.Remove("t", "a")
	has, err := copier.Has(ctx, v2, "t", "a")
	require.NoError(t, err)
	assert.False(t, has)
	_, found, err := routed.Find(ctx, "t", "a")
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, []string{"Stocks.Find Found", "Stocks.Find Stock.Count", "Stocks.Find Stock.SKU"}, r.Mismatches())
	require.NoError(t, copier.Copy(ctx, v1, v2, "t", "a"))
	assert.Equal(t, v1.Rows("t"), v2.Rows("t"))
	v1.Table.Remove("t", "a")
	require.NoError(t, copier.Copy(ctx, v1, v2, "t", "a"))
	assert.Empty(t, v2.Rows("t"))
	existed, err := routed.Remove(ctx, "t", "a")
	require.NoError(t, err)
	assert.False(t, existed)
}

func TestNotThereByNilOrByFunction(t *testing.T) {
	ctx := t.Context()
	v1, v2 := &supplierRows{}, &supplierRows{}
	v1.Order, v2.Order = cmp.Compare[string], cmp.Compare[string]
	r, cfg := rig.New[suppliers](t, v1, v2)
	routed, err := newRoutedSuppliers(cfg)
	require.NoError(t, err)
	require.NoError(t, routed.Store(ctx, "t", Supplier{Name: "s"}))
	copier := routed.Route().Copier()
	require.NoError(t, copier.Copy(ctx, v1, v2, "t", "s"))
	diffs, err := copier.Diff(ctx, v1, v2, "t", "s")
	require.NoError(t, err)
	assert.Empty(t, diffs)
	for _, name := range []string{"s", "gone"} {
		v1.Remove("t", name)
		require.NoError(t, copier.Copy(ctx, v1, v2, "t", name), "Drop says that it is gone")
	}
	assert.Empty(t, v2.Rows("t"))
	r.At(flags.Shadow)
	s, err := routed.Load(ctx, "t", "s")
	require.NoError(t, err)
	assert.Nil(t, s)
	assert.Empty(t, r.Mismatches())
}
