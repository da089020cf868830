package v1

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/examples/shapes/movetochild"
	"github.com/crossfade-db/crossfade/examples/shapes/movetochild/v1/queries"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParcelsAreTheSameThereAndBack(t *testing.T) {
	parcels := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) movetochild.Parcel {
		return movetochild.Parcel{Barcode: rapid.String().Draw(t, "barcode"), Grams: rapid.Int32().Draw(t, "grams")}
	}), 1, 20)
	rapid.Check(t, func(t *rapid.T) {
		want := parcels.Draw(t, "parcels")
		barcodes, grams, err := mapping{}.SaveParams(movetochild.Shipment{Parcels: want})
		require.NoError(t, err)
		got, err := mapping{}.ShipmentFromRow(queries.GetShipmentRow{Barcodes: barcodes, Grams: grams})
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestNoParcelsAreRefused(t *testing.T) {
	_, _, err := mapping{}.SaveParams(movetochild.Shipment{})
	require.ErrorIs(t, err, movetochild.ErrNoParcels)
}
