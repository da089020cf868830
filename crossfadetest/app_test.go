package crossfadetest_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/crossfadetest/internal/people"
	"github.com/crossfade-db/crossfade/crossfadetest/internal/people/peopletest"
	v1 "github.com/crossfade-db/crossfade/crossfadetest/internal/people/v1"
	v2 "github.com/crossfade-db/crossfade/crossfadetest/internal/people/v2"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

const tenant = "acme"

// app is the application over a version 2.
func app(newSide postgres.Factory[people.People]) crossfadetest.App[people.People] {
	migration := versions.Migration{Name: "people-v2", Entity: "people", From: "v1", To: "v2"}
	return crossfadetest.App[people.People]{
		Migration: migration,
		Setup:     []crossfadetest.Setup{schema},
		Spread:    peopletest.Spread,
		Open: func(env *crossfadetest.Env) (people.People, error) {
			sides, err := postgres.Sides(env.DB, v1.New, newSide)
			if err != nil {
				return nil, err
			}
			routed, err := people.NewRoutedPeople(repo.Config[people.People]{
				Migration: migration, Flag: env.Flag, Backend: sides, Comparer: env.Comparer, Meter: env.Meter,
			})
			if err != nil {
				return nil, err
			}
			worker, err := backfill.New(env.DB, &backfill.Config{Tenants: tenants, Sink: env.Sink}, backfill.ByRoute(routed.Route()))
			if err != nil {
				return nil, err
			}
			env.Work(worker)
			return routed, nil
		},
		Seed: func(ctx context.Context, r people.People) error {
			return r.Save(ctx, person(1, "Ann Lee"))
		},
	}
}

func tenants(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { yield(tenant, nil) }
}

func person(id int64, name string) people.Person {
	return people.Person{Tenant: tenant, ID: id, Name: name, Born: time.Date(1990, 1, 2, 3, 4, 5, 6000, time.UTC), Mood: people.Merry}
}

// behave is a test of the application's own, which knows nothing about stages.
func behave(t *testing.T, r people.People) {
	ctx := t.Context()
	seeded, err := r.Get(ctx, tenant, 1)
	require.NoError(t, err)
	assert.Equal(t, "Ann Lee", seeded.Name)

	require.NoError(t, r.Save(ctx, person(2, "Bo Mary Ek")))
	require.NoError(t, r.Rename(ctx, tenant, 2, "Bo Eva Ek"))
	renamed, err := r.Get(ctx, tenant, 2)
	require.NoError(t, err)
	assert.Equal(t, "Bo Eva Ek", renamed.Name)

	for want := range int64(3) {
		visits, err := r.Visit(ctx, tenant, 2)
		require.NoError(t, err)
		assert.Equal(t, want+1, visits)
	}
	found, total, err := r.List(ctx, tenant, "", 10)
	require.NoError(t, err)
	assert.Equal(t, 2, total)
	if assert.Len(t, found, 2) {
		assert.EqualValues(t, 1, found[0].ID)
	}
	require.NoError(t, r.Delete(ctx, tenant, 1))
	_, err = r.Get(ctx, tenant, 1)
	require.ErrorIs(t, err, people.ErrNotFound)
}

func TestEachStageRunsTheTestAtEveryStage(t *testing.T) {
	crossfadetest.EachStage(t, app(v2.New), behave)
}

func TestMixedFleetRunsTheTestOverSeveralInstances(t *testing.T) {
	crossfadetest.MixedFleet(t, app(v2.New), 3, behave)
}
