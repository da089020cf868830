package typenumeric_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/examples/shapes/typenumeric"
)

// existingRows are in version 1 before the migration begins, with what arithmetic left behind the hundredths.
const existingRows = `insert into wares_v1 (tenant_id, id, name, price) values
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000001', 'Pin', 0.1::double precision + 0.2::double precision),
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000002', 'Needle', 1.005),
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000003', 'House', 9999999999.99)`

func ware(n byte, name, price string) typenumeric.Ware {
	return typenumeric.Ware{TenantID: tenant, ID: id(n), Name: name, Price: decimal.RequireFromString(price)}
}

// story is a test of the application's own, which knows nothing about stages.
func story(t *testing.T, r typenumeric.Wares) {
	ctx := t.Context()
	same(t, r, ware(1, "Pin", "0.30"))
	same(t, r, ware(2, "Needle", "1.01"))
	same(t, r, ware(3, "House", "9999999999.99"))

	require.NoError(t, r.Save(ctx, ware(4, "Thread", "-0.125")))
	same(t, r, ware(4, "Thread", "-0.13"))
	require.Error(t, r.Save(ctx, ware(5, "Castle", "10000000000")), "it has too many digits")
	sum, err := r.Raise(ctx, tenant, id(1), decimal.RequireFromString("0.105"))
	require.NoError(t, err)
	assert.Equal(t, "0.41", sum.String())
	_, err = r.Raise(ctx, tenant, id(3), decimal.RequireFromString("0.01"))
	require.Error(t, err)

	found, err := r.Cheapest(ctx, tenant, decimal.RequireFromString("1.01"), 10)
	require.NoError(t, err)
	var names []string
	for _, w := range found {
		names = append(names, w.Name)
	}
	assert.Equal(t, []string{"Thread", "Pin", "Needle"}, names)

	require.NoError(t, r.Delete(ctx, tenant, id(1)))
	_, err = r.Get(ctx, tenant, id(1))
	require.ErrorIs(t, err, typenumeric.ErrNotFound)
	_, err = r.Raise(ctx, tenant, id(1), decimal.Zero)
	require.ErrorIs(t, err, typenumeric.ErrNotFound)
	require.ErrorIs(t, r.Delete(ctx, tenant, id(1)), typenumeric.ErrNotFound)

	keys, err := r.Keys(ctx, tenant, nil, 1)
	require.NoError(t, err)
	assert.Equal(t, []uuid.UUID{id(2)}, keys)
	keys, err = r.Keys(ctx, tenant, &keys[0], 10)
	require.NoError(t, err)
	assert.Equal(t, []uuid.UUID{id(3), id(4)}, keys)
}
