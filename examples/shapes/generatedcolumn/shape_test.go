package generatedcolumn_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/generatedcolumn"
	"github.com/crossfade-db/crossfade/examples/shapes/generatedcolumn/generatedcolumntest"
	v1 "github.com/crossfade-db/crossfade/examples/shapes/generatedcolumn/v1"
	v2 "github.com/crossfade-db/crossfade/examples/shapes/generatedcolumn/v2"
)

func TestBothVersionsGiveTheSameAnswers(t *testing.T) {
	pool := crossfadetest.Postgres(t, tables)
	crossfadetest.Contract(t, pool, generatedcolumntest.Entity, v1.New, v2.New)
}

func TestEveryStageServesTheStory(t *testing.T) { crossfadetest.EachStage(t, app(seed), story) }

func TestMixedProcessesServeTheStory(t *testing.T) { crossfadetest.MixedFleet(t, app(seed), 3, story) }

func position(n byte, price int64, quantity int32) generatedcolumn.Position {
	id := uuid.MustParse("40000000-0000-4000-8000-000000000000")
	id[15] = n
	return generatedcolumn.Position{TenantID: tenant, ID: id, PriceCents: price, Quantity: quantity}
}

func seed(ctx context.Context, r generatedcolumn.Positions) error {
	return errors.Join(r.Save(ctx, position(1, 250, 4)), r.Save(ctx, position(2, 99, 1)), r.Save(ctx, position(3, -10, 3)))
}

func story(t *testing.T, r generatedcolumn.Positions) {
	ctx := t.Context()
	largest := func(atLeast int64) (totals []int64) {
		found, err := r.Largest(ctx, tenant, atLeast, 10)
		require.NoError(t, err)
		for _, p := range found {
			totals = append(totals, p.TotalCents)
		}
		return totals
	}
	require.Equal(t, []int64{1000, 99, -30}, largest(-1000))
	require.NoError(t, r.SetQuantity(ctx, tenant, position(2, 0, 0).ID, 20))
	require.Equal(t, []int64{1980, 1000}, largest(0))

	wrong := position(4, 7, 6)
	wrong.TotalCents = 1
	require.NoError(t, r.Save(ctx, wrong))
	got, err := r.GetForUpdate(ctx, tenant, wrong.ID)
	require.NoError(t, err)
	assert.EqualValues(t, 42, got.TotalCents, "the total is the database's")
	require.Error(t, r.Save(ctx, position(5, math.MaxInt64, 2)), "out of range")
	require.Error(t, r.SetQuantity(ctx, tenant, save(t, r, position(5, math.MaxInt64/2, 1)), 3), "out of range")

	require.NoError(t, r.Delete(ctx, tenant, position(1, 0, 0).ID))
	_, err = r.Get(ctx, tenant, position(1, 0, 0).ID)
	require.ErrorIs(t, err, generatedcolumn.ErrNotFound)
	require.ErrorIs(t, r.SetQuantity(ctx, tenant, position(1, 0, 0).ID, 1), generatedcolumn.ErrNotFound)
	keys, err := r.Keys(ctx, tenant, nil, 10)
	require.NoError(t, err)
	assert.Len(t, keys, 4)
}

func save(t *testing.T, r generatedcolumn.Positions, p generatedcolumn.Position) uuid.UUID {
	require.NoError(t, r.Save(t.Context(), p))
	return p.ID
}

func TestAWrongTotalOfVersion1HasNoCounterpart(t *testing.T) {
	ctx, pool := t.Context(), crossfadetest.Postgres(t, tables)
	p := position(1, 250, 4)
	require.NoError(t, v1.New(pool).Save(ctx, p))
	_, err := pool.Exec(ctx, "update positions_v1 set total_cents = 1")
	require.NoError(t, err)
	old, err := v1.New(pool).Get(ctx, tenant, p.ID)
	require.NoError(t, err)
	require.NoError(t, v2.New(pool).Save(ctx, old))
	copied, err := v2.New(pool).Get(ctx, tenant, p.ID)
	require.NoError(t, err)
	require.NotEmpty(t, generatedcolumn.DiffPosition(old, copied), "verification finds it")
}
