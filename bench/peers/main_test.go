package peers_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/bench/peers"
	"github.com/crossfade-db/crossfade/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, tables)) }

// tables of both versions: one keeps a name in one column, the other in two.
func tables(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, `
		create schema v1;
		create table v1.people (tenant text, id bigint, name text not null, primary key (tenant, id));
		create table people_v2 (tenant text, id bigint, first text not null, last text not null, primary key (tenant, id));`)
	return err
}

// world is a database with functions that write and read its rows.
type world struct {
	t    *testing.T
	pool *pgxpool.Pool
}

func newWorld(t *testing.T) world { return world{t: t, pool: pgtest.Pool(t)} }

const tenant = "acme"

func (w world) write(statement string) peers.Write {
	return func(ctx context.Context, i int) error {
		_, err := w.pool.Exec(ctx, statement, tenant, i)
		return err
	}
}

func (w world) read(statement string) peers.Read[string] {
	return func(ctx context.Context, i int) (name string, err error) {
		err = w.pool.QueryRow(ctx, statement, tenant, i).Scan(&name)
		return name, err
	}
}

func (w world) writeOld() peers.Write {
	return w.write("insert into v1.people values ($1, $2::bigint, 'Ada Lovelace' || $2::bigint)")
}

func (w world) writeNew() peers.Write {
	return w.write("insert into people_v2 values ($1, $2::bigint, 'Ada', 'Lovelace' || $2::bigint)")
}

func (w world) readOld() peers.Read[string] {
	return w.read("select name from v1.people where tenant = $1 and id = $2")
}

func (w world) readNew() peers.Read[string] {
	return w.read("select first || ' ' || last from people_v2 where tenant = $1 and id = $2")
}

// old and new are the rows of both sides as texts.
func (w world) old() []string { return w.list("select id || ' ' || name from v1.people order by id") }

func (w world) new() []string {
	return w.list("select id || ' ' || first || ' ' || last from people_v2 order by id")
}

func (w world) list(query string) []string {
	w.t.Helper()
	rows, err := w.pool.Query(w.t.Context(), query)
	require.NoError(w.t, err)
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(w.t, err)
	return list
}

func (w world) exec(sql string, args ...any) {
	w.t.Helper()
	_, err := w.pool.Exec(w.t.Context(), sql, args...)
	require.NoError(w.t, err)
}

func equal(a, b string) bool { return a == b }
