package ledger_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

// rowsWorld is a table of 20,001 rows, of which one is of version 1 and 2,000 have
// none, on one connection.
func rowsWorld(t *testing.T) (*ledger.Store, *pgxpool.Pool) {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(pgtest.New(t))
	require.NoError(t, err)
	cfg.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	_, err = pool.Exec(t.Context(), `create schema shop; create table shop."Orders" (id bigint primary key, tenant text not null, v int);
		alter table shop."Orders" alter column v set statistics 1;
		alter table shop."Orders" set (autovacuum_enabled = off);
		insert into shop."Orders" select n, 'tenant ' || n % 10, case when n = 7 then 1 when n % 10 = 0 then null else 2 end from generate_series(1, 20001) n`)
	require.NoError(t, err)
	return ledger.New(pool, nil), pool
}

func TestRowVersionsAreDeclared(t *testing.T) {
	t.Parallel()
	store, _ := rowsWorld(t)
	d := ledger.RowVersions{Entity: "orders", Table: `shop."Orders"`, Column: "v", TenantColumn: "tenant"}
	require.NoError(t, store.DeclareRowVersions(t.Context(), d))
	require.NoError(t, store.DeclareRowVersions(t.Context(), d), "at every start")
	all, err := store.RowVersions(t.Context(), "orders")
	require.NoError(t, err)
	assert.Equal(t, []ledger.RowVersions{d}, all)
	d.TenantColumn = ""
	require.NoError(t, store.DeclareRowVersions(t.Context(), d))
	all, err = store.RowVersions(t.Context(), "orders")
	require.NoError(t, err)
	assert.Equal(t, []ledger.RowVersions{d}, all)
	all, err = store.RowVersions(t.Context(), "customers")
	require.NoError(t, err)
	assert.Empty(t, all)

	for says, bad := range map[string]ledger.RowVersions{
		"name the entity":                {Table: "t", Column: "v"},
		`a column "v" is not there`:      {Entity: "orders", Table: "nowhere", Column: "v"},
		`a column "w" is not there`:      {Entity: "orders", Table: `shop."Orders"`, Column: "w"},
		`a column "org" is not there`:    {Entity: "orders", Table: `shop."Orders"`, Column: "v", TenantColumn: "org"},
		"is not the name of a table":     {Entity: "orders", Table: `shop."Orders`, Column: "v"},
		`"a; drop" is not the name of a`: {Entity: "orders", Table: `a; drop`, Column: "v"},
	} {
		var input *ledger.InputError
		err := store.DeclareRowVersions(t.Context(), bad)
		require.ErrorAs(t, err, &input, says)
		assert.ErrorContains(t, err, says)
	}
	for _, there := range []bool{true, false} {
		was, err := store.ForgetRowVersions(t.Context(), "orders", `shop."Orders"`)
		require.NoError(t, err)
		assert.Equal(t, there, was)
	}
}

func TestRowDistributionNeverScansTheTable(t *testing.T) {
	t.Parallel()
	store, pool := rowsWorld(t)
	scans := func() (n int) {
		_, err := pool.Exec(t.Context(), "select pg_stat_force_next_flush()")
		require.NoError(t, err)
		require.NoError(t, pool.QueryRow(t.Context(), "select seq_scan from pg_stat_user_tables where relname = 'Orders'").Scan(&n))
		return n
	}
	d := ledger.RowVersions{Entity: "orders", Table: `shop."Orders"`, Column: "v", TenantColumn: "tenant"}
	exec := func(sql string) {
		t.Helper()
		_, err := pool.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	look := func() ledger.RowDistribution {
		t.Helper()
		before := scans()
		found, err := store.RowDistribution(t.Context(), d)
		require.NoError(t, err)
		require.Equal(t, before, scans(), "no sequential scan")
		return found
	}
	found := look()
	assert.EqualValues(t, -1, found.Rows)
	assert.Contains(t, found.Problem, "run ANALYZE")
	assert.False(t, found.Complete)

	exec(`analyze shop."Orders"`)
	found = look()
	assert.EqualValues(t, 20001, found.Rows)
	assert.Contains(t, found.Problem, "no index begins with the column")
	require.Len(t, found.Versions, 2, "the statistics know the most common version only, and that there are nulls")
	assert.Equal(t, "2", found.Versions[0].Version)
	assert.InDelta(t, 18000, found.Versions[0].Rows, 2000)
	assert.InDelta(t, 2000, found.Versions[1].Rows, 1000)
	assert.True(t, found.Versions[1].Null)
	assert.False(t, found.Complete)
	assert.WithinRange(t, found.AnalyzedAt, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))

	exec(`create index on shop."Orders" (v); drop table if exists gone`)
	found = look()
	assert.True(t, found.Complete)
	assert.Empty(t, found.Problem)
	require.Len(t, found.Versions, 3)
	assert.Equal(t, ledger.RowVersionCount{Version: "1", Rows: -1}, found.Versions[0], "there, and the statistics do not know it")
	assert.InDelta(t, 18000, found.Versions[1].Rows, 2000)
	assert.True(t, found.Versions[2].Null)

	exec(`delete from shop."Orders" where v = 1`)
	found = look()
	assert.Equal(t, "2", found.Versions[0].Version, "no row of version 1 is left")

	exec(`drop table shop."Orders"`)
	found, err := store.RowDistribution(t.Context(), d)
	require.NoError(t, err)
	assert.Contains(t, found.Problem, "not there any more")
}

func TestRowsAreCountedForThoseWhoAsk(t *testing.T) {
	t.Parallel()
	store, pool := rowsWorld(t)
	d := ledger.RowVersions{Entity: "orders", Table: `shop."Orders"`, Column: "v", TenantColumn: "tenant"}
	found, err := store.CountRowVersions(t.Context(), d, "", time.Minute)
	require.NoError(t, err)
	assert.Equal(t, []ledger.RowVersionCount{{Version: "1", Rows: 1}, {Version: "2", Rows: 18000}, {Null: true, Rows: 2000}}, found.Versions)
	assert.True(t, found.Counted && found.Complete)
	assert.EqualValues(t, 20001, found.Rows)
	found, err = store.CountRowVersions(t.Context(), d, "tenant 7", time.Minute)
	require.NoError(t, err)
	assert.Equal(t, []ledger.RowVersionCount{{Version: "1", Rows: 1}, {Version: "2", Rows: 1999}}, found.Versions)

	conn, err := pgxpool.NewWithConfig(t.Context(), pool.Config())
	require.NoError(t, err)
	defer conn.Close()
	lock, err := conn.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, lock.Rollback(t.Context())) }()
	_, err = lock.Exec(t.Context(), `lock table shop."Orders"`)
	require.NoError(t, err)
	found, err = store.CountRowVersions(t.Context(), d, "", time.Millisecond)
	require.Error(t, err, "it ends after the given time")
	assert.Contains(t, found.Problem, "the rows were not counted")
}
