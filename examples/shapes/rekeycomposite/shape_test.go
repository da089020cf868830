package rekeycomposite_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/rekeycomposite"
	"github.com/crossfade-db/crossfade/examples/shapes/rekeycomposite/rekeycompositetest"
	v1 "github.com/crossfade-db/crossfade/examples/shapes/rekeycomposite/v1"
	v2 "github.com/crossfade-db/crossfade/examples/shapes/rekeycomposite/v2"
)

func TestBothVersionsGiveTheSameAnswers(t *testing.T) {
	pool := crossfadetest.Postgres(t, tables)
	crossfadetest.Contract(t, pool, rekeycompositetest.Entity, v1.New, v2.New)
}

func TestEveryStageServesTheStory(t *testing.T) { crossfadetest.EachStage(t, app(seed), story) }

func TestMixedProcessesServeTheStory(t *testing.T) { crossfadetest.MixedFleet(t, app(seed), 3, story) }

var (
	order = uuid.MustParse("20000000-0000-4000-8000-000000000000")
	other = uuid.MustParse("30000000-0000-4000-8000-000000000000")
)

func line(order uuid.UUID, place int32, article string) rekeycomposite.Line {
	return rekeycomposite.Line{TenantID: tenant, OrderID: order, Place: place, Article: article, Quantity: 1}
}

func seed(ctx context.Context, r rekeycomposite.Lines) error {
	return errors.Join(
		r.Save(ctx, line(order, 1, "apples")), r.Save(ctx, line(order, 2, "pears")), r.Save(ctx, line(other, 1, "nuts")),
		r.Move(ctx, tenant, order, 2, 7),
	)
}

func story(t *testing.T, r rekeycomposite.Lines) {
	ctx := t.Context()
	articles := func(order uuid.UUID) map[int32]string {
		found, err := r.List(ctx, tenant, order)
		require.NoError(t, err)
		byPlace := map[int32]string{}
		for _, l := range found {
			byPlace[l.Place] = l.Article
		}
		return byPlace
	}
	require.Equal(t, map[int32]string{1: "apples", 7: "pears"}, articles(order))

	require.NoError(t, r.Save(ctx, line(order, 2, "plums")))
	require.Error(t, r.Move(ctx, tenant, order, 2, 1), "the place is taken")
	require.ErrorIs(t, r.Move(ctx, tenant, order, 3, 4), rekeycomposite.ErrNotFound)
	require.NoError(t, r.Move(ctx, tenant, order, 2, 3))
	require.NoError(t, r.Move(ctx, tenant, order, 1, 2))
	require.NoError(t, r.Move(ctx, tenant, order, 3, 1))
	require.Equal(t, map[int32]string{1: "plums", 2: "apples", 7: "pears"}, articles(order))
	require.Equal(t, map[int32]string{1: "nuts"}, articles(other), "the same place of another order is another line")

	require.NoError(t, r.SetQuantity(ctx, tenant, order, 7, 12))
	got, err := r.GetForUpdate(ctx, tenant, order, 7)
	require.NoError(t, err)
	assert.EqualValues(t, 12, got.Quantity)
	require.NoError(t, r.Delete(ctx, tenant, order, 7))
	_, err = r.Get(ctx, tenant, order, 7)
	require.ErrorIs(t, err, rekeycomposite.ErrNotFound)
	require.ErrorIs(t, r.SetQuantity(ctx, tenant, order, 7, 1), rekeycomposite.ErrNotFound)

	keys, err := r.Keys(ctx, tenant, nil, 2)
	require.NoError(t, err)
	require.Equal(t, []rekeycomposite.Key{{OrderID: order, Place: 1}, {OrderID: order, Place: 2}}, keys)
	keys, err = r.Keys(ctx, tenant, &keys[1], 2)
	require.NoError(t, err)
	require.Equal(t, []rekeycomposite.Key{{OrderID: other, Place: 1}}, keys, "pages go on behind the whole key")
}
