package ledger_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/internal/proxy"
	"github.com/crossfade-db/crossfade/ledger"
)

func pooled(t *testing.T, dsn string) bool {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	pooled, err := ledger.Pooled(t.Context(), conn)
	require.NoError(t, err)
	return pooled
}

func TestPoolerIsToldFromTheServer(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	assert.False(t, pooled(t, dsn))
	network, through, err := proxy.For(dsn)
	require.NoError(t, err)
	defer network.Close()
	assert.False(t, pooled(t, through), "a proxy that passes bytes on is none")
	_, through = pgtest.Bouncer(t, dsn, nil)
	assert.True(t, pooled(t, through))
}

func TestMigrateAsksForADirectConnection(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	for _, mode := range []string{"transaction", "session"} {
		_, through := pgtest.Bouncer(t, dsn, &pgtest.PoolerConfig{Mode: mode})
		err := ledger.Migrate(t.Context(), through)
		var pooler *ledger.PoolerError
		require.ErrorAs(t, err, &pooler)
		require.ErrorContains(t, err, "migrate the ledger: the DSN leads to a connection pooler")
		require.ErrorContains(t, err, "give a DSN with the host and port of the PostgreSQL server itself")
	}
	require.NoError(t, ledger.Migrate(t.Context(), dsn))
}

// Every statement of the ledger works in the modes without prepared statements;
// with them a pooler in transaction mode loses one soon, which is then said.
func TestLostPreparedStatementIsExplained(t *testing.T) {
	t.Parallel()
	_, through := pgtest.Bouncer(t, pgtest.New(t), &pgtest.PoolerConfig{Size: 2})
	config, err := pgx.ParseConfig(through)
	require.NoError(t, err)
	require.Equal(t, pgx.QueryExecModeCacheStatement, config.DefaultQueryExecMode)
	// The other client's transaction takes the session in which the statement
	// was prepared.
	stores := openStores(t, through, 2)
	require.NoError(t, stores[0].Check(t.Context()))
	tx, err := stores[1].Pool().Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(t.Context()) }()
	_, err = tx.Exec(t.Context(), "select 1", pgx.QueryExecModeSimpleProtocol)
	require.NoError(t, err)
	err = stores[0].Check(t.Context())
	var server *ledger.ServerError
	require.ErrorAs(t, err, &server)
	assert.Equal(t, ledger.NotPrepared, server.Problem)
	assert.ErrorContains(t, err, "default_query_exec_mode=cache_describe")
}

func openStores(t *testing.T, dsn string, n int) (all []*ledger.Store) {
	t.Helper()
	for range n {
		config, err := pgxpool.ParseConfig(dsn)
		require.NoError(t, err)
		config.MaxConns = 1
		pool, err := pgxpool.NewWithConfig(t.Context(), config)
		require.NoError(t, err)
		t.Cleanup(pool.Close)
		all = append(all, ledger.New(pool, nil))
	}
	return all
}
