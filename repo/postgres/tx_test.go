package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

func TestInTxCommitsAndRollsBackBothSides(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	write := func(ctx context.Context, tx *postgres.Tx) error {
		if err := w.notes.in(tx).Save(ctx, tenant, note{ID: 1, Text: "one"}); err != nil {
			return err
		}
		got, err := w.notes.in(tx).Get(ctx, tenant, 1)
		assert.Equal(t, "one", got.Text, "it sees its own write")
		return err
	}
	require.ErrorIs(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		require.NoError(t, write(ctx, tx))
		return errBoom
	}), errBoom)
	assert.Empty(t, w.text("notes_v1", 1))
	assert.PanicsWithValue(t, "boom", func() {
		_ = w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
			require.NoError(t, write(ctx, tx))
			panic("boom")
		})
	})
	assert.Empty(t, w.text("notes_v2", 1))
	require.NoError(t, w.db.InTx(t.Context(), write))
	assert.Equal(t, "one 0", w.text("notes_v1", 1))
	assert.Equal(t, "one 0", w.text("notes_v2", 1))
}

func TestInTxRunsAgainWhenThePolicyChangesInside(t *testing.T) {
	w := newWorld(t, flags.Old, nil)
	runs := 0
	require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		runs++
		if err := w.notes.in(tx).Save(ctx, tenant, note{ID: 1, Text: "one"}); err != nil {
			return err
		}
		if runs == 1 {
			w.publish(flags.Dual)
		}
		return w.notes.in(tx).Save(ctx, tenant, note{ID: 2, Text: "two"})
	}))
	assert.Equal(t, 2, runs)
	assert.Equal(t, "one 0", w.text("notes_v2", 1), "both writes at dual")
	assert.Equal(t, "two 0", w.text("notes_v2", 2))
}

func TestSwallowedRefusalDoesNotCommit(t *testing.T) {
	w := newWorld(t, flags.Old, nil)
	runs := 0
	require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		if runs++; runs == 1 {
			w.publish(flags.Dual)
		}
		_ = w.notes.in(tx).Save(ctx, tenant, note{ID: 1, Text: "one"})
		return nil
	}))
	assert.Equal(t, 2, runs)
	assert.Equal(t, "one 0", w.text("notes_v2", 1))
}

func TestSwallowedFailureIsNotReportedAsCommitted(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	err := w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		_, _ = tx.Exec(ctx, "select 1/0")
		return nil
	})
	require.ErrorContains(t, err, "rolled back")
	w.old.on("Save", func(ctx context.Context, db postgres.DBTX) error { _, _ = db.Exec(ctx, "select 1/0"); return nil })
	require.Error(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
	assert.Empty(t, w.text("notes_v2", 1))
}

func TestFailureInsideATransactionCostsOnlyThatKey(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	w.new.on("Save", func(ctx context.Context, db postgres.DBTX) error { _, err := db.Exec(ctx, "select 1/0"); return err })
	require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		if err := w.notes.in(tx).Save(ctx, tenant, note{ID: 1, Text: "one"}); err != nil {
			return err
		}
		w.new.on("Save", nil)
		return w.notes.in(tx).Save(ctx, tenant, note{ID: 2, Text: "two"})
	}))
	assert.Equal(t, []string{"new:1"}, w.stale())
	assert.Equal(t, "one 0", w.text("notes_v1", 1))
	assert.Equal(t, "two 0", w.text("notes_v2", 2))
}

func TestTimeoutsOfTheOtherSideArePutBack(t *testing.T) {
	w := newWorld(t, flags.Dual, &postgres.Config{StatementTimeout: 11 * time.Second, OtherStatementTimeout: 3 * time.Second})
	setting := func(ctx context.Context, db postgres.DBTX) (value string) {
		require.NoError(t, db.QueryRow(ctx, "select current_setting('statement_timeout')").Scan(&value))
		return value
	}
	w.new.on("Save", func(ctx context.Context, db postgres.DBTX) error {
		assert.Equal(t, "3s", setting(ctx, db))
		return nil
	})
	require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		if err := w.notes.in(tx).Save(ctx, tenant, note{ID: 1, Text: "one"}); err != nil {
			return err
		}
		assert.Equal(t, "11s", setting(ctx, tx))
		return nil
	}))
}

