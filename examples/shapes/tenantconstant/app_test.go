package tenantconstant_test

import (
	"context"
	_ "embed"
	"iter"
	"os"
	"testing"

	"github.com/google/uuid"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/tenantconstant"
	"github.com/crossfade-db/crossfade/examples/shapes/tenantconstant/tenantconstanttest"
	v1 "github.com/crossfade-db/crossfade/examples/shapes/tenantconstant/v1"
	v2 "github.com/crossfade-db/crossfade/examples/shapes/tenantconstant/v2"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

func TestMain(m *testing.M) { os.Exit(crossfadetest.Main(m)) }

//go:embed v1/schema.sql
var schemaV1 string

//go:embed v2/schema.sql
var schemaV2 string

var (
	tenant    = uuid.MustParse("00000000-0000-4000-8000-000000000001")
	tables    = crossfadetest.SQL(schemaV1 + schemaV2)
	migration = versions.Migration{Name: "labels-v2", Entity: "labels", From: "v1", To: "v2"}
)

// app is the application, wired as a main does, with what is there before the migration begins.
func app(seed func(ctx context.Context, r tenantconstant.Labels) error) crossfadetest.App[tenantconstant.Labels] {
	return crossfadetest.App[tenantconstant.Labels]{
		Migration: migration, Setup: []crossfadetest.Setup{tables}, Spread: tenantconstanttest.Spread, Seed: seed,
		Open: func(env *crossfadetest.Env) (tenantconstant.Labels, error) {
			sides, err := postgres.Sides(env.DB, postgres.Queued(v1.New), postgres.Queued(v2.New))
			if err != nil {
				return nil, err
			}
			routed, err := tenantconstant.NewRoutedLabels(repo.Config[tenantconstant.Labels]{
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
	}
}

func tenants(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { yield(tenant.String(), nil) }
}
