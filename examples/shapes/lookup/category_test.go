package lookup_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/crossfade-db/crossfade/crossfadetest"
	v2 "github.com/crossfade-db/crossfade/examples/shapes/lookup/v2"
)

func TestTwoWhoAddTheSameCategoryShareIt(t *testing.T) {
	ctx, pool := t.Context(), crossfadetest.Postgres(t, schema)
	first, err := pool.Begin(ctx)
	require.NoError(t, err)
	defer first.Rollback(ctx)
	require.NoError(t, v2.New(first).Save(ctx, product(1, "new")))
	var group errgroup.Group
	group.Go(func() error { return v2.New(pool).Save(ctx, product(2, "new")) })
	for waits := false; !waits; {
		require.NoError(t, first.QueryRow(ctx, "select exists (select from pg_locks where not granted)").Scan(&waits))
	}
	require.NoError(t, first.Commit(ctx))
	require.NoError(t, group.Wait())

	same(t, v2.New(pool), product(1, "new"))
	same(t, v2.New(pool), product(2, "new"))
	var categories int
	require.NoError(t, pool.QueryRow(ctx, "select count(*) from categories_v2").Scan(&categories))
	require.Equal(t, 1, categories)
}
