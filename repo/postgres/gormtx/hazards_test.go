package gormtx_test

import (
	"context"
	"database/sql"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/repo/postgres/gormtx"
)

func TestOpenRowsGiveAClearError(t *testing.T) {
	check := func(t *testing.T, app *gorm.DB, tx *postgres.Tx, ours *gorm.DB) {
		rows, err := app.Raw("select * from generate_series(1, 100000)").Rows()
		require.NoError(t, err)
		require.True(t, rows.Next())
		require.ErrorIs(t, ours.Exec("select 1").Error, gormtx.ErrRowsOpen)
		require.ErrorIs(t, ours.Find(&[]author{}).Error, gormtx.ErrRowsOpen)
		require.ErrorIs(t, ours.Raw("select 1").Row().Scan(new(int)), gormtx.ErrRowsOpen)
		for what, try := range attempts(t.Context(), tx) {
			assert.ErrorContains(t, try(), "conn busy", what)
		}
		require.NoError(t, rows.Close()) //nolint:sqlclosecheck // what comes after needs it
		require.NoError(t, rows.Err())
		require.NoError(t, ours.Create(&author{Name: t.Name()}).Error, "nothing is lost")
		_, err = tx.Exec(t.Context(), "select 1")
		require.NoError(t, err)
	}
	w := newWorld(t)
	t.Run("in our transaction", func(t *testing.T) {
		require.NoError(t, w.inTx(func(_ context.Context, tx *postgres.Tx, g *gorm.DB) error {
			check(t, g, tx, g)
			return nil
		}))
	})
	for name, begin := range waysToBegin(w) {
		t.Run("adopted from "+name, func(t *testing.T) {
			app := begin(t.Context())
			tx, err := app.adopt(t.Context())
			require.NoError(t, err)
			check(t, app.g, tx, w.opener.DB(tx))
			require.NoError(t, app.commit())
		})
	}
}

// The other way round nothing is open: what an adopted transaction reads is
// read to the end.
func TestOpenNativeRowsDoNotBlockTheApplication(t *testing.T) {
	w := newWorld(t)
	app := waysToBegin(w)["GORM"](t.Context())
	tx, err := app.adopt(t.Context())
	require.NoError(t, err)
	rows, err := tx.Query(t.Context(), "select * from generate_series(1, 3)")
	require.NoError(t, err)
	n := 0
	for rows.Next() {
		var i int
		require.NoError(t, rows.Scan(&i))
		require.NoError(t, app.g.Create(&author{Name: string(rune('a' + i))}).Error)
		n += i
	}
	require.NoError(t, rows.Err())
	assert.Equal(t, 6, n)
	require.NoError(t, app.undo())
}

func TestNativeCommitOfAnAdoptedTransaction(t *testing.T) {
	t.Run("is refused", func(t *testing.T) {
		eachWay(t, func(t *testing.T, w *world, begin func(ctx context.Context) began) {
			app := begin(t.Context())
			tx, err := app.adopt(t.Context())
			require.NoError(t, err)
			require.NoError(t, app.g.Create(&author{Name: "x"}).Error)
			_, err = tx.Exec(t.Context(), "commit")
			require.ErrorAs(t, err, new(*postgres.ControlError))
			require.NoError(t, app.undo())
			assert.Empty(t, w.names())
		})
	})
	t.Run("that came about all the same is noticed", func(t *testing.T) {
		w := newWorld(t)
		app := waysToBegin(w)["GORM"](t.Context())
		tx, err := app.adopt(t.Context())
		require.NoError(t, err)
		require.NoError(t, app.g.Exec("commit").Error, "behind our back")
		for what, try := range attempts(t.Context(), tx) {
			assert.ErrorAs(t, try(), new(*gormtx.EndedError), what)
		}
		assert.Empty(t, w.names(), "nothing committed by itself")
		_, err = app.adopt(t.Context())
		require.ErrorAs(t, err, new(*gormtx.EndedError))
		require.NoError(t, app.undo())
	})
}

