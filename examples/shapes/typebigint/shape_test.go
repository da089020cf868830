package typebigint_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/examples/shapes/typebigint"
)

// existingRows are in version 1 before the migration begins.
const existingRows = `insert into articles_v1 (tenant_id, id, title, reads) values
	('00000000-0000-4000-8000-0000000000aa', 1, 'First', 0),
	('00000000-0000-4000-8000-0000000000aa', -7, 'Before', 12),
	('00000000-0000-4000-8000-0000000000aa', 2147483647, 'Last', 2147483647)`

func article(id int64, title string, reads int64) typebigint.Article {
	return typebigint.Article{TenantID: tenant, ID: id, Title: title, Reads: reads}
}

// story is a test of the application's own, which knows nothing about stages.
func story(t *testing.T, r typebigint.Articles) {
	ctx := t.Context()
	same(t, r, article(1, "First", 0))
	same(t, r, article(-7, "Before", 12))
	same(t, r, article(math.MaxInt32, "Last", math.MaxInt32))
	for _, beyond := range []int64{math.MaxInt32 + 1, math.MinInt64, math.MaxInt64} {
		_, err := r.Get(ctx, tenant, beyond)
		require.ErrorIs(t, err, typebigint.ErrNotFound)
		require.ErrorIs(t, r.Delete(ctx, tenant, beyond), typebigint.ErrNotFound)
		require.Error(t, r.Save(ctx, article(beyond, "Beyond", 0)), "version 1 has no place for it")
		require.Error(t, r.Save(ctx, article(2, "Beyond", beyond)))
	}

	require.NoError(t, r.Save(ctx, article(2, "Second", 5)))
	sum, err := r.AddReads(ctx, tenant, 2, 8)
	require.NoError(t, err)
	assert.EqualValues(t, 13, sum)
	_, err = r.AddReads(ctx, tenant, math.MaxInt32, 1)
	require.Error(t, err)
	found, err := r.MostRead(ctx, tenant, 12, 10)
	require.NoError(t, err)
	assert.Equal(t, []typebigint.Article{
		article(math.MaxInt32, "Last", math.MaxInt32), article(2, "Second", 13), article(-7, "Before", 12),
	}, found)
	found, err = r.MostRead(ctx, tenant, math.MaxInt64, 10)
	require.NoError(t, err)
	assert.Empty(t, found)

	require.NoError(t, r.Delete(ctx, tenant, 1))
	_, err = r.Get(ctx, tenant, 1)
	require.ErrorIs(t, err, typebigint.ErrNotFound)
	_, err = r.AddReads(ctx, tenant, 1, 1)
	require.ErrorIs(t, err, typebigint.ErrNotFound)

	keys, err := r.Keys(ctx, tenant, nil, 1)
	require.NoError(t, err)
	assert.Equal(t, []int64{-7}, keys)
	keys, err = r.Keys(ctx, tenant, &keys[0], 10)
	require.NoError(t, err)
	assert.Equal(t, []int64{2, math.MaxInt32}, keys)
}
