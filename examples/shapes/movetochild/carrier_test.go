package movetochild_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/movetochild"
	v2 "github.com/crossfade-db/crossfade/examples/shapes/movetochild/v2"
)

func TestParcelsOfSeveralCarriersCannotBeRead(t *testing.T) {
	ctx, pool := t.Context(), crossfadetest.Postgres(t, schema)
	shipments := v2.New(pool)
	require.NoError(t, shipments.Save(ctx, shipment(1, "X", one, two)))
	_, err := pool.Exec(ctx, "update parcels_v2 set carrier = 'Y' where parcel_no = 2")
	require.NoError(t, err)
	_, err = shipments.Get(ctx, tenant, id(1))
	require.ErrorIs(t, err, movetochild.ErrCarriers)

	require.NoError(t, shipments.ChangeCarrier(ctx, tenant, id(1), "Y"), "that is how it is put right")
	same(t, shipments, shipment(1, "Y", one, two))
}
