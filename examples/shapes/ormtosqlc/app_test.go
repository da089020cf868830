package ormtosqlc_test

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
	"github.com/crossfade-db/crossfade/examples/shapes/ormtosqlc"
	"github.com/crossfade-db/crossfade/examples/shapes/ormtosqlc/ormtosqlctest"
	v1 "github.com/crossfade-db/crossfade/examples/shapes/ormtosqlc/v1"
	v2 "github.com/crossfade-db/crossfade/examples/shapes/ormtosqlc/v2"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/repo/postgres/gormtx"
	"github.com/crossfade-db/crossfade/versions"
)

func TestMain(m *testing.M) { os.Exit(crossfadetest.Main(m)) }

//go:embed schema.sql
var schema string

// audit counts what is written to rows, as triggers of users do.
const audit = `
	create table listener_writes (id uuid not null);
	create function count_write() returns trigger language plpgsql as $$ begin
		insert into listener_writes values (new.id);
		return null;
	end $$;
	create trigger count_writes after insert or update on listeners for each row execute function count_write();`

var (
	tenant    = uuid.MustParse("10000000-0000-4000-8000-000000000000")
	tables    = crossfadetest.SQL(schema + audit)
	migration = versions.Migration{Name: "listeners-v2", Entity: "listeners", From: "v1", To: "v2"}
	database  atomic.Pointer[postgres.DB]  // of the application that was opened last
	pool      atomic.Pointer[pgxpool.Pool] // of the application that was opened last
)

// app is the application, wired as a main does, with what is there before the migration begins.
func app(seed func(ctx context.Context, r ormtosqlc.Listeners) error) crossfadetest.App[ormtosqlc.Listeners] {
	return crossfadetest.App[ormtosqlc.Listeners]{
		Migration: migration, Setup: []crossfadetest.Setup{tables}, Spread: ormtosqlctest.Spread, Seed: seed,
		Open: func(env *crossfadetest.Env) (ormtosqlc.Listeners, error) {
			pool.Store(env.Pool)
			database.Store(env.DB)
			opener, err := gormtx.New(nil)
			if err != nil {
				return nil, err
			}
			sides, err := postgres.Sides(env.DB, v1.Factory(opener), postgres.Queued(v2.New))
			if err != nil {
				return nil, err
			}
			routed, err := ormtosqlc.NewRoutedListeners(repo.Config[ormtosqlc.Listeners]{
				Migration: migration, Flag: env.Flag, Backend: v2.SameTables(sides), Comparer: env.Comparer, Meter: env.Meter,
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
