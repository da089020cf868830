package fence_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/internal/fence"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/versions"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, ledger.Migrate)) }

// calls are all that differ in anything that shapes a statement.
func calls(call fence.Call, visit func(fence.Call)) {
	many := make([]string, fence.MaxKeys+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	for n := range 1 << 7 {
		bit := func(i int) bool { return n>>i&1 == 1 }
		c := call
		c.Guarded, c.Lock, c.All, c.Look, c.Makes, c.Joined = bit(0), bit(1), bit(2), bit(3), bit(4), bit(5)
		if bit(6) {
			c.Timeouts = []any{"30000", "10000", "20000"}
		}
		for _, keys := range [][]string{nil, {}, {"a"}, {"b", "a"}, many} {
			c.Keys = keys
			visit(c)
		}
	}
}

// Every form of the fence is two statements that PostgreSQL takes, of few texts,
// as each of them is prepared once for a connection.
func TestEveryFormRuns(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	store := ledger.New(pool, nil)
	_, err := store.Register(t.Context(), versions.Migration{Name: "notes-v2", Entity: "notes", From: "v1", To: "v2"}, "")
	require.NoError(t, err)
	all, err := store.Versions(t.Context(), "notes-v2")
	require.NoError(t, err)
	texts, forms := map[string]bool{}, 0
	for _, captured := range []bool{false, true} {
		_, err := pool.Exec(t.Context(), "update crossfade.migrations set captured = $1", captured)
		require.NoError(t, err)
		calls(fence.Call{Migration: all[0].MigrationID, Epoch: all[0].Epoch, Policy: all[0].PolicyID, Tenant: `{ac"me}`}, func(c fence.Call) {
			forms++
			tx, err := pool.Begin(t.Context())
			require.NoError(t, err)
			defer func() { require.NoError(t, tx.Rollback(context.WithoutCancel(t.Context()))) }()
			var marked bool
			var stale []string
			for i, s := range c.Statements() {
				texts[s.SQL] = true
				rows, err := tx.Query(t.Context(), s.SQL, s.Args...)
				require.NoError(t, err, "%+v", c)
				if last := i == len(c.Statements())-1; last {
					dest := []any{&marked, &stale}
					if !c.Look {
						dest = dest[:1]
					}
					_, err = pgx.ForEachRow(rows, dest, func() error { return nil })
				}
				rows.Close()
				require.NoError(t, err, "%+v", c)
			}
			assert.Equal(t, captured && c.Lock, marked, "%+v", c)
			var mark, timeout string
			require.NoError(t, tx.QueryRow(t.Context(), "select coalesce(current_setting('crossfade.mark', true), ''), current_setting('lock_timeout')").Scan(&mark, &timeout))
			kind := "keys"
			if c.Makes {
				kind = "made"
			} else if c.All || len(c.Keys) == 0 {
				kind = "all"
			}
			assert.Equal(t, marked, strings.HasPrefix(mark, fmt.Sprintf(`{%d,%s,"{ac\"me}"`, c.Migration, kind)), "%s of %+v", mark, c)
			assert.Equal(t, c.Timeouts != nil, timeout == "10s")
		})
	}
	assert.Equal(t, 2*640, forms)
	assert.LessOrEqual(t, len(texts), 71)
}

// In a transaction of the application the mark of one migration is not to cover
// what an operation of another one writes.
func TestMarkOfTheOperationBeforeIsTakenBack(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	store := ledger.New(pool, nil)
	_, err := store.Register(t.Context(), versions.Migration{Name: "notes-v2", Entity: "notes", From: "v1", To: "v2"}, "")
	require.NoError(t, err)
	all, err := store.Versions(t.Context(), "notes-v2")
	require.NoError(t, err)
	calls(fence.Call{Migration: all[0].MigrationID, Epoch: all[0].Epoch, Policy: all[0].PolicyID, Tenant: "acme"}, func(c fence.Call) {
		if !c.Joined {
			return
		}
		tx, err := pool.Begin(t.Context())
		require.NoError(t, err)
		defer func() { require.NoError(t, tx.Rollback(context.WithoutCancel(t.Context()))) }()
		_, err = tx.Exec(t.Context(), "select set_config('crossfade.mark', '{7,all,acme}', true)")
		require.NoError(t, err)
		for _, s := range c.Statements() {
			_, err = tx.Exec(t.Context(), s.SQL, s.Args...)
			require.NoError(t, err)
		}
		var mark string
		require.NoError(t, tx.QueryRow(t.Context(), "select current_setting('crossfade.mark')").Scan(&mark))
		assert.Empty(t, mark, "%+v", c)
	})
}
