package timestamptz_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/timestamptz"
	"github.com/crossfade-db/crossfade/examples/shapes/timestamptz/timestamptztest"
	v1 "github.com/crossfade-db/crossfade/examples/shapes/timestamptz/v1"
	v2 "github.com/crossfade-db/crossfade/examples/shapes/timestamptz/v2"
)

// existingRows are in version 1 before the migration begins. The others are in an hour that many zones skip.
const existingRows = `insert into events_v1 (tenant_id, id, kind, at) values
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000001', 'moon', '1969-07-20 20:17:40.123456'),
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000002', 'spring', '2026-03-29 02:30'),
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000003', 'spring', '2026-03-29 02:30')`

func event(n byte, kind string, at time.Time) timestamptz.Event {
	return timestamptz.Event{TenantID: tenant, ID: id(n), Kind: kind, At: at}
}

// story is a test of the application's own, which knows nothing about stages.
func story(t *testing.T, r timestamptz.Events) {
	ctx, spring := t.Context(), time.Date(2026, 3, 29, 2, 30, 0, 0, time.UTC)
	same(t, r, event(1, "moon", time.Date(1969, 7, 20, 20, 17, 40, 123456000, time.UTC)))
	same(t, r, event(2, "spring", spring))

	// The same instant and a later one, by clocks elsewhere.
	west, east := time.FixedZone("west", -7*60*60), time.FixedZone("east", 9*60*60)
	require.NoError(t, r.Save(ctx, event(4, "noon", spring.Add(time.Hour).In(west))))
	same(t, r, event(4, "noon", spring.Add(time.Hour)))
	found, err := r.Since(ctx, tenant, spring.In(east), 10)
	require.NoError(t, err)
	var ids []uuid.UUID
	for _, e := range found {
		ids = append(ids, e.ID)
	}
	assert.Equal(t, []uuid.UUID{id(2), id(3), id(4)}, ids)

	require.NoError(t, r.Correct(ctx, tenant, id(2), spring.Add(-time.Microsecond).In(east)))
	same(t, r, event(2, "spring", spring.Add(-time.Microsecond)))

	require.NoError(t, r.Delete(ctx, tenant, id(1)))
	_, err = r.Get(ctx, tenant, id(1))
	require.ErrorIs(t, err, timestamptz.ErrNotFound)
	require.ErrorIs(t, r.Correct(ctx, tenant, id(1), spring), timestamptz.ErrNotFound)
	require.ErrorIs(t, r.Delete(ctx, tenant, id(1)), timestamptz.ErrNotFound)

	keys, err := r.Keys(ctx, tenant, nil, 1)
	require.NoError(t, err)
	assert.Equal(t, []uuid.UUID{id(2)}, keys)
	keys, err = r.Keys(ctx, tenant, &keys[0], 10)
	require.NoError(t, err)
	assert.Equal(t, []uuid.UUID{id(3), id(4)}, keys)
}

func TestTheZoneOfTheSessionDoesNotMatter(t *testing.T) {
	pool := crossfadetest.Postgres(t, schema)
	_, err := pool.Exec(t.Context(), `do $$ begin
		execute format('alter database %I set timezone to %L', current_database(), 'America/New_York');
	end $$`)
	require.NoError(t, err)
	pool.Reset()
	crossfadetest.Contract(t, pool, timestamptztest.Entity, v1.New, v2.New)
}
