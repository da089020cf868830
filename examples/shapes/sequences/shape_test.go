package sequences_test

import (
	"context"
	_ "embed"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/sequences"
	"github.com/crossfade-db/crossfade/examples/shapes/sequences/sequencestest"
	v1 "github.com/crossfade-db/crossfade/examples/shapes/sequences/v1"
	v2 "github.com/crossfade-db/crossfade/examples/shapes/sequences/v2"
)

// Each side draws an id of its own from the one sequence: Issue is left to the other tests.
func TestBothVersionsGiveTheSameAnswers(t *testing.T) {
	pool := crossfadetest.Postgres(t, tables)
	crossfadetest.Contract(t, pool, sequencestest.Entity, v1.New, v2.New, crossfadetest.Without("Issue"))
}

func TestEveryStageServesTheStory(t *testing.T) { crossfadetest.EachStage(t, app(seed), story) }

func TestMixedProcessesServeTheStory(t *testing.T) { crossfadetest.MixedFleet(t, app(seed), 3, story) }

func seed(ctx context.Context, r sequences.Receipts) error {
	_, err := r.Issue(ctx, tenant, "Ann")
	_, err2 := r.Issue(ctx, tenant, "Bo")
	return errors.Join(err, err2)
}

func story(t *testing.T, r sequences.Receipts) {
	ctx := t.Context()
	found, err := r.List(ctx, tenant, 0, 10)
	require.NoError(t, err)
	require.Len(t, found, 2)

	last := found[1].ID
	for range 8 {
		issued, err := r.Issue(ctx, tenant, "Cy")
		require.NoError(t, err)
		require.Greater(t, issued.ID, last, "an id is given once, whichever side gives it")
		last = issued.ID
		got, err := r.Get(ctx, tenant, issued.ID)
		require.NoError(t, err)
		require.True(t, issued.CreatedAt.Equal(got.CreatedAt), "the time is the one that the insert returned")
	}
	require.NoError(t, r.Correct(ctx, tenant, last, "Di"))
	corrected, err := r.GetForUpdate(ctx, tenant, last)
	require.NoError(t, err)
	assert.Equal(t, "Di", corrected.Payer)
	require.NoError(t, r.Delete(ctx, tenant, last))
	_, err = r.Get(ctx, tenant, last)
	require.ErrorIs(t, err, sequences.ErrNotFound)
	require.ErrorIs(t, r.Correct(ctx, tenant, last, "x"), sequences.ErrNotFound)
	require.NoError(t, r.Save(ctx, corrected), "what was issued can be put back")
	next, err := r.Issue(ctx, tenant, "Ed")
	require.NoError(t, err)
	require.Greater(t, next.ID, last)

	keys, err := r.Keys(ctx, tenant, nil, 100)
	require.NoError(t, err)
	require.Len(t, keys, 11)
	rest, err := r.Keys(ctx, tenant, &keys[8], 100)
	require.NoError(t, err)
	assert.Equal(t, keys[9:], rest)
}

//go:embed v2/own_sequence.sql
var ownSequence string

func TestTheNewSideGoesOnWithASequenceOfItsOwn(t *testing.T) {
	ctx, pool := t.Context(), crossfadetest.Postgres(t, tables)
	_, err := v1.New(pool).Issue(ctx, tenant, "Ann")
	require.NoError(t, err)
	before, err := v2.New(pool).Issue(ctx, tenant, "Bo")
	require.NoError(t, err)

	_, err = pool.Exec(ctx, "drop table receipts_v1")
	require.ErrorContains(t, err, "other objects depend on it", "the sequence would go with the old table")
	_, err = pool.Exec(ctx, ownSequence+"drop table receipts_v1")
	require.NoError(t, err)
	after, err := v2.New(pool).Issue(ctx, tenant, "Cy")
	require.NoError(t, err)
	assert.Greater(t, after.ID, before.ID)
}
