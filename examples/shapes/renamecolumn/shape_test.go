package renamecolumn_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/examples/shapes/renamecolumn"
)

// existingRows are in version 1 before the migration begins.
const existingRows = `insert into contacts_v1 (tenant_id, id, name, mobile) values
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000001', 'Ada', '+44 20 1815'),
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000002', 'Bo', null),
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000003', '', '')`

func contact(n byte, name string, phone *string) renamecolumn.Contact {
	return renamecolumn.Contact{TenantID: tenant, ID: id(n), Name: name, Phone: phone}
}

// story is a test of the application's own, which knows nothing about stages.
func story(t *testing.T, r renamecolumn.Contacts) {
	ctx, ada, office := t.Context(), "+44 20 1815", "+44 20 1852"
	same(t, r, contact(1, "Ada", &ada))
	same(t, r, contact(2, "Bo", nil))
	same(t, r, contact(3, "", new(string)))

	require.NoError(t, r.Save(ctx, contact(4, "Cy O'Neil", &ada)))
	found, err := r.ByPhone(ctx, tenant, ada, 10)
	require.NoError(t, err)
	assert.Equal(t, []renamecolumn.Contact{contact(1, "Ada", &ada), contact(4, "Cy O'Neil", &ada)}, found)

	require.NoError(t, r.ChangePhone(ctx, tenant, id(1), &office))
	require.NoError(t, r.ChangePhone(ctx, tenant, id(4), nil))
	found, err = r.ByPhone(ctx, tenant, office, 10)
	require.NoError(t, err)
	assert.Equal(t, []renamecolumn.Contact{contact(1, "Ada", &office)}, found)
	same(t, r, contact(4, "Cy O'Neil", nil))
	locked, err := r.GetForUpdate(ctx, tenant, id(1))
	require.NoError(t, err)
	assert.Equal(t, contact(1, "Ada", &office), locked)

	require.NoError(t, r.Delete(ctx, tenant, id(1)))
	_, err = r.Get(ctx, tenant, id(1))
	require.ErrorIs(t, err, renamecolumn.ErrNotFound)
	require.ErrorIs(t, r.ChangePhone(ctx, tenant, id(1), &ada), renamecolumn.ErrNotFound)
	require.ErrorIs(t, r.Delete(ctx, tenant, id(1)), renamecolumn.ErrNotFound)

	keys, err := r.Keys(ctx, tenant, nil, 1)
	require.NoError(t, err)
	assert.Equal(t, []uuid.UUID{id(2)}, keys)
	keys, err = r.Keys(ctx, tenant, &keys[0], 10)
	require.NoError(t, err)
	assert.Equal(t, []uuid.UUID{id(3), id(4)}, keys)
}
