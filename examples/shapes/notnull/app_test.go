package notnull_test

import (
	"context"
	_ "embed"
	"fmt"
	"iter"
	"os"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/notnull"
	"github.com/crossfade-db/crossfade/examples/shapes/notnull/notnulltest"
	v1 "github.com/crossfade-db/crossfade/examples/shapes/notnull/v1"
	v2 "github.com/crossfade-db/crossfade/examples/shapes/notnull/v2"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

var (
	//go:embed v1/schema.sql
	schemaV1 string
	//go:embed v2/schema.sql
	schemaV2 string

	schema   = crossfadetest.SQL(schemaV1 + schemaV2)
	existing = crossfadetest.SQL(existingRows)
)

func TestMain(m *testing.M) {
	status := crossfadetest.Main(m)
	if err := goleak.Find(); err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, "the tests left goroutines behind:", err)
		status = 1
	}
	os.Exit(status)
}

var tenant = uuid.MustParse("00000000-0000-4000-8000-0000000000aa")

func tenants(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { yield(tenant.String(), nil) }
}

func id(n byte) uuid.UUID { return uuid.UUID{6: 0x40, 8: 0x80, 15: n} }

// app is an application that moves its readers from version 1, which holds some rows already, to version 2.
func app() crossfadetest.App[notnull.Readers] {
	migration := versions.Migration{Name: "readers-v2", Entity: "readers", From: "v1", To: "v2"}
	return crossfadetest.App[notnull.Readers]{
		Migration: migration,
		Setup:     []crossfadetest.Setup{schema, existing},
		Spread:    notnulltest.Spread,
		Open: func(env *crossfadetest.Env) (notnull.Readers, error) {
			sides, err := postgres.Sides(env.DB, postgres.Queued(v1.New), postgres.Queued(v2.New))
			if err != nil {
				return nil, err
			}
			routed, err := notnull.NewRoutedReaders(repo.Config[notnull.Readers]{
				Migration: migration, Flag: env.Flag, Backend: sides, Comparer: env.Comparer, Meter: env.Meter,
			})
			if err != nil {
				return nil, err
			}
			jobs := &backfill.Config{Tenants: tenants, Sink: env.Sink}
			worker, err := backfill.New(env.DB, jobs, backfill.ByRoute(routed.Route()))
			if err != nil {
				return nil, err
			}
			env.Work(worker)
			return routed, nil
		},
	}
}

func TestTheStoryIsTheSameAtEachStage(t *testing.T) {
	crossfadetest.EachStage(t, app(), story)
}

func TestTheStoryIsTheSameInAMixedFleet(t *testing.T) {
	crossfadetest.MixedFleet(t, app(), 2, story)
}

func TestBothVersionsGiveTheSameAnswers(t *testing.T) {
	pool := crossfadetest.Postgres(t, schema)
	crossfadetest.Contract(t, pool, notnulltest.Entity, v1.New, v2.New)
}

// same demands that what is stored is as it was saved.
func same(t *testing.T, r notnull.Readers, want notnull.Reader) {
	t.Helper()
	got, err := r.Get(t.Context(), want.TenantID, want.ID)
	require.NoError(t, err)
	require.Empty(t, notnull.DiffReader(want, got))
}
