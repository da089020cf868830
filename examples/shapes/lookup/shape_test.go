package lookup_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/lookup"
)

func product(n byte, category string) lookup.Product {
	return lookup.Product{TenantID: tenant, ID: id(n), Name: "saw", Category: category, PriceCents: -1 << 60}
}

var categories = rapid.SampledFrom([]string{"tools", "Tools", "tools ", ""})

// meeting has categories found that were saved.
var meeting = []crossfadetest.Option{
	crossfadetest.Field("Product.Category", categories),
	crossfadetest.Field("ByCategory.category", categories),
	crossfadetest.Field("ChangeCategory.category", categories),
}

// change is a value and what becomes of it.
func change() (before, after lookup.Product) {
	before, after = product(1, "tools"), product(1, "garden")
	after.Name = "hose"
	return before, after
}

// seed is what version 1 holds before the migration.
func seed(ctx context.Context, r lookup.Products) error {
	for _, each := range []lookup.Product{product(1, "tools"), product(2, "Tools"), product(3, "tools")} {
		if err := r.Save(ctx, each); err != nil {
			return err
		}
	}
	return nil
}

// story is a test of the application's own, which knows nothing about stages.
func story(t *testing.T, r lookup.Products) {
	ctx := t.Context()
	same(t, r, product(1, "tools"))
	same(t, r, product(2, "Tools"))
	require.NoError(t, r.Save(ctx, product(4, "tools ")))
	same(t, r, product(4, "tools "))
	require.NoError(t, r.ChangeCategory(ctx, tenant, id(4), "tools"))
	tools, err := r.ByCategory(ctx, tenant, "tools", 10)
	require.NoError(t, err)
	require.Len(t, tools, 3)

	first := product(1, "garden")
	require.NoError(t, r.Save(ctx, first))
	same(t, r, first)
	same(t, r, product(3, "tools"))
	none, err := r.ByCategory(ctx, tenant, "tools ", 10)
	require.NoError(t, err)
	require.Empty(t, none)
	locked, err := r.GetForUpdate(ctx, tenant, first.ID)
	require.NoError(t, err)
	require.Empty(t, lookup.DiffProduct(first, locked))

	require.NoError(t, r.Delete(ctx, tenant, first.ID))
	_, err = r.Get(ctx, tenant, first.ID)
	require.ErrorIs(t, err, lookup.ErrNotFound)
	_, err = r.GetForUpdate(ctx, tenant, first.ID)
	require.ErrorIs(t, err, lookup.ErrNotFound)
	require.ErrorIs(t, r.Delete(ctx, tenant, first.ID), lookup.ErrNotFound)
	require.ErrorIs(t, r.ChangeCategory(ctx, tenant, first.ID, "new"), lookup.ErrNotFound)

	require.NoError(t, r.Save(ctx, first))
	same(t, r, first)
	keys, err := r.Keys(ctx, tenant, nil, 2)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{id(1), id(2)}, keys)
	keys, err = r.Keys(ctx, tenant, &keys[1], 10)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{id(3), id(4)}, keys)
}
