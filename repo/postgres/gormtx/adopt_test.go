package gormtx_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/repo/postgres/gormtx"
)

// began is a transaction that the application opened in some way.
type began struct {
	g      *gorm.DB
	adopt  func(ctx context.Context) (*postgres.Tx, error)
	commit func() error
	undo   func() error
}

// waysToBegin are the ways in which an application opens a transaction with GORM or database/sql.
func waysToBegin(w *world) map[string]func(ctx context.Context) began {
	begin := func(g *gorm.DB) began {
		return began{
			g:      g,
			adopt:  func(ctx context.Context) (*postgres.Tx, error) { return gormtx.Adopt(ctx, w.db, g) },
			commit: func() error { return g.Session(&gorm.Session{NewDB: true}).Commit().Error },
			undo:   func() error { return g.Session(&gorm.Session{NewDB: true}).Rollback().Error },
		}
	}
	plain := stock(w.T, w.dsn, nil)
	prepared := stock(w.T, w.dsn, &gorm.Config{PrepareStmt: true, PrepareStmtTTL: unlimited})
	ways := map[string]func(ctx context.Context) began{
		"GORM":                  func(ctx context.Context) began { return begin(plain.WithContext(ctx).Begin()) },
		"GORM with PrepareStmt": func(ctx context.Context) began { return begin(prepared.WithContext(ctx).Begin()) },
		"GORM on our pool":      func(ctx context.Context) began { return begin(w.opener.DB(w.pool).WithContext(ctx).Begin()) },
		"database/sql": func(ctx context.Context) began {
			below, err := plain.DB()
			require.NoError(w.T, err)
			tx, err := below.BeginTx(ctx, nil)
			require.NoError(w.T, err)
			g := plain.Session(&gorm.Session{Context: ctx, SkipDefaultTransaction: true})
			g.Statement.ConnPool = tx
			return began{
				g:      g,
				adopt:  func(ctx context.Context) (*postgres.Tx, error) { return gormtx.AdoptSQL(ctx, w.db, tx) },
				commit: tx.Commit, undo: tx.Rollback,
			}
		},
	}
	for name, begin := range ways {
		ways[name] = func(ctx context.Context) began {
			b := begin(ctx)
			w.Cleanup(func() { b.undo() }) // what a failed test leaves open would keep the pool from closing
			return b
		}
	}
	return ways
}

func eachWay(t *testing.T, test func(t *testing.T, w *world, begin func(ctx context.Context) began)) {
	t.Helper()
	w := newWorld(t)
	for name, begin := range waysToBegin(w) {
		t.Run(name, func(t *testing.T) {
			_, err := w.pool.Exec(t.Context(), "truncate authors cascade")
			require.NoError(t, err)
			test(t, w, begin)
		})
	}
}

func TestAdoptedTransactionIsTheApplicationsOwn(t *testing.T) {
	eachWay(t, func(t *testing.T, w *world, begin func(ctx context.Context) began) {
		work := func() began {
			app := begin(t.Context())
			require.NoError(t, app.g.Create(&author{Name: "application"}).Error)
			tx, err := app.adopt(t.Context())
			require.NoError(t, err)
			assert.Equal(t, gormIdentity(t, app.g), nativeIdentity(t, tx), "backend and transaction")
			ours := w.opener.DB(tx)
			assert.Equal(t, gormIdentity(t, app.g), gormIdentity(t, ours), "through GORM of ours as well")

			_, err = tx.Exec(t.Context(), "insert into authors (name) values ($1)", "native")
			require.NoError(t, err)
			require.NoError(t, ours.Create(&author{Name: "our GORM"}).Error)
			all := []string{"application", "native", "our GORM"}
			assert.Equal(t, all, names(t, tx))
			var seen []string
			require.NoError(t, app.g.Model(&author{}).Order("name").Pluck("name", &seen).Error)
			assert.Equal(t, all, seen)
			assert.Empty(t, w.names(), "nobody else sees any")
			return app
		}
		require.NoError(t, work().undo())
		assert.Empty(t, w.names(), "one rollback undoes all")
		require.NoError(t, work().commit())
		assert.Len(t, w.names(), 3)
	})
}

func TestAdoptedTransactionEndsWithTheApplications(t *testing.T) {
	eachWay(t, func(t *testing.T, w *world, begin func(ctx context.Context) began) {
		for _, end := range []func(began) error{
			func(b began) error { return b.commit() },
			func(b began) error { return b.undo() },
		} {
			app := begin(t.Context())
			tx, err := app.adopt(t.Context())
			require.NoError(t, err)
			_, err = tx.Exec(t.Context(), "select 1")
			require.NoError(t, err)
			require.NoError(t, end(app))

			for what, try := range attempts(t.Context(), tx) {
				assert.Error(t, try(), what)
			}
			err = w.opener.DB(tx).Create(&author{Name: "late"}).Error
			require.Error(t, err)
			assert.True(t, errors.Is(err, postgres.ErrClosed) || errors.Is(err, pgx.ErrTxClosed), err)
			assert.Empty(t, w.names(), "nothing reached a connection that serves somebody else by now")
		}
	})
}

// attempts is each method of a handle, to be called when it cannot work.
func attempts(ctx context.Context, q postgres.DBTX) map[string]func() error {
	insert := "insert into authors (name) values ('late')"
	return map[string]func() error{
		"Exec": func() error { _, err := q.Exec(ctx, insert); return err },
		"Query": func() error {
			rows, err := q.Query(ctx, insert+" returning 1")
			if err == nil {
				rows.Close()
				err = rows.Err()
			}
			return err
		},
		"QueryRow": func() error { return q.QueryRow(ctx, insert+" returning 1").Scan(new(int)) },
		"SendBatch": func() error {
			batch := &pgx.Batch{}
			batch.Queue(insert)
			return q.SendBatch(ctx, batch).Close()
		},
		"CopyFrom": func() error {
			_, err := q.CopyFrom(ctx, pgx.Identifier{"authors"}, []string{"name"}, pgx.CopyFromRows([][]any{{"late"}}))
			return err
		},
	}
}

