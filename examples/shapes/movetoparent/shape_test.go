package movetoparent_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/movetoparent"
)

func order(n byte, currency string, lines ...movetoparent.Line) movetoparent.Order {
	return movetoparent.Order{TenantID: tenant, ID: id(n), PlacedAt: time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC), Currency: currency, Lines: lines}
}

var one, two = movetoparent.Line{SKU: "a,{}\"", Quantity: 1}, movetoparent.Line{SKU: "b", Quantity: -2}

var currencies = rapid.SampledFrom([]string{"EUR", "eur", ""})

// meeting has currencies found that were saved.
var meeting = []crossfadetest.Option{
	crossfadetest.Field("Order.Currency", currencies),
	crossfadetest.Field("ByCurrency.currency", currencies),
	crossfadetest.Field("ChangeCurrency.currency", currencies),
}

// change is a value and what becomes of it.
func change() (before, after movetoparent.Order) {
	return order(1, "X", one, two), order(1, "Y", two, two, one)
}

// seed is what version 1 holds before the migration.
func seed(ctx context.Context, r movetoparent.Orders) error {
	for _, each := range []movetoparent.Order{order(1, "X", one, two), order(2, "Y", two), order(3, "X", one, one, one)} {
		if err := r.Save(ctx, each); err != nil {
			return err
		}
	}
	return nil
}

// story is a test of the application's own, which knows nothing about stages.
func story(t *testing.T, r movetoparent.Orders) {
	ctx := t.Context()
	same(t, r, order(1, "X", one, two))
	same(t, r, order(3, "X", one, one, one))
	require.ErrorIs(t, r.Save(ctx, order(4, "Y")), movetoparent.ErrNoLines)
	require.NoError(t, r.Save(ctx, order(4, "Y", one)))
	same(t, r, order(4, "Y", one))
	found, err := r.ByCurrency(ctx, tenant, "X", 10)
	require.NoError(t, err)
	require.Len(t, found, 2)

	require.NoError(t, r.ChangeCurrency(ctx, tenant, id(3), "Y"))
	same(t, r, order(3, "Y", one, one, one))
	first := order(1, "X", two)
	require.NoError(t, r.Save(ctx, first), "shorter than it was")
	same(t, r, first)
	first.Lines = []movetoparent.Line{two, one, two, one}
	require.NoError(t, r.Save(ctx, first), "longer than it was")
	same(t, r, first)
	locked, err := r.GetForUpdate(ctx, tenant, first.ID)
	require.NoError(t, err)
	require.Empty(t, movetoparent.DiffOrder(first, locked))

	require.NoError(t, r.Delete(ctx, tenant, first.ID))
	_, err = r.Get(ctx, tenant, first.ID)
	require.ErrorIs(t, err, movetoparent.ErrNotFound)
	_, err = r.GetForUpdate(ctx, tenant, first.ID)
	require.ErrorIs(t, err, movetoparent.ErrNotFound)
	require.ErrorIs(t, r.Delete(ctx, tenant, first.ID), movetoparent.ErrNotFound)
	require.ErrorIs(t, r.ChangeCurrency(ctx, tenant, first.ID, "Y"), movetoparent.ErrNotFound)

	require.NoError(t, r.Save(ctx, first))
	same(t, r, first)
	keys, err := r.Keys(ctx, tenant, nil, 2)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{id(1), id(2)}, keys)
	keys, err = r.Keys(ctx, tenant, &keys[1], 10)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{id(3), id(4)}, keys)
}
