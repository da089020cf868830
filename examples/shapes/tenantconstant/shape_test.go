package tenantconstant_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/tenantconstant"
	"github.com/crossfade-db/crossfade/examples/shapes/tenantconstant/tenantconstanttest"
	v1 "github.com/crossfade-db/crossfade/examples/shapes/tenantconstant/v1"
	v2 "github.com/crossfade-db/crossfade/examples/shapes/tenantconstant/v2"
)

func TestBothVersionsGiveTheSameAnswers(t *testing.T) {
	pool := crossfadetest.Postgres(t, tables)
	crossfadetest.Contract(t, pool, tenantconstanttest.Entity, v1.New, v2.New)
}

func TestEveryStageServesTheStory(t *testing.T) { crossfadetest.EachStage(t, app(seed), story) }

func TestMixedProcessesServeTheStory(t *testing.T) { crossfadetest.MixedFleet(t, app(seed), 3, story) }

func label(n byte, name string) tenantconstant.Label {
	id := uuid.MustParse("40000000-0000-4000-8000-000000000000")
	id[15] = n
	return tenantconstant.Label{TenantID: tenant, ID: id, Name: name}
}

func seed(ctx context.Context, r tenantconstant.Labels) error {
	return errors.Join(r.Save(ctx, label(1, "red")), r.Save(ctx, label(2, "green")), r.Save(ctx, label(3, "blue")))
}

func story(t *testing.T, r tenantconstant.Labels) {
	ctx, stranger := t.Context(), uuid.MustParse("00000000-0000-4000-8000-000000000002")
	found, err := r.ByName(ctx, tenant, "green")
	require.NoError(t, err)
	require.Equal(t, label(2, "green"), found, "the tenant is there, whichever version has it")
	require.NoError(t, r.Rename(ctx, tenant, found.ID, "olive"))
	require.Error(t, r.Rename(ctx, tenant, found.ID, "blue"), "the name is taken")
	got, err := r.GetForUpdate(ctx, tenant, found.ID)
	require.NoError(t, err)
	require.Equal(t, label(2, "olive"), got)

	_, err = r.Get(ctx, stranger, found.ID)
	require.ErrorIs(t, err, tenantconstant.ErrNotFound)
	require.ErrorIs(t, r.Rename(ctx, stranger, found.ID, "mine"), tenantconstant.ErrNotFound)
	require.ErrorIs(t, r.Delete(ctx, stranger, found.ID), tenantconstant.ErrNotFound)
	theirs := label(4, "grey")
	theirs.TenantID = stranger
	require.Error(t, r.Save(ctx, theirs), "version 1 could not hold it")

	require.NoError(t, r.Delete(ctx, tenant, label(1, "").ID))
	_, err = r.Get(ctx, tenant, label(1, "").ID)
	require.ErrorIs(t, err, tenantconstant.ErrNotFound)
	keys, err := r.Keys(ctx, tenant, nil, 10)
	require.NoError(t, err)
	assert.Equal(t, []uuid.UUID{label(2, "").ID, label(3, "").ID}, keys)
	keys, err = r.Keys(ctx, stranger, nil, 10)
	require.NoError(t, err)
	assert.Empty(t, keys)
}
