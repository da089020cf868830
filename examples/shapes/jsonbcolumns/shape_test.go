package jsonbcolumns_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/jsonbcolumns"
)

func venue(n byte, city string, tags ...string) jsonbcolumns.Venue {
	seats := int64(1)<<53 + int64(n)
	return jsonbcolumns.Venue{
		TenantID: tenant, ID: id(n), Name: "<Old> & \"new\" \u2028", City: city, Seats: &seats,
		OpenedAt: time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.FixedZone("east", 19800)), Tags: tags,
	}
}

var cities = rapid.SampledFrom([]string{"Oslo", "oslo", ""})

// meeting has cities found that were saved.
var meeting = []crossfadetest.Option{
	crossfadetest.Field("Venue.City", cities),
	crossfadetest.Field("ByCity.city", cities),
	crossfadetest.Field("ChangeCity.city", cities),
}

// change is a value and what becomes of it.
func change() (before, after jsonbcolumns.Venue) {
	return venue(1, "Oslo", "jazz"), venue(1, "Bergen")
}

// seed is what version 1 holds before the migration.
func seed(ctx context.Context, r jsonbcolumns.Venues) error {
	for _, each := range []jsonbcolumns.Venue{venue(1, "Oslo", "jazz", "a,b"), venue(2, "Bergen"), venue(3, "Oslo", "")} {
		if err := r.Save(ctx, each); err != nil {
			return err
		}
	}
	return nil
}

// story is a test of the application's own, which knows nothing about stages.
func story(t *testing.T, r jsonbcolumns.Venues) {
	ctx := t.Context()
	same(t, r, venue(1, "Oslo", "jazz", "a,b"))
	same(t, r, venue(2, "Bergen"))
	require.NoError(t, r.Save(ctx, venue(4, "Oslo")))
	found, err := r.ByCity(ctx, tenant, "Oslo", 10)
	require.NoError(t, err)
	require.Len(t, found, 3)

	first := venue(1, "O'Slo")
	require.NoError(t, r.ChangeCity(ctx, tenant, first.ID, "x"))
	same(t, r, venue(1, "x", "jazz", "a,b"))
	first.Seats, first.Name = nil, ""
	require.NoError(t, r.Save(ctx, first))
	same(t, r, first)
	refused := venue(4, "\xff")
	require.ErrorIs(t, r.Save(ctx, refused), jsonbcolumns.ErrRefused)
	refused.City, refused.OpenedAt = "Oslo", refused.OpenedAt.AddDate(9000, 0, 0)
	require.ErrorIs(t, r.Save(ctx, refused), jsonbcolumns.ErrRefused)
	locked, err := r.GetForUpdate(ctx, tenant, first.ID)
	require.NoError(t, err)
	require.Empty(t, jsonbcolumns.DiffVenue(first, locked))

	require.NoError(t, r.Delete(ctx, tenant, first.ID))
	_, err = r.Get(ctx, tenant, first.ID)
	require.ErrorIs(t, err, jsonbcolumns.ErrNotFound)
	_, err = r.GetForUpdate(ctx, tenant, first.ID)
	require.ErrorIs(t, err, jsonbcolumns.ErrNotFound)
	require.ErrorIs(t, r.Delete(ctx, tenant, first.ID), jsonbcolumns.ErrNotFound)
	require.ErrorIs(t, r.ChangeCity(ctx, tenant, first.ID, "x"), jsonbcolumns.ErrNotFound)

	require.NoError(t, r.Save(ctx, first))
	same(t, r, first)
	keys, err := r.Keys(ctx, tenant, nil, 2)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{id(1), id(2)}, keys)
	keys, err = r.Keys(ctx, tenant, &keys[1], 10)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{id(3), id(4)}, keys)
}
