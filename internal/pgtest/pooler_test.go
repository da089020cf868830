//go:build unix

package pgtest

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPoolerLeadsToTheServerAndIsGoneAfterwards(t *testing.T) {
	server, err := Start(t.Context(), &Config{Own: true, InMemory: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Close(context.Background())) })
	var pooler *Pooler
	t.Run("inside", func(t *testing.T) {
		var dsn string
		pooler, dsn = Bouncer(t, server.URL(), &PoolerConfig{Size: 1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		pids := map[int]bool{}
		for range 2 {
			conn, err := pgx.Connect(ctx, dsn)
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, conn.Close(context.Background())) })
			var pid int
			require.NoError(t, conn.QueryRow(ctx, "select pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&pid))
			pids[pid] = true
		}
		assert.Len(t, pids, 1, "two clients share the one connection to the server")
	})
	if pooler == nil {
		return // there is no PgBouncer, which Bouncer has said
	}
	_, err = os.Stat(pooler.folder)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = pgx.Connect(t.Context(), "postgres://"+pooler.Addr()+"/postgres?sslmode=disable")
	require.Error(t, err)
}
