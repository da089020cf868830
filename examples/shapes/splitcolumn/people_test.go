package splitcolumn_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/splitcolumn"
	"github.com/crossfade-db/crossfade/examples/shapes/splitcolumn/splitcolumntest"
	v1 "github.com/crossfade-db/crossfade/examples/shapes/splitcolumn/v1"
	v2 "github.com/crossfade-db/crossfade/examples/shapes/splitcolumn/v2"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/gen"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

var born = time.Date(1815, 12, 10, 0, 0, 0, 0, time.UTC)

func someone(tenant uuid.UUID, name string) splitcolumn.Person {
	return splitcolumn.Person{TenantID: tenant, ID: uuid.New(), FullName: name, Email: "ada@example.org", BornOn: &born}
}

func TestGeneratedCodeIsUpToDate(t *testing.T) {
	result, err := gen.Run(t.Context(), gen.Config{Check: true})
	require.NoError(t, err)
	assert.Empty(t, result.OutOfDate)
	assert.Empty(t, result.Unwritten)
}

func TestBothVersionsKeepTheContract(t *testing.T) {
	pool := pgtest.Pool(t)
	for name, people := range map[string]splitcolumn.People{"v1": v1.New(pool), "v2": v2.New(pool)} {
		t.Run(name, func(t *testing.T) { contract(t, people) })
	}
}

func contract(t *testing.T, people splitcolumn.People) {
	ctx, tenant := t.Context(), uuid.New()
	p := someone(tenant, "Ada King Lovelace")
	_, err := people.Get(ctx, tenant, p.ID)
	require.ErrorIs(t, err, splitcolumn.ErrNotFound)
	require.ErrorIs(t, people.Rename(ctx, tenant, p.ID, "x"), splitcolumn.ErrNotFound)
	require.ErrorIs(t, people.Delete(ctx, tenant, p.ID), splitcolumn.ErrNotFound)

	require.NoError(t, people.Save(ctx, p))
	same(t, people, p)
	p.FullName, p.BornOn = "Ada", nil
	require.NoError(t, people.Save(ctx, p))
	same(t, people, p)
	p.FullName = "Augusta Ada "
	require.NoError(t, people.Rename(ctx, tenant, p.ID, p.FullName))
	same(t, people, p)

	second := someone(tenant, "Charles Babbage")
	require.NoError(t, people.Save(ctx, second))
	all, err := people.List(ctx, tenant, uuid.Nil, 10)
	require.NoError(t, err)
	require.Len(t, all, 2)
	keys, err := people.Keys(ctx, tenant, nil, 10)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{all[0].ID, all[1].ID}, keys)
	keys, err = people.Keys(ctx, tenant, &keys[0], 10)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{all[1].ID}, keys)

	require.NoError(t, people.Delete(ctx, tenant, p.ID))
	_, err = people.Get(ctx, tenant, p.ID)
	require.ErrorIs(t, err, splitcolumn.ErrNotFound)
}

func TestBothVersionsGiveTheSameAnswers(t *testing.T) {
	crossfadetest.Contract(t, pgtest.Pool(t), splitcolumntest.Entity, v1.New, postgres.Queued(v2.New))
}

func same(t require.TestingT, people splitcolumn.People, want splitcolumn.Person) {
	got, err := people.Get(context.Background(), want.TenantID, want.ID)
	require.NoError(t, err)
	require.Empty(t, splitcolumn.DiffPerson(want, got))
}

func TestEveryNameSurvivesTheSplit(t *testing.T) {
	ctx, people := t.Context(), v2.New(pgtest.Pool(t))
	name := rapid.StringMatching(`[a-zé ]{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		p := someone(uuid.New(), name.Draw(t, "name"))
		require.NoError(t, people.Save(ctx, p))
		same(t, people, p)
	})
}

func TestDualWritesReachBothVersions(t *testing.T) {
	ctx, pool := t.Context(), pgtest.Pool(t)
	people, comparer := routed(t, pool)
	p := someone(uuid.New(), "Ada King Lovelace")
	require.NoError(t, people.Save(ctx, p))
	same(t, v1.New(pool), p)
	same(t, v2.New(pool), p)

	p.FullName = "Ada Lovelace"
	require.NoError(t, people.Rename(ctx, p.TenantID, p.ID, p.FullName))
	same(t, people, p)
	same(t, v1.New(pool), p)
	same(t, v2.New(pool), p)

	require.NoError(t, people.Delete(ctx, p.TenantID, p.ID))
	for _, side := range []splitcolumn.People{people, v1.New(pool), v2.New(pool)} {
		_, err := side.Get(ctx, p.TenantID, p.ID)
		require.ErrorIs(t, err, splitcolumn.ErrNotFound)
	}
	require.NoError(t, comparer.Shutdown(ctx))
	var mismatches int
	require.NoError(t, pool.QueryRow(ctx, "select count(*) from crossfade.mismatches").Scan(&mismatches))
	require.Zero(t, mismatches)
}

// routed wires the repository as a program does, at stage dual.
func routed(t *testing.T, pool *pgxpool.Pool) (splitcolumn.People, *repo.Comparer) {
	ctx := t.Context()
	migration, err := versions.Must(versions.New("people", "v1", "v2")).Last()
	require.NoError(t, err)
	store := ledger.New(pool, nil)
	_, err = store.Register(ctx, migration, "")
	require.NoError(t, err)
	member, err := control.Join(ctx, store, &control.MemberConfig{Name: "shapes", Migrations: []string{migration.Name}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, member.Close(context.Background())) })
	_, err = control.New(store, nil).Apply(ctx, control.Change{
		Migration: migration.Name, Kind: control.SetDefault, To: flags.Dual, Actor: "test", Reason: "both versions are written",
	})
	require.NoError(t, err)
	comparer := repo.NewComparer(&repo.ComparerConfig{Sink: store.Sink()})
	t.Cleanup(func() { require.NoError(t, comparer.Shutdown(context.Background())) })
	sides, err := postgres.Sides(postgres.New(pool, nil), postgres.Queued(v1.New), postgres.Queued(v2.New))
	require.NoError(t, err)
	people, err := splitcolumn.NewRoutedPeople(repo.Config[splitcolumn.People]{
		Migration: migration, Flag: member.Flag(migration.Name), Backend: sides, Comparer: comparer,
	})
	require.NoError(t, err)
	return people, comparer
}
