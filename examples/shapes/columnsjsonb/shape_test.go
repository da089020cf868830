package columnsjsonb_test

import (
	"context"
	"math"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/columnsjsonb"
)

func device(n byte, firmware string, gain float64) columnsjsonb.Device {
	alias := "<door> \u2028"
	return columnsjsonb.Device{
		TenantID: tenant, ID: id(n), Serial: "A-1", Firmware: firmware, Pulses: 1<<53 + 1, Gain: gain, Alias: &alias,
	}
}

var firmwares = rapid.SampledFrom([]string{"1.0", "1.00", ""})

// meeting has firmwares found that were saved.
var meeting = []crossfadetest.Option{
	crossfadetest.Field("Device.Firmware", firmwares),
	crossfadetest.Field("ByFirmware.firmware", firmwares),
}

// change is a value and what becomes of it.
func change() (before, after columnsjsonb.Device) {
	return device(1, "1.0", 1), device(1, "1.1", 2)
}

// seed is what version 1 holds before the migration.
func seed(ctx context.Context, r columnsjsonb.Devices) error {
	for _, each := range []columnsjsonb.Device{device(1, "1.0", 0.1), device(2, "1.1", math.MaxFloat64), device(3, "1.0", -1e-300)} {
		if err := r.Save(ctx, each); err != nil {
			return err
		}
	}
	return nil
}

// story is a test of the application's own, which knows nothing about stages.
func story(t *testing.T, r columnsjsonb.Devices) {
	ctx := t.Context()
	same(t, r, device(1, "1.0", 0.1))
	same(t, r, device(2, "1.1", math.MaxFloat64))
	same(t, r, device(3, "1.0", -1e-300))
	require.NoError(t, r.Save(ctx, device(4, "1.0", 0)))
	found, err := r.ByFirmware(ctx, tenant, "1.0", 10)
	require.NoError(t, err)
	require.Len(t, found, 3)

	first := device(1, "2.0", 0.1+0.2)
	first.Alias, first.Pulses = nil, math.MinInt64
	require.NoError(t, r.Save(ctx, first))
	same(t, r, first)
	pulses, err := r.CountPulses(ctx, tenant, id(4), 2)
	require.NoError(t, err)
	require.EqualValues(t, 1<<53+3, pulses)
	require.ErrorIs(t, r.Save(ctx, device(4, "1.0", math.NaN())), columnsjsonb.ErrRefused)
	require.ErrorIs(t, r.Save(ctx, device(4, "\xff", 1)), columnsjsonb.ErrRefused)
	locked, err := r.GetForUpdate(ctx, tenant, first.ID)
	require.NoError(t, err)
	require.Empty(t, columnsjsonb.DiffDevice(first, locked))

	require.NoError(t, r.Delete(ctx, tenant, first.ID))
	_, err = r.Get(ctx, tenant, first.ID)
	require.ErrorIs(t, err, columnsjsonb.ErrNotFound)
	_, err = r.GetForUpdate(ctx, tenant, first.ID)
	require.ErrorIs(t, err, columnsjsonb.ErrNotFound)
	require.ErrorIs(t, r.Delete(ctx, tenant, first.ID), columnsjsonb.ErrNotFound)
	_, err = r.CountPulses(ctx, tenant, first.ID, 1)
	require.ErrorIs(t, err, columnsjsonb.ErrNotFound)

	require.NoError(t, r.Save(ctx, first))
	same(t, r, first)
	keys, err := r.Keys(ctx, tenant, nil, 2)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{id(1), id(2)}, keys)
	keys, err = r.Keys(ctx, tenant, &keys[1], 10)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{id(3), id(4)}, keys)
}