func TestAdoptRefuses(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	plain := stock(t, w.dsn, nil)
	t.Run("another isolation level", func(t *testing.T) {
		for _, level := range []sql.IsolationLevel{sql.LevelRepeatableRead, sql.LevelSerializable} {
			for _, g := range []*gorm.DB{plain, w.opener.DB(w.pool)} {
				g = g.Begin(&sql.TxOptions{Isolation: level})
				_, err := gormtx.Adopt(ctx, w.db, g)
				require.ErrorAs(t, err, new(*postgres.IsolationError))
				require.NoError(t, g.Rollback().Error)
			}
		}
	})
	t.Run("no transaction", func(t *testing.T) {
		for _, g := range []*gorm.DB{plain, w.opener.DB(w.pool)} {
			_, err := gormtx.Adopt(ctx, w.db, g)
			require.ErrorIs(t, err, gormtx.ErrNoTransaction)
		}
		_, err := gormtx.Adopt(ctx, w.db, nil)
		require.ErrorContains(t, err, "nil")
		_, err = gormtx.AdoptSQL(ctx, w.db, nil)
		require.ErrorContains(t, err, "nil")
	})
	t.Run("a *gorm.DB with an error", func(t *testing.T) {
		g := plain.Begin()
		require.Error(t, g.Exec("selct").Error)
		failed := g.Session(&gorm.Session{})
		_ = failed.AddError(errBoom)
		_, err := gormtx.Adopt(ctx, w.db, failed)
		require.ErrorIs(t, err, errBoom)
		_, err = gormtx.Adopt(ctx, w.db, g.Session(&gorm.Session{NewDB: true}))
		require.Error(t, err, "a failed transaction")
		require.NoError(t, g.Session(&gorm.Session{NewDB: true}).Rollback().Error)
	})
	t.Run("a failed transaction", func(t *testing.T) {
		g := plain.Begin()
		require.Error(t, g.Session(&gorm.Session{}).Exec("selct").Error)
		_, err := gormtx.Adopt(ctx, w.db, g)
		require.ErrorContains(t, err, "roll it back")
		require.NoError(t, g.Rollback().Error)
		_, err = gormtx.Adopt(ctx, w.db, g)
		require.ErrorIs(t, err, postgres.ErrClosed, "and one that ended")
	})
	t.Run("a session inside of an operation", func(t *testing.T) {
		_, err := gormtx.Adopt(ctx, w.db, w.opener.DB(wrapped{w.pool}))
		require.ErrorContains(t, err, "InTx or Adopt")
	})
	t.Run("a ctx that ended", func(t *testing.T) {
		g := plain.Begin()
		defer g.Rollback()
		ended, cancel := context.WithCancel(ctx)
		cancel()
		_, err := gormtx.Adopt(ended, w.db, g)
		require.ErrorIs(t, err, context.Canceled)
	})
}

// wrapped is a handle of which nothing is known.
type wrapped struct{ postgres.DBTX }

func TestAdoptOfOurOwnSessionIsTheSameTransaction(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.inTx(func(ctx context.Context, tx *postgres.Tx, g *gorm.DB) error {
		again, err := gormtx.Adopt(ctx, w.db, g)
		require.NoError(t, err)
		assert.Same(t, tx, again)
		return nil
	}))
	conn, err := w.pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	_, err = conn.Exec(t.Context(), "begin")
	require.NoError(t, err)
	for _, handle := range []postgres.DBTX{conn, conn.Conn()} {
		tx, err := gormtx.Adopt(t.Context(), w.db, w.opener.DB(handle))
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), "select 1")
		require.NoError(t, err)
	}
}

func TestAdoptNamesAForeignDriver(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]*foreign{
		"that converts arguments":     {},
		"that takes them as they are": {takesAll: true},
	} {
		t.Run(name, func(t *testing.T) {
			db := sql.OpenDB(c)
			defer db.Close()
			tx, err := db.Begin()
			require.NoError(t, err)
			_, err = gormtx.AdoptSQL(t.Context(), w.db, tx)
			var other *gormtx.ForeignDriverError
			require.ErrorAs(t, err, &other)
			assert.Equal(t, "*sql.Tx", other.Pool)
			require.ErrorContains(t, err, "pgx/v5/stdlib")
			require.NoError(t, tx.Rollback())
			for _, sent := range c.sent {
				assert.Regexp(t, "^--", sent, "nothing but a comment")
			}
		})
	}
}

// foreign is a driver that is not pgx's.
type foreign struct {
	takesAll bool
	sent     []string
}

func (f *foreign) Connect(context.Context) (driver.Conn, error) {
	if f.takesAll {
		return takesAll{foreignConn{f}}, nil
	}
	return foreignConn{f}, nil
}
func (f *foreign) Driver() driver.Driver { return nil }

type foreignConn struct{ f *foreign }

func (foreignConn) Prepare(string) (driver.Stmt, error) { return nil, errBoom }
func (foreignConn) Close() error                        { return nil }
func (foreignConn) Begin() (driver.Tx, error)           { return foreignTx{}, nil }

func (c foreignConn) ExecContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	c.f.sent = append(c.f.sent, query)
	return driver.RowsAffected(0), nil
}

type takesAll struct{ foreignConn }

func (takesAll) CheckNamedValue(*driver.NamedValue) error { return nil }

type foreignTx struct{}

func (foreignTx) Commit() error   { return nil }
func (foreignTx) Rollback() error { return nil }
