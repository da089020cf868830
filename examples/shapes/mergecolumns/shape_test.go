package mergecolumns_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/examples/shapes/mergecolumns"
)

// existingRows are in version 1 before the migration begins; 24:00 is a time of day.
const existingRows = `insert into appointments_v1 (tenant_id, id, title, start_day, start_time) values
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000001', 'Dentist', '2026-03-01', '09:30'),
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000002', 'Ball', '2026-03-01', '24:00'),
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000003', 'Moon', '1969-07-20', '20:17:40.123456')`

func appointment(n byte, title string, at time.Time) mergecolumns.Appointment {
	return mergecolumns.Appointment{TenantID: tenant, ID: id(n), Title: title, StartsAt: at}
}

// story is a test of the application's own, which knows nothing about stages.
func story(t *testing.T, r mergecolumns.Appointments) {
	ctx, march := t.Context(), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	morning, midnight := march.Add(9*time.Hour+30*time.Minute), march.Add(24*time.Hour)
	same(t, r, appointment(1, "Dentist", morning))
	same(t, r, appointment(2, "Ball", midnight))
	same(t, r, appointment(3, "Moon", time.Date(1969, 7, 20, 20, 17, 40, 123456000, time.UTC)))

	// By a clock that shows another day than the one in UTC.
	early := time.Date(2026, 3, 2, 5, 30, 0, 0, time.FixedZone("east", 6*60*60))
	require.NoError(t, r.Save(ctx, appointment(4, "Call", early)))
	same(t, r, appointment(4, "Call", early))
	titles := func(from, until time.Time) (titles []string) {
		found, err := r.Between(ctx, tenant, from, until, 10)
		require.NoError(t, err)
		for _, a := range found {
			titles = append(titles, a.Title)
		}
		return titles
	}
	assert.Equal(t, []string{"Dentist", "Call"}, titles(march, midnight))
	assert.Equal(t, []string{"Call", "Ball"}, titles(early, midnight.Add(time.Microsecond)))

	require.NoError(t, r.Move(ctx, tenant, id(1), midnight))
	same(t, r, appointment(1, "Dentist", midnight))
	assert.Equal(t, []string{"Dentist", "Ball"}, titles(midnight, midnight.Add(time.Hour)), "by id at the same time")

	require.NoError(t, r.Delete(ctx, tenant, id(1)))
	_, err := r.Get(ctx, tenant, id(1))
	require.ErrorIs(t, err, mergecolumns.ErrNotFound)
	require.ErrorIs(t, r.Move(ctx, tenant, id(1), morning), mergecolumns.ErrNotFound)
	require.ErrorIs(t, r.Delete(ctx, tenant, id(1)), mergecolumns.ErrNotFound)

	keys, err := r.Keys(ctx, tenant, nil, 1)
	require.NoError(t, err)
	assert.Equal(t, []uuid.UUID{id(2)}, keys)
	keys, err = r.Keys(ctx, tenant, &keys[0], 10)
	require.NoError(t, err)
	assert.Equal(t, []uuid.UUID{id(3), id(4)}, keys)
}
