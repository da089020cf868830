package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// A COMMIT inside would drop the locks, and the other side's write would commit by itself.
func TestNobodyEndsATransactionFromInside(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	require.ErrorIs(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		require.NoError(t, w.notes.in(tx).Save(ctx, tenant, note{ID: 1, Text: "one"}))
		_, err := tx.Exec(ctx, "select 1; commit")
		require.ErrorAs(t, err, new(*postgres.ControlError))
		_, err = tx.Query(ctx, "commit") //nolint:sqlclosecheck // there are no rows //nolint:sqlclosecheck // there are no rows
		require.ErrorAs(t, err, new(*postgres.ControlError))
		require.ErrorAs(t, tx.QueryRow(ctx, "rollback").Scan(), new(*postgres.ControlError))
		batch := &pgx.Batch{}
		batch.Queue("select 1")
		batch.Queue("end")
		require.ErrorAs(t, tx.SendBatch(ctx, batch).Close(), new(*postgres.ControlError))
		return errBoom
	}), errBoom)
	assert.Empty(t, w.text("notes_v1", 1), "it was rolled back all the same")
}

func TestCommitThatCannotBeSentIsNoUnknownOutcome(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	for problem, leave := range map[string]func(ctx context.Context, tx *postgres.Tx, cancel func()){
		"rows of an earlier query": func(ctx context.Context, tx *postgres.Tx, _ func()) {
			_, err := tx.Query(ctx, "select * from generate_series(1, 100000)") //nolint:sqlclosecheck // that is the mistake
			require.NoError(t, err)
		},
		"context already done": func(_ context.Context, _ *postgres.Tx, cancel func()) { cancel() },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		err := w.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			require.NoError(t, w.notes.in(tx).Save(ctx, tenant, note{ID: 1, Text: "one"}))
			leave(ctx, tx, cancel)
			return nil
		})
		cancel()
		var unknown *repo.UnknownOutcomeError
		require.ErrorContains(t, err, problem)
		require.NotErrorAs(t, err, &unknown)
		assert.Empty(t, w.text("notes_v1", 1))
	}
}

func TestAdoptedTransactionEndsWithTheApplications(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	outer, err := w.pool.Begin(t.Context())
	require.NoError(t, err)
	tx, err := w.db.Adopt(t.Context(), outer)
	require.NoError(t, err)
	require.NoError(t, outer.Commit(t.Context()))
	require.ErrorIs(t, w.notes.in(tx).Save(t.Context(), tenant, note{ID: 1, Text: "one"}), pgx.ErrTxClosed,
		"its connection may serve somebody else by now")
}

func TestRefuseControl(t *testing.T) {
	for sql, statement := range map[string]string{
		"commit":                                "COMMIT",
		"  Commit;":                             "COMMIT",
		"COMMIT AND CHAIN":                      "COMMIT",
		"end":                                   "END",
		"abort":                                 "ABORT",
		"begin":                                 "BEGIN",
		"start  transaction read only":          "START TRANSACTION",
		"prepare transaction 'x'":               "PREPARE TRANSACTION",
		"rollback":                              "ROLLBACK",
		"rollback work":                         "ROLLBACK",
		"rollback and chain":                    "ROLLBACK",
		"-- name: X :exec\ncommit":              "COMMIT",
		"/* a /* nested */ comment */ rollback": "ROLLBACK",
		"select 1; commit":                      "COMMIT",
		"select 'a;b'; ; -- c\n commit; select 2":  "COMMIT",
		"select $$ ; begin $$; rollback":           "ROLLBACK",
		"select E'\\';'; commit":                   "COMMIT",
		"select a$b$c from t; commit; select $b$ ": "COMMIT",
		`select "a;"; commit`:                      "COMMIT",
	} {
		var refused *postgres.ControlError
		if assert.ErrorAs(t, postgres.RefuseControl(sql), &refused, sql) {
			assert.Equal(t, statement, refused.Statement, sql)
		}
	}
	for _, sql := range []string{
		"", ";", "--", "/*", "'", "$a$ ; commit",
		"select 1", "select 1;", "(select 1)", "savepoint commit", "release savepoint a",
		"rollback to a", "ROLLBACK WORK TO SAVEPOINT a", "rollback transaction to a",
		"rollback to savepoint a; release savepoint a",
		"prepare q as select 1", "commitments", "begins", "start_of",
		"insert into t values ('; commit')", "select 'it''s; commit'", `select "; commit"`,
		"do $f$ begin perform 1; end; $f$", "do $$ begin; commit; $$", "select E'\\'; commit'",
		"select 1 -- ; commit", "select 1 /* ; commit */", "select $1; -- commit",
		"create function f() returns int language sql as 'select 1; commit'",
	} {
		assert.NoError(t, postgres.RefuseControl(sql), sql)
	}
}

func FuzzRefuseControl(f *testing.F) {
	f.Add("select $a$ ; commit $a$; rollback")
	f.Fuzz(func(t *testing.T, sql string) {
		_ = postgres.RefuseControl(sql) // neither panics nor hangs
		require.ErrorAs(t, postgres.RefuseControl("select 1 /*\"*/; commit -- "+sql), new(*postgres.ControlError))
	})
}

func BenchmarkRefuseControl(b *testing.B) {
	const sql = "-- name: SaveCustomer :exec\ninsert into quickstart_v2.customers (tenant_id, id, first_name) values ($1, $2, $3)"
	for b.Loop() {
		if err := postgres.RefuseControl(sql); err != nil {
			b.Fatal(err)
		}
	}
}
