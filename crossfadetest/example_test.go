package crossfadetest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/crossfadetest/internal/people"
	"github.com/crossfade-db/crossfade/crossfadetest/internal/people/peopletest"
	v1 "github.com/crossfade-db/crossfade/crossfadetest/internal/people/v1"
	v2 "github.com/crossfade-db/crossfade/crossfadetest/internal/people/v2"
)

// Version 2 answers as version 1 does, whatever it is asked.
func ExampleContract() {
	_ = func(t *testing.T) { // func TestVersions(t *testing.T)
		pool := crossfadetest.Postgres(t, crossfadetest.SQL(people.Schema))
		crossfadetest.Contract(t, pool, peopletest.Entity, v1.New, v2.New)
	}
}

// A test that the application has already, at every stage. app wires the
// application up as its main does.
func ExampleEachStage() {
	_ = func(t *testing.T) { // func TestRename(t *testing.T)
		crossfadetest.EachStage(t, app(v2.New), func(t *testing.T, r people.People) {
			require.NoError(t, r.Rename(t.Context(), tenant, 1, "Ann Mary Lee"))
			renamed, err := r.Get(t.Context(), tenant, 1)
			require.NoError(t, err)
			require.Equal(t, "Ann Mary Lee", renamed.Name)
		})
	}
}

// The same over three instances, some a rung ahead of others.
func ExampleMixedFleet() {
	_ = func(t *testing.T) { // func TestFleet(t *testing.T)
		crossfadetest.MixedFleet(t, app(v2.New), 3, behave)
	}
}
