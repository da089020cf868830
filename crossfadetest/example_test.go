package crossfadetest_test

import (
	"testing"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/crossfadetest/internal/people/peopletest"
	v1 "github.com/crossfade-db/crossfade/crossfadetest/internal/people/v1"
	v2 "github.com/crossfade-db/crossfade/crossfadetest/internal/people/v2"
)

// In a test: version 2 answers as version 1 does, whatever it is asked.
func ExampleContract() {
	test := func(t *testing.T) {
		pool := crossfadetest.Postgres(t, schema)
		crossfadetest.Contract(t, pool, peopletest.Entity, v1.New, v2.New)
	}
	_ = test
}
