package uniquevalues_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/uniquevalues"
	"github.com/crossfade-db/crossfade/examples/shapes/uniquevalues/uniquevaluestest"
	v1 "github.com/crossfade-db/crossfade/examples/shapes/uniquevalues/v1"
	v2 "github.com/crossfade-db/crossfade/examples/shapes/uniquevalues/v2"
)

func TestBothVersionsGiveTheSameAnswers(t *testing.T) {
	login := rapid.SampledFrom([]string{"ann", "bo", "Bo"}) // few, so that players want the same
	pool := crossfadetest.Postgres(t, tables)
	crossfadetest.Contract(t, pool, uniquevaluestest.Entity, v1.New, v2.New,
		crossfadetest.Field("Player.Login", login), crossfadetest.Field("Rename.login", login), crossfadetest.Field("ByLogin.login", login))
}

func TestEveryStageServesTheStory(t *testing.T) { crossfadetest.EachStage(t, app(seed), story) }

func TestMixedProcessesServeTheStory(t *testing.T) { crossfadetest.MixedFleet(t, app(seed), 3, story) }

func player(n byte, login string) uniquevalues.Player {
	id := uuid.MustParse("40000000-0000-4000-8000-000000000000")
	id[15] = n
	return uniquevalues.Player{TenantID: tenant, ID: id, Login: login, Score: int64(n)}
}

var ann, bo, cy = player(1, "ann"), player(2, "bo"), player(3, "cy")

func seed(ctx context.Context, r uniquevalues.Players) error {
	return errors.Join(r.Save(ctx, ann), r.Save(ctx, bo), r.Save(ctx, cy), r.Swap(ctx, tenant, ann.ID, cy.ID))
}

func logins(t *testing.T, r uniquevalues.Players) (list []string) {
	found, err := r.List(t.Context(), tenant, uuid.Nil, 10)
	require.NoError(t, err)
	for _, p := range found {
		list = append(list, p.Login)
	}
	return list
}

func story(t *testing.T, r uniquevalues.Players) {
	ctx := t.Context()
	require.Equal(t, []string{"cy", "bo", "ann"}, logins(t, r))
	require.NoError(t, r.Swap(ctx, tenant, ann.ID, bo.ID))
	require.NoError(t, r.Swap(ctx, tenant, cy.ID, bo.ID))
	require.Equal(t, []string{"bo", "ann", "cy"}, logins(t, r))
	require.ErrorIs(t, r.Swap(ctx, tenant, player(8, "").ID, player(9, "").ID), uniquevalues.ErrNotFound)

	require.Error(t, r.Rename(ctx, tenant, ann.ID, "cy"), "the login is taken")
	require.Error(t, r.Save(ctx, player(4, "cy")))
	require.NoError(t, r.Rename(ctx, tenant, cy.ID, "cyd"))
	require.NoError(t, r.Save(ctx, player(4, "cy")), "the login is free now")
	found, err := r.ByLogin(ctx, tenant, "cy")
	require.NoError(t, err)
	require.Equal(t, player(4, "cy"), found)
	require.NoError(t, r.Delete(ctx, tenant, found.ID))
	require.NoError(t, r.Rename(ctx, tenant, cy.ID, "cy"))
	_, err = r.Get(ctx, tenant, found.ID)
	require.ErrorIs(t, err, uniquevalues.ErrNotFound)
	got, err := r.GetForUpdate(ctx, tenant, bo.ID)
	require.NoError(t, err)
	assert.Equal(t, player(2, "ann"), got)
	keys, err := r.Keys(ctx, tenant, &ann.ID, 10)
	require.NoError(t, err)
	assert.Equal(t, []uuid.UUID{bo.ID, cy.ID}, keys)
}