// A statement timeout does not cover deferred constraints: without the check
// inside the savepoint, the new side's violation would fail the COMMIT.
func TestDeferredConstraintOfTheOtherSideNeverFailsTheCommit(t *testing.T) {
	ddl := `create table owners (name text primary key);
		alter table notes_v2 add owner text default 'nobody';
		alter table notes_v2 add constraint notes_owner foreign key (owner) references owners deferrable initially deferred`
	t.Run("in a transaction of its own", func(t *testing.T) {
		w := newWorld(t, flags.Dual, nil)
		_, err := w.pool.Exec(t.Context(), ddl)
		require.NoError(t, err)
		require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
		assert.Equal(t, "one 0", w.text("notes_v1", 1))
		assert.Equal(t, []string{"new:1"}, w.stale())
	})
	t.Run("in a transaction of the application, by name", func(t *testing.T) {
		w := newWorld(t, flags.Dual, nil)
		_, err := w.pool.Exec(t.Context(), ddl+`; create table pending (owner text references owners deferrable initially deferred)`)
		require.NoError(t, err)
		backend, err := postgres.Sides(w.db, v1(w.old), v2(w.new),
			postgres.SidesOptions{Deferrable: map[flags.Side][]string{flags.NewSide: {"notes_owner"}}})
		require.NoError(t, err)
		route, err := repo.NewRoute(repo.Config[notes]{Migration: w.notes.route.Migration(), Flag: w.notes.route.Flag(), Backend: backend, Copier: copier})
		require.NoError(t, err)
		save := func() error {
			return w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
				if _, err := tx.Exec(ctx, "insert into pending values ('late')"); err != nil {
					return err
				}
				if err := (routed{route}).in(tx).Save(ctx, tenant, note{ID: 1, Text: "one"}); err != nil {
					return err
				}
				_, err := tx.Exec(ctx, "insert into owners values ('late') on conflict do nothing") // settles the application's own deferred work
				return err
			})
		}
		_, err = w.pool.Exec(t.Context(), "insert into owners values ('nobody')")
		require.NoError(t, err)
		require.NoError(t, save())
		assert.Empty(t, w.stale(), "the new side is fine, the application's pending work is not its fault")
		_, err = w.pool.Exec(t.Context(), "alter table notes_v2 alter owner set default 'stranger'; delete from notes_v2")
		require.NoError(t, err)
		require.NoError(t, save())
		assert.Equal(t, []string{"new:1"}, w.stale(), "now it is not")
	})
}

func TestAdoptJoinsTheApplicationsTransaction(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	ctx := t.Context()
	outer, err := w.pool.Begin(ctx)
	require.NoError(t, err)
	tx, err := w.db.Adopt(ctx, outer)
	require.NoError(t, err)
	require.NoError(t, w.notes.in(tx).Save(ctx, tenant, note{ID: 1, Text: "one"}))
	require.NoError(t, outer.Rollback(ctx))
	assert.Empty(t, w.text("notes_v1", 1))
	assert.Empty(t, w.text("notes_v2", 1))

	for _, level := range []pgx.TxIsoLevel{pgx.RepeatableRead, pgx.Serializable} {
		outer, err = w.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: level})
		require.NoError(t, err)
		_, err = w.db.Adopt(ctx, outer)
		require.NoError(t, outer.Rollback(ctx))
		var isolation *postgres.IsolationError
		require.ErrorAs(t, err, &isolation)
		assert.Equal(t, string(level), isolation.Level)
	}

	conn, err := w.pool.Acquire(ctx)
	require.NoError(t, err)
	defer conn.Release()
	_, err = w.db.AdoptConn(ctx, conn.Conn())
	require.ErrorContains(t, err, "begin one first")
}

func TestAdoptedTransactionIsToldToRunAgain(t *testing.T) {
	w := newWorld(t, flags.Old, nil)
	ctx := t.Context()
	outer, err := w.pool.Begin(ctx)
	require.NoError(t, err)
	tx, err := w.db.Adopt(ctx, outer)
	require.NoError(t, err)
	w.publish(flags.Dual)
	err = w.notes.in(tx).Save(ctx, tenant, note{ID: 1, Text: "one"})
	require.True(t, repo.Retryable(err), err)
	require.True(t, repo.Retryable(w.notes.in(tx).Save(ctx, tenant, note{ID: 1, Text: "one"})), "and again until it is rolled back")
	require.NoError(t, outer.Rollback(ctx))
}

