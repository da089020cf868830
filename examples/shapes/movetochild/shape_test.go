package movetochild_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/movetochild"
)

func shipment(n byte, carrier string, parcels ...movetochild.Parcel) movetochild.Shipment {
	return movetochild.Shipment{TenantID: tenant, ID: id(n), SentAt: time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC), Carrier: carrier, Parcels: parcels}
}

var one, two = movetochild.Parcel{Barcode: "a,{}\"", Grams: 1}, movetochild.Parcel{Barcode: "b", Grams: -2}

var carriers = rapid.SampledFrom([]string{"post", "Post", ""})

// meeting has carriers found that were saved.
var meeting = []crossfadetest.Option{
	crossfadetest.Field("Shipment.Carrier", carriers),
	crossfadetest.Field("ByCarrier.carrier", carriers),
	crossfadetest.Field("ChangeCarrier.carrier", carriers),
}

// change is a value and what becomes of it.
func change() (before, after movetochild.Shipment) {
	return shipment(1, "X", one, two), shipment(1, "Y", two, two, one)
}

// seed is what version 1 holds before the migration.
func seed(ctx context.Context, r movetochild.Shipments) error {
	for _, each := range []movetochild.Shipment{shipment(1, "X", one, two), shipment(2, "Y", two), shipment(3, "X", one, one, one)} {
		if err := r.Save(ctx, each); err != nil {
			return err
		}
	}
	return nil
}

// story is a test of the application's own, which knows nothing about stages.
func story(t *testing.T, r movetochild.Shipments) {
	ctx := t.Context()
	same(t, r, shipment(1, "X", one, two))
	same(t, r, shipment(3, "X", one, one, one))
	require.ErrorIs(t, r.Save(ctx, shipment(4, "Y")), movetochild.ErrNoParcels)
	require.NoError(t, r.Save(ctx, shipment(4, "Y", one)))
	same(t, r, shipment(4, "Y", one))
	found, err := r.ByCarrier(ctx, tenant, "X", 10)
	require.NoError(t, err)
	require.Len(t, found, 2)

	require.NoError(t, r.ChangeCarrier(ctx, tenant, id(3), "Y"))
	same(t, r, shipment(3, "Y", one, one, one))
	first := shipment(1, "X", two)
	require.NoError(t, r.Save(ctx, first), "shorter than it was")
	same(t, r, first)
	first.Parcels = []movetochild.Parcel{two, one, two, one}
	require.NoError(t, r.Save(ctx, first), "longer than it was")
	same(t, r, first)
	locked, err := r.GetForUpdate(ctx, tenant, first.ID)
	require.NoError(t, err)
	require.Empty(t, movetochild.DiffShipment(first, locked))

	require.NoError(t, r.Delete(ctx, tenant, first.ID))
	_, err = r.Get(ctx, tenant, first.ID)
	require.ErrorIs(t, err, movetochild.ErrNotFound)
	_, err = r.GetForUpdate(ctx, tenant, first.ID)
	require.ErrorIs(t, err, movetochild.ErrNotFound)
	require.ErrorIs(t, r.Delete(ctx, tenant, first.ID), movetochild.ErrNotFound)
	require.ErrorIs(t, r.ChangeCarrier(ctx, tenant, first.ID, "Y"), movetochild.ErrNotFound)

	require.NoError(t, r.Save(ctx, first))
	same(t, r, first)
	keys, err := r.Keys(ctx, tenant, nil, 2)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{id(1), id(2)}, keys)
	keys, err = r.Keys(ctx, tenant, &keys[1], 10)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{id(3), id(4)}, keys)
}
