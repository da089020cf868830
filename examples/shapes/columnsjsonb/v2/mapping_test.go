package v2

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/examples/shapes/columnsjsonb"
	"github.com/crossfade-db/crossfade/examples/shapes/columnsjsonb/v2/queries"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDevicesAreTheSameThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := columnsjsonb.Device{
			Firmware: rapid.String().Draw(t, "firmware"), Pulses: rapid.Int64().Draw(t, "pulses"),
			Gain:  rapid.Float64().Filter(func(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }).Draw(t, "gain"),
			Alias: rapid.Ptr(rapid.String(), true).Draw(t, "alias"),
		}
		state, err := mapping{}.SaveParams(want)
		require.NoError(t, err)
		var got columnsjsonb.Device
		got.Firmware, got.Pulses, got.Gain, got.Alias, err = mapping{}.DeviceFromRow(queries.Device{State: state})
		require.NoError(t, err)
		require.Empty(t, columnsjsonb.DiffDevice(want, got))
	})
}

func TestWhatTheDocumentWouldChangeIsRefused(t *testing.T) {
	alias := "\xff"
	for name, d := range map[string]columnsjsonb.Device{
		"text that is not UTF-8": {Firmware: "\xff"},
		"also in the alias":      {Alias: &alias},
		"an infinite gain":       {Gain: math.Inf(-1)},
		"a gain that is none":    {Gain: math.NaN()},
	} {
		_, err := mapping{}.SaveParams(d)
		require.ErrorIs(t, err, columnsjsonb.ErrRefused, name)
	}
}

func TestADocumentThatDoesNotFitIsAnError(t *testing.T) {
	for _, state := range []string{`{"colour": "red"}`, `{"pulses": 9223372036854775808}`, `{"gain": "1"}`, `7`} {
		_, _, _, _, err := mapping{}.DeviceFromRow(queries.Device{State: []byte(state)})
		require.ErrorIs(t, err, errDocument, state)
	}
}
