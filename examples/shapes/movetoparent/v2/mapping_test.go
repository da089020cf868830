package v2

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/examples/shapes/movetoparent"
	"github.com/crossfade-db/crossfade/examples/shapes/movetoparent/v2/queries"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLinesAreTheSameThereAndBack(t *testing.T) {
	lines := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) movetoparent.Line {
		return movetoparent.Line{SKU: rapid.String().Draw(t, "sku"), Quantity: rapid.Int32().Draw(t, "quantity")}
	}), 1, 20)
	rapid.Check(t, func(t *rapid.T) {
		want := lines.Draw(t, "lines")
		skus, quantities, err := mapping{}.SaveParams(movetoparent.Order{Lines: want})
		require.NoError(t, err)
		got, err := mapping{}.OrderFromRow(queries.GetOrderRow{Skus: skus, Quantities: quantities})
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestNoLinesAreRefused(t *testing.T) {
	_, _, err := mapping{}.SaveParams(movetoparent.Order{})
	require.ErrorIs(t, err, movetoparent.ErrNoLines)
}
