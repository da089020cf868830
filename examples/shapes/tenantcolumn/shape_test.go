package tenantcolumn_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/tenantcolumn"
	"github.com/crossfade-db/crossfade/examples/shapes/tenantcolumn/tenantcolumntest"
	v1 "github.com/crossfade-db/crossfade/examples/shapes/tenantcolumn/v1"
	v2 "github.com/crossfade-db/crossfade/examples/shapes/tenantcolumn/v2"
)

// The projects of the tenants between which sequences choose, and one of somebody else.
const projects = `
	insert into task_projects (id, tenant_id, name) values
		('00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-000000000001', 'one'),
		('00000000-0000-4000-8000-00000000000b', '00000000-0000-4000-8000-000000000001', 'one more'),
		('00000000-0000-4000-8000-00000000000c', '00000000-0000-4000-8000-000000000002', 'two'),
		('10000000-0000-4000-8000-00000000000a', '10000000-0000-4000-8000-000000000000', 'ours'),
		('20000000-0000-4000-8000-00000000000a', '20000000-0000-4000-8000-000000000000', 'theirs')`

var (
	ours    = uuid.MustParse("10000000-0000-4000-8000-00000000000a")
	theirs  = uuid.MustParse("20000000-0000-4000-8000-00000000000a")
	nowhere = uuid.MustParse("ffffffff-0000-4000-8000-00000000000a")
)

func TestBothVersionsGiveTheSameAnswers(t *testing.T) {
	pool := crossfadetest.Postgres(t, tables)
	anyProject := rapid.SampledFrom([]uuid.UUID{
		uuid.MustParse("00000000-0000-4000-8000-00000000000a"), uuid.MustParse("00000000-0000-4000-8000-00000000000b"),
		uuid.MustParse("00000000-0000-4000-8000-00000000000c"), uuid.MustParse("00000000-0000-4000-8000-00000000000c"), nowhere,
	})
	// List and GetForUpdate are in the story: what matters here is who saves over whom.
	crossfadetest.Contract(t, pool, tenantcolumntest.Entity, v1.New, v2.New,
		crossfadetest.Field("Task.ProjectID", anyProject), crossfadetest.Calls(60), crossfadetest.Without("List", "GetForUpdate"))
}

func TestEveryStageServesTheStory(t *testing.T) { crossfadetest.EachStage(t, app(seed), story) }

func TestMixedProcessesServeTheStory(t *testing.T) { crossfadetest.MixedFleet(t, app(seed), 3, story) }

func task(n byte, title string) tenantcolumn.Task {
	id := uuid.MustParse("40000000-0000-4000-8000-000000000000")
	id[15] = n
	return tenantcolumn.Task{TenantID: tenant, ID: id, ProjectID: ours, Title: title}
}

func seed(ctx context.Context, r tenantcolumn.Tasks) error {
	return errors.Join(r.Save(ctx, task(1, "one")), r.Save(ctx, task(2, "two")), r.Save(ctx, task(3, "three")))
}

func story(t *testing.T, r tenantcolumn.Tasks) {
	ctx, stranger := t.Context(), uuid.MustParse("20000000-0000-4000-8000-000000000000")
	found, err := r.List(ctx, tenant, uuid.Nil, 2)
	require.NoError(t, err)
	require.Equal(t, []tenantcolumn.Task{task(1, "one"), task(2, "two")}, found)

	require.NoError(t, r.Rename(ctx, tenant, task(1, "").ID, "first"))
	require.NoError(t, r.Save(ctx, task(4, "four")))
	got, err := r.GetForUpdate(ctx, tenant, task(1, "").ID)
	require.NoError(t, err)
	require.Equal(t, task(1, "first"), got)

	// Somebody else's task is not there, and cannot be taken.
	_, err = r.Get(ctx, stranger, got.ID)
	require.ErrorIs(t, err, tenantcolumn.ErrNotFound)
	require.ErrorIs(t, r.Rename(ctx, stranger, got.ID, "mine"), tenantcolumn.ErrNotFound)
	require.ErrorIs(t, r.Delete(ctx, stranger, got.ID), tenantcolumn.ErrNotFound)
	mine := got
	mine.TenantID, mine.ProjectID = stranger, theirs
	require.Error(t, r.Save(ctx, mine))
	elsewhere := got
	elsewhere.ProjectID = theirs
	require.Error(t, r.Save(ctx, elsewhere), "a project of another tenant")
	elsewhere.ProjectID = nowhere
	require.Error(t, r.Save(ctx, elsewhere), "no project at all")

	require.NoError(t, r.Delete(ctx, tenant, task(2, "").ID))
	keys, err := r.Keys(ctx, tenant, nil, 10)
	require.NoError(t, err)
	assert.Equal(t, []uuid.UUID{task(1, "").ID, task(3, "").ID, task(4, "").ID}, keys)
	keys, err = r.Keys(ctx, stranger, nil, 10)
	require.NoError(t, err)
	assert.Empty(t, keys)
}