func TestCancelledStatementSaysThatTheTransactionIsGone(t *testing.T) {
	// sleep runs a statement whose ctx ends while it runs.
	sleep := func(t *testing.T, run func(ctx context.Context) error) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		err := run(ctx)
		var lost *gormtx.LostError
		require.ErrorAs(t, err, &lost)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "run the whole transaction again")
	}
	w := newWorld(t)
	t.Run("GORM's in our transaction", func(t *testing.T) {
		require.Error(t, w.inTx(func(_ context.Context, tx *postgres.Tx, g *gorm.DB) error {
			require.NoError(t, g.Create(&author{Name: "x"}).Error)
			sleep(t, func(ctx context.Context) error { return g.WithContext(ctx).Exec("select pg_sleep(60)").Error })
			_, err := tx.Exec(t.Context(), "select 1")
			require.ErrorContains(t, err, "conn closed")
			err = g.Create(&author{Name: "y"}).Error
			require.ErrorAs(t, err, new(*gormtx.LostError))
			return err
		}))
		require.Error(t, w.inTx(func(_ context.Context, _ *postgres.Tx, g *gorm.DB) error {
			sleep(t, func(ctx context.Context) error {
				return g.WithContext(ctx).Raw("select pg_sleep(60)").Scan(new(string)).Error
			})
			return errBoom
		}))
		assert.Empty(t, w.names())
	})
	for name, begin := range waysToBegin(w) {
		t.Run("ours in one adopted from "+name, func(t *testing.T) {
			app := begin(t.Context())
			tx, err := app.adopt(t.Context())
			require.NoError(t, err)
			require.NoError(t, app.g.Create(&author{Name: "x"}).Error)
			sleep(t, func(ctx context.Context) error {
				return w.opener.DB(tx).WithContext(ctx).Exec("select pg_sleep(60)").Error
			})
			require.Error(t, app.g.Create(&author{Name: "y"}).Error, "the application's side is told as well")
			require.Error(t, app.commit())
			assert.Empty(t, w.names())
		})
		t.Run("the application's, adopted from "+name, func(t *testing.T) {
			app := begin(t.Context())
			tx, err := app.adopt(t.Context())
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			require.Error(t, app.g.WithContext(ctx).Exec("select pg_sleep(60)").Error)
			require.ErrorAs(t, w.opener.DB(tx).Exec("select 1").Error, new(*gormtx.LostError))
			app.undo()
		})
	}
}

// database/sql rolls back in a goroutine of its own when the ctx of the
// transaction ends: never in the middle of a statement of ours.
func TestEndOfTheTransactionsContext(t *testing.T) {
	w := newWorld(t)
	begin := waysToBegin(w)["GORM"]
	for i := range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		app := begin(ctx)
		tx, err := app.adopt(ctx)
		require.NoError(t, err)
		var group sync.WaitGroup
		if i%2 == 0 { // beside a statement whose own ctx stays
			group.Go(cancel)
		}
		for range 50 {
			var n int
			if err := tx.QueryRow(t.Context(), "select count(*) from authors").Scan(&n); err != nil {
				require.ErrorIs(t, err, postgres.ErrClosed)
				break
			}
		}
		cancel()
		group.Wait()
		require.Eventually(t, func() bool {
			_, err := tx.Exec(t.Context(), "select 1")
			return err != nil
		}, time.Minute, time.Millisecond)
	}
}

// tracer records what pgx reports.
type tracer struct {
	mu     sync.Mutex
	sql    []string
	failed []error
}

func (r *tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sql = append(r.sql, data.SQL)
	return ctx
}

func (r *tracer) TraceQueryEnd(_ context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if data.Err != nil {
		r.failed = append(r.failed, data.Err)
	}
}

func TestTracerSeesNoFailureInAnAdoptedTransaction(t *testing.T) {
	w := newWorld(t)
	config, err := pgx.ParseConfig(w.dsn)
	require.NoError(t, err)
	seen := &tracer{}
	config.Tracer = seen
	db := stdlib.OpenDB(*config)
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{})
	require.NoError(t, err)
	adopted, err := gormtx.AdoptSQL(t.Context(), w.db, tx)
	require.NoError(t, err)
	require.NoError(t, w.opener.DB(adopted).Create(&author{Name: "Ann"}).Error)
	_, err = adopted.Exec(t.Context(), "selct")
	require.Error(t, err)
	_, err = adopted.Exec(t.Context(), "select 1")
	require.ErrorContains(t, err, "25P02", "in a failed transaction as well")
	require.NoError(t, tx.Rollback())
	assert.Contains(t, seen.sql, "selct")
	assert.Len(t, seen.failed, 2, "the two that failed indeed")
}

// The *sql.Tx itself would wait for its own lock for ever; the handle does not.
func TestAdoptedTransactionUsedInsideOfItsOwnStatement(t *testing.T) {
	w := newWorld(t)
	tx, err := waysToBegin(w)["GORM"](t.Context()).adopt(t.Context())
	require.NoError(t, err)
	var inside error
	_, err = tx.CopyFrom(t.Context(), pgx.Identifier{"authors"}, []string{"name"}, pgx.CopyFromFunc(func() ([]any, error) {
		inside = tx.QueryRow(t.Context(), "select 1").Scan(new(int))
		return nil, inside
	}))
	require.ErrorContains(t, inside, "still running")
	require.ErrorContains(t, err, "still running")
	_, err = tx.Exec(t.Context(), "select 1")
	require.ErrorContains(t, err, "25P02", "the transaction failed with the copy, as ever")
}

func TestSessionKeptBeyondItsTransaction(t *testing.T) {
	w := newWorld(t)
	var kept *gorm.DB
	require.NoError(t, w.inTx(func(_ context.Context, _ *postgres.Tx, g *gorm.DB) error {
		kept = g.WithContext(context.WithoutCancel(t.Context()))
		return nil
	}))
	require.ErrorIs(t, kept.Create(&author{Name: "late"}).Error, postgres.ErrClosed)
	require.ErrorIs(t, kept.Find(&[]author{}).Error, postgres.ErrClosed)
	require.ErrorIs(t, kept.Exec("select 1").Error, postgres.ErrClosed)
	assert.Empty(t, w.names())
}
