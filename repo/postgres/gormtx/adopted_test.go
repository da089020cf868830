package gormtx_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/repo/postgres"
)

// pair runs a test on pgx itself and on a transaction adopted from database/sql.
func pair(t *testing.T, test func(t *testing.T, q postgres.DBTX)) {
	t.Helper()
	w := newWorld(t)
	t.Run("pgx itself", func(t *testing.T) {
		tx, err := w.pool.Begin(t.Context())
		require.NoError(t, err)
		defer func() { _ = tx.Rollback(context.Background()) }()
		test(t, tx)
	})
	t.Run("adopted", func(t *testing.T) {
		app := waysToBegin(w)["database/sql"](t.Context())
		defer app.undo()
		tx, err := app.adopt(t.Context())
		require.NoError(t, err)
		test(t, tx)
	})
}

type entry struct {
	ID   int
	Name *string
}

// ScanRow scans a whole row.
func (e *entry) ScanRow(rows pgx.Rows) error { return rows.Scan(&e.ID, &e.Name) }

const entriesSQL = "select i as id, case when i <> 2 then 'n' || i end as name from generate_series(1, $1::int) i"

func TestAdoptedHandleBehavesAsPGX(t *testing.T) {
	ann := "n1"
	pair(t, func(t *testing.T, q postgres.DBTX) {
		ctx := t.Context()
		tag, err := q.Exec(ctx, "insert into authors (name) select name from unnest($1::text[]) name", []string{"a", "b"})
		require.NoError(t, err)
		assert.Equal(t, "INSERT 0 2", tag.String())

		rows, err := q.Query(ctx, entriesSQL, 3)
		require.NoError(t, err)
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[entry])
		require.NoError(t, err)
		require.Len(t, found, 3)
		assert.Equal(t, entry{1, &ann}, found[0])
		assert.Nil(t, found[1].Name)
		assert.Equal(t, "SELECT 3", rows.CommandTag().String())
		assert.False(t, rows.Next())

		rows, err = q.Query(ctx, entriesSQL, 2)
		require.NoError(t, err)
		require.True(t, rows.Next())
		assert.Len(t, rows.RawValues(), 2)
		assert.Equal(t, "name", rows.FieldDescriptions()[1].Name)
		assert.NotNil(t, rows.Conn())
		var whole entry
		require.NoError(t, rows.Scan(&whole))
		assert.Equal(t, entry{1, &ann}, whole)
		require.NoError(t, rows.Scan(nil, nil))
		values, err := rows.Values()
		require.NoError(t, err)
		assert.Equal(t, []any{int32(1), "n1"}, values)
		require.True(t, rows.Next())
		values, err = rows.Values()
		require.NoError(t, err)
		assert.Equal(t, []any{int32(2), nil}, values)
		rows.Close()
		require.NoError(t, rows.Err())

		rows, err = q.Query(ctx, entriesSQL, 0)
		require.NoError(t, err)
		assert.False(t, rows.Next())
		assert.Len(t, rows.FieldDescriptions(), 2)
		require.NoError(t, rows.Err())

		rows, err = q.Query(ctx, entriesSQL, 1)
		require.NoError(t, err)
		require.True(t, rows.Next())
		require.Error(t, rows.Scan(new(int)), "too few")
		require.Error(t, rows.Err())

		require.ErrorIs(t, q.QueryRow(ctx, entriesSQL, 0).Scan(&whole), pgx.ErrNoRows)
		require.NoError(t, q.QueryRow(ctx, entriesSQL, 3).Scan(&whole))
		require.NoError(t, q.QueryRow(ctx, "select @n::int, 'n1'", pgx.NamedArgs{"n": 7}).Scan(&whole))
		assert.Equal(t, 7, whole.ID)

		n, err := q.CopyFrom(ctx, pgx.Identifier{"authors"}, []string{"name"}, pgx.CopyFromRows([][]any{{"c"}, {"d"}}))
		require.NoError(t, err)
		assert.EqualValues(t, 2, n)
		var count int
		require.NoError(t, q.QueryRow(ctx, "select count(*) from authors").Scan(&count))
		assert.Equal(t, 4, count)
	})
}

