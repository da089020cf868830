// Package planted holds tests that fail: each with a mistake planted in a version.
package planted

import (
	"context"
	"iter"
	"os"
	"testing"
	"time"

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

func TestMain(m *testing.M) { os.Exit(crossfadetest.Main(m)) }

const tenant = "acme"

func app(newSide func() postgres.Factory[people.People]) crossfadetest.App[people.People] {
	migration := versions.Migration{Name: "people-v2", Entity: "people", From: "v1", To: "v2"}
	return crossfadetest.App[people.People]{
		Migration: migration,
		Setup:     []crossfadetest.Setup{crossfadetest.SQL(people.Schema)},
		Spread:    peopletest.Spread,
		Open: func(env *crossfadetest.Env) (people.People, error) {
			sides, err := postgres.Sides(env.DB, v1.New, newSide())
			if err != nil {
				return nil, err
			}
			routed, err := people.NewRoutedPeople(repo.Config[people.People]{
				Migration: migration, Flag: env.Flag, Backend: sides, Comparer: env.Comparer, Meter: env.Meter,
			})
			if err != nil {
				return nil, err
			}
			worker, err := backfill.New(env.DB, &backfill.Config{Tenants: tenants}, backfill.ByRoute(routed.Route()))
			if err != nil {
				return nil, err
			}
			env.Work(worker)
			return routed, nil
		},
	}
}

func tenants(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { yield(tenant, nil) }
}

func person(id int64, name string) people.Person {
	return people.Person{Tenant: tenant, ID: id, Name: name, Born: time.Date(1990, 1, 2, 3, 4, 5, 6000, time.UTC), Mood: people.Merry}
}

func one(side postgres.Factory[people.People]) func() postgres.Factory[people.People] {
	return func() postgres.Factory[people.People] { return side }
}

// A middle name is lost: the sides differ from dual on, and new answers wrongly.
func TestStagesLostName(t *testing.T) {
	crossfadetest.EachStage(t, app(one(v2.WithoutMiddleName)), func(t *testing.T, r people.People) {
		require.NoError(t, r.Save(t.Context(), person(1, "Bo Eva Ek")))
		got, err := r.Get(t.Context(), tenant, 1)
		require.NoError(t, err)
		require.Equal(t, "Bo Eva Ek", got.Name)
	})
}

// A list comes in another order, which verification does not read: it is
// compared from shadow on.
func TestStagesOrder(t *testing.T) {
	crossfadetest.EachStage(t, app(one(v2.Unordered)), func(t *testing.T, r people.People) {
		require.NoError(t, r.Save(t.Context(), person(1, "Ann")))
		require.NoError(t, r.Save(t.Context(), person(2, "Bo")))
		found, _, err := r.List(t.Context(), tenant, "", 10)
		require.NoError(t, err)
		require.EqualValues(t, 1, found[0].ID)
	})
}

// Each process keeps what it read, and writes that back: what another process
// wrote in between is lost.
func TestFleetCache(t *testing.T) {
	crossfadetest.MixedFleet(t, app(v2.Caching), 3, func(t *testing.T, r people.People) {
		require.NoError(t, r.Save(t.Context(), person(1, "Ann")))
		for want := range int64(30) {
			visits, err := r.Visit(t.Context(), tenant, 1)
			require.NoError(t, err)
			require.Equal(t, want+1, visits)
		}
	})
}

// One process writes past the routed repository: no key is locked, and the
// other side misses what it writes.
func TestFleetBypass(t *testing.T) {
	bypassed, opened := app(one(v2.New)), 0
	open := bypassed.Open
	bypassed.Open = func(env *crossfadetest.Env) (people.People, error) {
		if opened++; opened%3 == 0 {
			return v1.New(env.Pool), nil
		}
		return open(env)
	}
	crossfadetest.MixedFleet(t, bypassed, 3, func(t *testing.T, r people.People) {
		require.NoError(t, r.Save(t.Context(), person(1, "Ann")))
		for want := range int64(30) {
			visits, err := r.Visit(t.Context(), tenant, 1)
			require.NoError(t, err)
			require.Equal(t, want+1, visits)
		}
	})
}
