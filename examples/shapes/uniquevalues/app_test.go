package uniquevalues_test

import (
	"context"
	_ "embed"
	"iter"
	"os"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/uniquevalues"
	"github.com/crossfade-db/crossfade/examples/shapes/uniquevalues/uniquevaluestest"
	v1 "github.com/crossfade-db/crossfade/examples/shapes/uniquevalues/v1"
	v2 "github.com/crossfade-db/crossfade/examples/shapes/uniquevalues/v2"
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
	tenant    = uuid.MustParse("10000000-0000-4000-8000-000000000000")
	tables    = crossfadetest.SQL(schemaV1 + schemaV2)
	pool      atomic.Pointer[pgxpool.Pool] // of the application that was opened last
	migration = versions.Migration{Name: "players-v2", Entity: "players", From: "v1", To: "v2"}
)

// app is the application, wired as a main does, with what is there before the migration begins.
func app(seed func(ctx context.Context, r uniquevalues.Players) error) crossfadetest.App[uniquevalues.Players] {
	return crossfadetest.App[uniquevalues.Players]{
		Migration: migration, Setup: []crossfadetest.Setup{tables}, Spread: uniquevaluestest.Spread, Seed: seed,
		Open: func(env *crossfadetest.Env) (uniquevalues.Players, error) {
			pool.Store(env.Pool)
			sides, err := postgres.Sides(env.DB, postgres.Queued(v1.New), postgres.Queued(v2.New))
			if err != nil {
				return nil, err
			}
			routed, err := uniquevalues.NewRoutedPlayers(repo.Config[uniquevalues.Players]{
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
