package typeenum_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/examples/shapes/typeenum"
)

// existingRows are in version 1 before the migration begins, as they were written over the years.
const existingRows = `insert into parcels_v1 (tenant_id, id, address, status) values
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000001', 'Here', 'packed'),
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000002', 'There', 'Shipped'),
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000003', 'Elsewhere', ' DELIVERED ')`

func parcel(n byte, address string, status typeenum.Status) typeenum.Parcel {
	return typeenum.Parcel{TenantID: tenant, ID: id(n), Address: address, Status: status}
}

// story is a test of the application's own, which knows nothing about stages.
func story(t *testing.T, r typeenum.Parcels) {
	ctx := t.Context()
	same(t, r, parcel(1, "Here", typeenum.Packed))
	same(t, r, parcel(2, "There", typeenum.Shipped))
	same(t, r, parcel(3, "Elsewhere", typeenum.Delivered))

	require.NoError(t, r.Save(ctx, parcel(4, "O'Connell Street", typeenum.Shipped)))
	found, err := r.ByStatus(ctx, tenant, typeenum.Shipped, 10)
	require.NoError(t, err)
	assert.Equal(t, []typeenum.Parcel{
		parcel(2, "There", typeenum.Shipped), parcel(4, "O'Connell Street", typeenum.Shipped),
	}, found)

	require.NoError(t, r.SetStatus(ctx, tenant, id(2), typeenum.Delivered))
	same(t, r, parcel(2, "There", typeenum.Delivered))
	require.Error(t, r.SetStatus(ctx, tenant, id(2), "lost"), "it is none of the statuses")
	require.Error(t, r.Save(ctx, parcel(5, "Nowhere", "")))
	same(t, r, parcel(2, "There", typeenum.Delivered))

	require.NoError(t, r.Delete(ctx, tenant, id(1)))
	_, err = r.Get(ctx, tenant, id(1))
	require.ErrorIs(t, err, typeenum.ErrNotFound)
	require.ErrorIs(t, r.SetStatus(ctx, tenant, id(1), typeenum.Packed), typeenum.ErrNotFound)
	require.ErrorIs(t, r.Delete(ctx, tenant, id(1)), typeenum.ErrNotFound)

	keys, err := r.Keys(ctx, tenant, nil, 1)
	require.NoError(t, err)
	assert.Equal(t, []uuid.UUID{id(2)}, keys)
	keys, err = r.Keys(ctx, tenant, &keys[0], 10)
	require.NoError(t, err)
	assert.Equal(t, []uuid.UUID{id(3), id(4)}, keys)
}
