package polymorphic_test

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
	"golang.org/x/sync/errgroup"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/polymorphic"
	"github.com/crossfade-db/crossfade/examples/shapes/polymorphic/polymorphictest"
	v1 "github.com/crossfade-db/crossfade/examples/shapes/polymorphic/v1"
	v2 "github.com/crossfade-db/crossfade/examples/shapes/polymorphic/v2"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

var (
	//go:embed v1/schema.sql
	schemaV1 string
	//go:embed v2/schema.sql
	schemaV2 string

	schema = crossfadetest.SQL(schemaV1 + schemaV2)
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

// app is an application that moves its comments from version 1 to version 2.
func app() crossfadetest.App[polymorphic.Comments] {
	migration := versions.Migration{Name: "comments-v2", Entity: "comments", From: "v1", To: "v2"}
	return crossfadetest.App[polymorphic.Comments]{
		Migration: migration,
		Setup:     []crossfadetest.Setup{schema},
		Spread:    polymorphictest.Spread,
		Seed:      seed,
		Open: func(env *crossfadetest.Env) (polymorphic.Comments, error) {
			sides, err := postgres.Sides(env.DB, postgres.Queued(v1.New), postgres.Queued(v2.New))
			if err != nil {
				return nil, err
			}
			routed, err := polymorphic.NewRoutedComments(repo.Config[polymorphic.Comments]{
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

// same demands that a comment is stored as it is.
func same(t *testing.T, r polymorphic.Comments, want polymorphic.Comment) {
	t.Helper()
	got, err := r.Get(t.Context(), want.TenantID, want.ID)
	require.NoError(t, err)
	require.Empty(t, polymorphic.DiffComment(want, got))
}

// One that waited for a lock must not see some rows as they are and others as they were.
func TestALockingReadSeesWhatItWaitedFor(t *testing.T) {
	before, after := change()
	for name, side := range map[string]postgres.Factory[polymorphic.Comments]{"v1": v1.New, "v2": v2.New} {
		t.Run(name, func(t *testing.T) {
			ctx, pool := t.Context(), crossfadetest.Postgres(t, schema)
			require.NoError(t, side(pool).Save(ctx, before))
			writer, err := pool.Begin(ctx)
			require.NoError(t, err)
			defer writer.Rollback(ctx)
			require.NoError(t, side(writer).Save(ctx, after))
			var read polymorphic.Comment
			var group errgroup.Group
			group.Go(func() (err error) {
				read, err = side(pool).GetForUpdate(ctx, before.TenantID, before.ID)
				return err
			})
			for waits := false; !waits; {
				require.NoError(t, writer.QueryRow(ctx, "select exists (select from pg_locks where not granted)").Scan(&waits))
			}
			require.NoError(t, writer.Commit(ctx))
			require.NoError(t, group.Wait())
			require.Empty(t, polymorphic.DiffComment(after, read))
		})
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
	crossfadetest.Contract(t, pool, polymorphictest.Entity, v1.New, v2.New)
}

func TestBothVersionsFindTheSame(t *testing.T) {
	pool := crossfadetest.Postgres(t, schema)
	crossfadetest.Contract(t, pool, polymorphictest.Entity, v1.New, v2.New, meeting...)
}