// A savepoint of the application that is rolled back takes its locks with it:
// the fence is asked at every use and never remembered.
func TestFenceComesWithEveryUseInATransaction(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	ctx := t.Context()
	outer, err := w.pool.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = outer.Rollback(ctx) }()
	tx, err := w.db.Adopt(ctx, outer)
	require.NoError(t, err)
	locks := func() (n int) {
		require.NoError(t, w.pool.QueryRow(ctx, "select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())").Scan(&n))
		return n
	}
	_, err = outer.Exec(ctx, "savepoint mine")
	require.NoError(t, err)
	require.NoError(t, w.notes.in(tx).Save(ctx, tenant, note{ID: 1, Text: "one"}))
	assert.Equal(t, 3, locks(), "epoch, tenant and key")
	_, err = outer.Exec(ctx, "rollback to savepoint mine")
	require.NoError(t, err)
	assert.Equal(t, 0, locks())
	require.NoError(t, w.notes.in(tx).Save(ctx, tenant, note{ID: 1, Text: "one"}))
	assert.Equal(t, 3, locks())
}

func TestWriteByPredicateAfterAWriteByKeyMustBeDeclared(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	err := w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		if err := w.notes.in(tx).Save(ctx, tenant, note{ID: 1, Text: "one"}); err != nil {
			return err
		}
		return w.notes.in(tx).SeeAll(ctx, tenant)
	})
	var upgrade *postgres.LockUpgradeError
	require.ErrorAs(t, err, &upgrade)
	require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		if err := tx.LockTenant(ctx, "notes-v2", tenant); err != nil {
			return err
		}
		if err := w.notes.in(tx).Save(ctx, tenant, note{ID: 1, Text: "one"}); err != nil {
			return err
		}
		return w.notes.in(tx).SeeAll(ctx, tenant)
	}))
	assert.Equal(t, "one 1", w.text("notes_v2", 1))
}

func TestHandleIsClosedAfterItsTransaction(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	var kept *postgres.Tx
	require.NoError(t, w.db.InTx(t.Context(), func(_ context.Context, tx *postgres.Tx) error { kept = tx; return nil }))
	_, err := kept.Exec(t.Context(), "select 1")
	require.ErrorIs(t, err, postgres.ErrClosed)
	require.ErrorIs(t, kept.QueryRow(t.Context(), "select 1").Scan(), postgres.ErrClosed)
	_, err = kept.Query(t.Context(), "select 1") //nolint:sqlclosecheck // there are none
	require.ErrorIs(t, err, postgres.ErrClosed)
	require.ErrorIs(t, kept.SendBatch(t.Context(), &pgx.Batch{}).Close(), postgres.ErrClosed)
	require.ErrorIs(t, w.notes.in(kept).Save(t.Context(), tenant, note{ID: 1}), postgres.ErrClosed)
}

func TestTransactionsHaveAMaximumAge(t *testing.T) {
	w := newWorld(t, flags.Dual, &postgres.Config{MaxTxAge: 50 * time.Millisecond})
	err := w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		<-ctx.Done()
		_, err := tx.Exec(ctx, "select 1")
		return err
	})
	require.Error(t, err)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestOpenRowsAreNamed(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	err := w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, "select generate_series(1, 100000)")
		if err != nil {
			return err
		}
		defer rows.Close()
		return w.notes.in(tx).Save(ctx, tenant, note{ID: 1, Text: "one"})
	})
	require.ErrorContains(t, err, "rows of an earlier query are still open")
}

func TestWiringMistakesAreNamed(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	_, err := postgres.Sides[notes](w.db, nil, v2(w.new))
	require.ErrorContains(t, err, "the old side is nil")
	_, err = postgres.Sides(w.db, v1(w.old), func(postgres.DBTX) notes { return nil })
	require.ErrorContains(t, err, "the factory of the new side returned nil")
	_, err = postgres.Sides(w.db, v1(w.old), func(postgres.DBTX) notes { return (*table)(nil) })
	require.ErrorContains(t, err, "the factory of the new side returned nil")
	_, err = postgres.Sides[notes](nil, v1(w.old), v2(w.new))
	require.ErrorContains(t, err, "db is nil")
	require.ErrorContains(t, w.notes.in(nil).Save(t.Context(), tenant, note{}), "not a *postgres.Tx")
	elsewhere := newWorld(t, flags.Dual, nil)
	require.NoError(t, elsewhere.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		require.ErrorContains(t, w.notes.in(tx).Save(ctx, tenant, note{}), "another database")
		return nil
	}))
}
