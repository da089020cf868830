package gormtx_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/crossfade-db/crossfade/repo/postgres"
)

var sqlReadOnly = sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}

func TestTransactionInsideIsASavepoint(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.inTx(func(ctx context.Context, tx *postgres.Tx, g *gorm.DB) error {
		outer := nativeIdentity(t, tx)
		require.NoError(t, g.Create(&author{Name: "1 outer"}).Error)
		require.NoError(t, g.Transaction(func(g *gorm.DB) error {
			require.NoError(t, g.Create(&author{Name: "2 middle"}).Error)
			require.ErrorIs(t, g.Transaction(func(g *gorm.DB) error {
				assert.Equal(t, outer.PID, gormIdentity(t, g).PID)
				require.NoError(t, g.Create(&author{Name: "3 inner"}).Error)
				_, err := tx.Exec(ctx, "insert into authors (name) values ('4 pgx, inside')")
				require.NoError(t, err)
				return errBoom
			}), errBoom)
			return nil
		}))
		require.Error(t, g.Transaction(func(g *gorm.DB) error {
			require.NoError(t, g.Create(&author{Name: "5 lost"}).Error)
			return g.Create(&author{Name: "1 outer"}).Error // taken
		}))
		assert.Panics(t, func() {
			_ = g.Transaction(func(g *gorm.DB) error {
				require.NoError(t, g.Create(&author{Name: "6 panicked"}).Error)
				panic("boom")
			})
		})
		return g.Create(&author{Name: "7 after"}).Error
	}))
	assert.Equal(t, []string{"1 outer", "2 middle", "7 after"}, w.names())
}

func TestBeginInsideIsASavepoint(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.inTx(func(_ context.Context, tx *postgres.Tx, g *gorm.DB) error {
		kept := g.Begin()
		require.NoError(t, kept.Create(&author{Name: "1 kept"}).Error)
		undone := kept.Begin()
		require.NoError(t, undone.Create(&author{Name: "2 undone"}).Error)
		require.NoError(t, undone.Transaction(func(g *gorm.DB) error { return g.Create(&author{Name: "3 undone"}).Error }))
		require.NoError(t, undone.Rollback().Error)
		require.ErrorIs(t, undone.Create(&author{Name: "4 late"}).Error, sql.ErrTxDone, "not in the outer one by surprise")
		require.NoError(t, kept.Commit().Error)

		require.ErrorIs(t, kept.Session(&gorm.Session{NewDB: true}).Commit().Error, sql.ErrTxDone, "once is enough")
		require.ErrorIs(t, kept.Session(&gorm.Session{NewDB: true}).Rollback().Error, sql.ErrTxDone)
		require.ErrorIs(t, kept.Session(&gorm.Session{NewDB: true}).Begin().Error, sql.ErrTxDone, "begin in a finished one")
		require.ErrorIs(t, kept.Raw("select 1").Row().Scan(new(int)), sql.ErrTxDone)
		_, err := kept.Session(&gorm.Session{NewDB: true}).Raw("select 1").Rows() //nolint:sqlclosecheck // there are none
		require.ErrorIs(t, err, sql.ErrTxDone)

		outer := g.Begin()
		inner := outer.Begin()
		require.NoError(t, outer.Rollback().Error)
		require.ErrorIs(t, inner.Commit().Error, sql.ErrTxDone, "it went with the outer one")

		failed := g.Begin()
		require.NoError(t, failed.Create(&author{Name: "5 undone"}).Error)
		require.Error(t, failed.Create(&author{Name: "1 kept"}).Error)
		var pg *pgconn.PgError
		require.ErrorAs(t, failed.Session(&gorm.Session{NewDB: true}).Commit().Error, &pg)
		assert.Equal(t, "25P02", pg.Code, "a failed one cannot be committed")
		assert.Equal(t, []string{"1 kept"}, names(t, tx), "and the outer one goes on without it")

		require.ErrorContains(t, g.Begin(&sqlReadOnly).Error, "isolation level")
		return g.Begin(&sql.TxOptions{Isolation: sql.LevelReadCommitted}).Create(&author{Name: "6 left open"}).Error
	}))
	assert.Equal(t, []string{"1 kept", "6 left open"}, w.names())
}

func TestNobodyEndsASharedTransactionFromInside(t *testing.T) {
	w := newWorld(t)
	refused := func(t *testing.T, g func() *gorm.DB) {
		for statement, try := range map[string]func() error{
			"Commit":     func() error { return g().Commit().Error },
			"Rollback":   func() error { return g().Rollback().Error },
			"SQL":        func() error { return g().Exec("commit").Error },
			"SQL, twice": func() error { return g().Exec("select 1; rollback").Error },
			"query":      func() error { return g().Raw("commit").Scan(new(int)).Error },
			"row":        func() error { return g().Raw("begin").Row().Scan(new(int)) },
		} {
			var control *postgres.ControlError
			assert.ErrorAs(t, try(), &control, statement)
		}
	}
	require.NoError(t, w.inTx(func(_ context.Context, tx *postgres.Tx, _ *gorm.DB) error {
		refused(t, func() *gorm.DB { return w.opener.DB(tx) })
		return w.opener.DB(tx).Create(&author{Name: "kept"}).Error
	}))
	assert.Equal(t, []string{"kept"}, w.names(), "and it goes on")

	tx, err := w.pool.Begin(t.Context())
	require.NoError(t, err)
	refused(t, func() *gorm.DB { return w.opener.DB(tx) })
	require.NoError(t, tx.Commit(t.Context()))
	require.ErrorContains(t, w.opener.DB(tx).Exec("select 1").Error, "tx is closed")
}