func TestAdoptedBatchesBehaveAsPGX(t *testing.T) {
	pair(t, func(t *testing.T, q postgres.DBTX) {
		ctx := t.Context()
		var ids []int
		var one int
		var tag pgconn.CommandTag
		batch := &pgx.Batch{}
		batch.Queue(entriesSQL, 2).Query(func(rows pgx.Rows) (err error) {
			found, err := pgx.CollectRows(rows, pgx.RowToStructByName[entry])
			for _, e := range found {
				ids = append(ids, e.ID)
			}
			return err
		})
		batch.Queue("select 1")
		batch.Queue("select 5").QueryRow(func(row pgx.Row) error { return row.Scan(&one) })
		batch.Queue("insert into authors (name) values ('a')").Exec(func(ct pgconn.CommandTag) error { tag = ct; return nil })
		require.NoError(t, q.SendBatch(ctx, batch).Close())
		assert.Equal(t, []int{1, 2}, ids)
		assert.Equal(t, 5, one)
		assert.Equal(t, "INSERT 0 1", tag.String())

		batch = &pgx.Batch{}
		batch.Queue("select 1")
		batch.Queue("select 2")
		batch.Queue("select 3")
		batch.Queue("select 4").QueryRow(func(row pgx.Row) error { return row.Scan(&one) })
		results := q.SendBatch(ctx, batch)
		_, err := results.Exec()
		require.NoError(t, err)
		require.NoError(t, results.QueryRow().Scan(&one))
		assert.Equal(t, 2, one)
		rows, err := results.Query()
		require.NoError(t, err)
		require.True(t, rows.Next())
		rows.Close()
		assert.Nil(t, results.Tx())
		require.NoError(t, results.Close())
		assert.Equal(t, 4, one, "Close calls the functions that are left")
		require.NoError(t, results.Close())
		_, err = results.Exec()
		require.ErrorContains(t, err, "closed")
		require.NoError(t, q.SendBatch(ctx, &pgx.Batch{}).Close())

		batch = &pgx.Batch{}
		called := 0
		batch.Queue("select 1").QueryRow(func(pgx.Row) error { called++; return errBoom })
		batch.Queue("select 2").QueryRow(func(pgx.Row) error { called++; return nil })
		require.ErrorIs(t, q.SendBatch(ctx, batch).Close(), errBoom)
		assert.Equal(t, 1, called, "up to the first error")

		batch = &pgx.Batch{}
		batch.Queue("select 1").QueryRow(func(row pgx.Row) error { return row.Scan(&one) })
		batch.Queue("insert into authors (name) values ('a')")
		batch.Queue("select 3").QueryRow(func(pgx.Row) error { called++; return nil })
		results = q.SendBatch(ctx, batch)
		require.NoError(t, results.QueryRow().Scan(&one), "the first went well")
		_, err = results.Exec()
		var pg *pgconn.PgError
		require.ErrorAs(t, err, &pg)
		assert.Equal(t, "23505", pg.Code)
		require.Error(t, results.QueryRow().Scan(&one))
		require.ErrorAs(t, results.Close(), &pg)
		assert.Equal(t, 1, called)
	})
}

func TestAdoptedHandleReportsErrorsAsPGX(t *testing.T) {
	for what := range attempts(context.Background(), nil) {
		t.Run(what, func(t *testing.T) {
			pair(t, func(t *testing.T, q postgres.DBTX) {
				_, err := q.Exec(t.Context(), "insert into authors (name) values ('late')")
				require.NoError(t, err)
				var pg *pgconn.PgError
				err = attempts(t.Context(), q)[what]()
				require.ErrorAs(t, err, &pg)
				assert.Equal(t, "23505", pg.Code)
			})
		})
	}
}
