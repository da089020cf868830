package rekeyuuid_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/rekeyuuid"
	"github.com/crossfade-db/crossfade/examples/shapes/rekeyuuid/rekeyuuidtest"
	v1 "github.com/crossfade-db/crossfade/examples/shapes/rekeyuuid/v1"
	v2 "github.com/crossfade-db/crossfade/examples/shapes/rekeyuuid/v2"
)

// Each side draws a number of its own from the one sequence: Open is left to the other tests.
func TestBothVersionsGiveTheSameAnswers(t *testing.T) {
	pool := crossfadetest.Postgres(t, tables)
	crossfadetest.Contract(t, pool, rekeyuuidtest.Entity, v1.New, v2.New, crossfadetest.Without("Open"))
}

func TestEveryStageServesTheStory(t *testing.T) { crossfadetest.EachStage(t, app(seed), story) }

func TestMixedProcessesServeTheStory(t *testing.T) { crossfadetest.MixedFleet(t, app(seed), 3, story) }

// seed opens wallets before the migration begins, and closes one.
func seed(ctx context.Context, r rekeyuuid.Wallets) error {
	var all [3]rekeyuuid.Wallet
	var failed error
	for i, owner := range []string{"Ann", "Bo", "Cy"} {
		var err error
		all[i], err = r.Open(ctx, tenant, owner)
		failed = errors.Join(failed, err)
	}
	return errors.Join(failed, r.Delete(ctx, tenant, all[1].ID))
}

func story(t *testing.T, r rekeyuuid.Wallets) {
	ctx := t.Context()
	before, err := r.List(ctx, tenant, 0, 10)
	require.NoError(t, err)
	require.Len(t, before, 2)
	assert.Equal(t, "Ann", before[0].Owner)

	seen := map[int64]bool{before[0].Number: true, before[1].Number: true}
	for range 5 {
		opened, err := r.Open(ctx, tenant, "Di")
		require.NoError(t, err)
		require.False(t, seen[opened.Number], "a number is given once")
		seen[opened.Number] = true
		byNumber, err := r.ByNumber(ctx, tenant, opened.Number)
		require.NoError(t, err)
		require.Equal(t, opened, byNumber, "the number leads to the key, whichever side gave it")
	}

	ann := before[0]
	require.NoError(t, r.Rename(ctx, tenant, ann.ID, "Anna"))
	ann.Owner = "Anna"
	for _, get := range []func(context.Context, uuid.UUID, uuid.UUID) (rekeyuuid.Wallet, error){r.Get, r.GetForUpdate} {
		got, err := get(ctx, tenant, ann.ID)
		require.NoError(t, err)
		require.Equal(t, ann, got)
	}
	twice := rekeyuuid.Wallet{TenantID: tenant, ID: uuid.New(), Number: ann.Number, Owner: "Ed"}
	require.Error(t, r.Save(ctx, twice), "a number belongs to one wallet")
	require.NoError(t, r.Delete(ctx, tenant, ann.ID))
	_, err = r.ByNumber(ctx, tenant, ann.Number)
	require.ErrorIs(t, err, rekeyuuid.ErrNotFound)
	require.ErrorIs(t, r.Rename(ctx, tenant, ann.ID, "x"), rekeyuuid.ErrNotFound)
	require.NoError(t, r.Save(ctx, ann), "it comes back with the number that it had")

	keys, err := r.Keys(ctx, tenant, nil, 100)
	require.NoError(t, err)
	all, err := r.List(ctx, tenant, 0, 100)
	require.NoError(t, err)
	assert.Len(t, keys, 7)
	assert.Len(t, all, 7)
	assert.Equal(t, ann, all[0])
}
