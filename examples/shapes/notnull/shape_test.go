package notnull_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/examples/shapes/notnull"
)

// existingRows are in version 1 before the migration begins.
const existingRows = `insert into readers_v1 (tenant_id, id, name, language) values
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000001', 'Ada', 'en'),
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000002', 'Bo', null),
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000003', 'Cy', '')`

func reader(n byte, name, language string) notnull.Reader {
	return notnull.Reader{TenantID: tenant, ID: id(n), Name: name, Language: language}
}

// story is a test of the application's own, which knows nothing about stages.
func story(t *testing.T, r notnull.Readers) {
	ctx := t.Context()
	same(t, r, reader(1, "Ada", "en"))
	same(t, r, reader(2, "Bo", "en"))
	same(t, r, reader(3, "Cy", ""))
	found, err := r.ByLanguage(ctx, tenant, "en", 10)
	require.NoError(t, err)
	assert.Equal(t, []notnull.Reader{reader(1, "Ada", "en"), reader(2, "Bo", "en")}, found)

	require.NoError(t, r.Save(ctx, reader(4, "Dee", "ga")))
	require.NoError(t, r.SetLanguage(ctx, tenant, id(2), "ga"))
	found, err = r.ByLanguage(ctx, tenant, "ga", 10)
	require.NoError(t, err)
	assert.Equal(t, []notnull.Reader{reader(2, "Bo", "ga"), reader(4, "Dee", "ga")}, found)

	require.NoError(t, r.Delete(ctx, tenant, id(1)))
	_, err = r.Get(ctx, tenant, id(1))
	require.ErrorIs(t, err, notnull.ErrNotFound)
	require.ErrorIs(t, r.SetLanguage(ctx, tenant, id(1), "en"), notnull.ErrNotFound)
	require.ErrorIs(t, r.Delete(ctx, tenant, id(1)), notnull.ErrNotFound)

	keys, err := r.Keys(ctx, tenant, nil, 1)
	require.NoError(t, err)
	assert.Equal(t, []uuid.UUID{id(2)}, keys)
	keys, err = r.Keys(ctx, tenant, &keys[0], 10)
	require.NoError(t, err)
	assert.Equal(t, []uuid.UUID{id(3), id(4)}, keys)
}
