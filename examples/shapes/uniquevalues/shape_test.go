package uniquevalues_test

import (
	"context"
	"errors"
	"strings"
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

// Few logins, so that players want the same.
var login = rapid.SampledFrom([]string{"ann", "bo", "Bo"})

func contract(t *testing.T, options ...crossfadetest.Option) {
	pool := crossfadetest.Postgres(t, tables)
	crossfadetest.Contract(t, pool, uniquevaluestest.Entity, v1.New, v2.New, append(options,
		crossfadetest.Field("Player.Login", login), crossfadetest.Field("Rename.login", login), crossfadetest.Field("ByLogin.login", login))...)
}

func TestBothVersionsGiveTheSameAnswers(t *testing.T) { contract(t) }

func TestBothVersionsSwapAlike(t *testing.T) {
	contract(t, crossfadetest.Calls(60), crossfadetest.Without("GetForUpdate", "List", "Keys", "ByLogin", "Rename", "Delete"))
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

// After a swap that one side missed, no key can be copied before the other one is.
func TestASwapThatOneSideMissedIsRepaired(t *testing.T) {
	crossfadetest.EachStage(t, app(seed), func(t *testing.T, r uniquevalues.Players) {
		misses := map[string]string{"dual": "players_v2", "shadow": "players_v2", "rampdown": "players_v1"}
		_, stage, _ := strings.Cut(t.Name(), "/")
		table, ok := misses[stage]
		if !ok {
			return // both sides, or one alone, or neither
		}
		run := func(sql string) {
			_, err := pool.Load().Exec(t.Context(), sql)
			require.NoError(t, err)
		}
		run(`create function refuse() returns trigger language plpgsql as $$ begin raise 'refused'; end $$;
			create trigger refuse before update on ` + table + ` execute function refuse()`)
		require.NoError(t, r.Swap(t.Context(), tenant, ann.ID, bo.ID))
		require.Equal(t, []string{"bo", "cy", "ann"}, logins(t, r))
		var stale int
		require.NoError(t, pool.Load().QueryRow(t.Context(), "select count(*) from crossfade.stale_keys").Scan(&stale))
		require.Equal(t, 2, stale, "both keys are recorded")
		run("drop trigger refuse on " + table) // EachStage repairs and compares
	})
}
