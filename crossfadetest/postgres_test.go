package crossfadetest_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/ledger"
)

func TestPostgresMakesADatabaseOfTheTestsOwnWithTheLedgerInIt(t *testing.T) {
	setup := crossfadetest.SQL(`create table notes (text text)`)
	one, two := crossfadetest.Postgres(t, setup), crossfadetest.Postgres(t, setup)
	_, err := one.Exec(t.Context(), `insert into notes values ('one')`)
	require.NoError(t, err)

	var notes int
	require.NoError(t, two.QueryRow(t.Context(), `select count(*) from notes`).Scan(&notes))
	require.Zero(t, notes, "the other database has the row")
	require.NoError(t, ledger.Check(t.Context(), two))
}

func TestPostgresRunsASetOfSetupsOnce(t *testing.T) {
	var runs atomic.Int32
	counted := func(name string) crossfadetest.Setup {
		return func(ctx context.Context, conn *pgx.Conn) error {
			runs.Add(1)
			_, err := conn.Exec(ctx, `create table `+name+` ()`)
			return err
		}
	}
	first, second := counted("first"), counted("second")
	t.Run("in parallel", func(t *testing.T) {
		for _, name := range []string{"one", "two", "three"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				crossfadetest.Postgres(t, first)
			})
		}
	})
	require.EqualValues(t, 1, runs.Load())

	pool := crossfadetest.Postgres(t, second) // the same code as first's
	require.EqualValues(t, 2, runs.Load())
	_, err := pool.Exec(t.Context(), `select from second`)
	require.NoError(t, err)
}

func TestPostgresDropsTheDatabaseAtTheEnd(t *testing.T) {
	observer := crossfadetest.Postgres(t)
	var name string
	t.Run("inner", func(t *testing.T) {
		pool := crossfadetest.Postgres(t)
		require.NoError(t, pool.QueryRow(t.Context(), `select current_database()`).Scan(&name))
	})
	var left int
	require.NoError(t, observer.QueryRow(t.Context(), `select count(*) from pg_database where datname = $1`, name).Scan(&left))
	require.Zero(t, left)
}

func BenchmarkPostgres(b *testing.B) {
	crossfadetest.Postgres(b)
	for b.Loop() {
		crossfadetest.Postgres(b)
	}
}
