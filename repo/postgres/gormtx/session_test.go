package gormtx_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"

	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/repo/postgres/gormtx"
)

func TestGORMAndPGXShareOneTransaction(t *testing.T) {
	w := newWorld(t)
	both := func(ctx context.Context, tx *postgres.Tx, g *gorm.DB) error {
		assert.Equal(t, nativeIdentity(t, tx), gormIdentity(t, g), "backend and transaction")
		require.NoError(t, g.Create(&author{Name: "by GORM"}).Error)
		_, err := tx.Exec(ctx, "insert into authors (name) values ('by pgx')")
		require.NoError(t, err)

		assert.Equal(t, []string{"by GORM", "by pgx"}, names(t, tx), "pgx sees GORM's uncommitted row")
		var seen []string
		require.NoError(t, g.Model(&author{}).Order("name").Pluck("name", &seen).Error)
		assert.Equal(t, []string{"by GORM", "by pgx"}, seen, "GORM sees pgx's uncommitted row")
		assert.Empty(t, w.names(), "nobody else sees either")
		return nil
	}
	require.ErrorIs(t, w.inTx(func(ctx context.Context, tx *postgres.Tx, g *gorm.DB) error {
		require.NoError(t, both(ctx, tx, g))
		return errBoom
	}), errBoom)
	assert.Empty(t, w.names(), "one rollback undoes both")

	require.NoError(t, w.inTx(both))
	assert.Equal(t, []string{"by GORM", "by pgx"}, w.names(), "one COMMIT keeps both")
}

func TestSessionRunsOnWhateverTheHandleIs(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	count := func(g *gorm.DB) (n int64) {
		require.NoError(t, g.Model(&author{}).Count(&n).Error)
		return n
	}
	conn, err := w.pool.Acquire(ctx)
	require.NoError(t, err)
	defer conn.Release()
	snapshot, err := w.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	require.NoError(t, err)
	defer func() { _ = snapshot.Rollback(ctx) }()
	assert.Zero(t, count(w.opener.DB(snapshot)))

	require.NoError(t, w.opener.DB(w.pool).Create(&author{Name: "pool"}).Error)
	require.NoError(t, w.opener.DB(conn).Create(&author{Name: "pooled connection"}).Error)
	require.NoError(t, w.opener.DB(conn.Conn()).Create(&author{Name: "connection"}).Error)
	assert.EqualValues(t, 3, count(w.opener.DB(w.pool)))
	assert.Zero(t, count(w.opener.DB(snapshot)), "a snapshot keeps its rows")
	err = w.opener.DB(snapshot).Create(&author{Name: "late"}).Error
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg)
	assert.Equal(t, "25006", pg.Code, "and is read only")

	_, err = conn.Exec(ctx, "begin")
	require.NoError(t, err)
	inside := w.opener.DB(conn)
	require.NoError(t, inside.Transaction(func(g *gorm.DB) error { return g.Create(&author{Name: "inside"}).Error }))
	_, err = conn.Exec(ctx, "rollback")
	require.NoError(t, err)
	assert.EqualValues(t, 3, count(w.opener.DB(w.pool)), "a connection that is in a transaction is joined, not begun again")
}

func TestTransactionsOnThePoolAreReal(t *testing.T) {
	w := newWorld(t)
	g := w.opener.DB(w.pool)
	require.ErrorIs(t, g.Transaction(func(g *gorm.DB) error {
		require.NoError(t, g.Create(&author{Name: "undone"}).Error)
		return errBoom
	}), errBoom)
	require.NoError(t, g.Transaction(func(g *gorm.DB) error {
		require.NoError(t, g.Create(&author{Name: "kept"}).Error)
		assert.Empty(t, w.names())
		return nil
	}))
	tx := g.Begin()
	require.NoError(t, tx.Create(&author{Name: "kept too"}).Error)
	require.NoError(t, tx.Commit().Error)
	require.Error(t, tx.Rollback().Error, "once is enough")
	assert.Equal(t, []string{"kept", "kept too"}, w.names())

	tx = g.Begin(&sqlReadOnly)
	var level, only string
	require.NoError(t, tx.Raw("show transaction_isolation").Scan(&level).Error)
	require.NoError(t, tx.Raw("show transaction_read_only").Scan(&only).Error)
	assert.Equal(t, "repeatable read on", level+" "+only, "options are kept")
	require.NoError(t, tx.Rollback().Error)

	ctx, cancel := context.WithCancel(t.Context())
	tx = g.WithContext(ctx).Begin()
	require.NoError(t, tx.Create(&author{Name: "cancelled"}).Error)
	cancel()
	require.ErrorIs(t, tx.Commit().Error, context.Canceled)
	assert.Equal(t, []string{"kept", "kept too"}, w.names())
	assert.Zero(t, w.pool.Stat().AcquiredConns(), "every connection went back")
}

// A create with its associations is several statements: without a transaction
// of its own the first would stay when the second fails.
func TestOnThePoolGORMsDefaultTransactionStays(t *testing.T) {
	w := newWorld(t)
	twins := author{Name: "mother", Books: []book{{Title: "x", Tags: []tag{{Name: "\x00 is no text"}}}}}
	require.Error(t, w.opener.DB(w.pool).Create(&twins).Error)
	assert.Empty(t, w.names())
}

func TestTemplate(t *testing.T) {
	w := newWorld(t)
	t.Run("naming, callbacks, settings and conditions are kept", func(t *testing.T) {
		template := stock(t, w.dsn, &gorm.Config{NamingStrategy: schema.NamingStrategy{TablePrefix: "pg_catalog.pg_"}})
		called := 0
		require.NoError(t, template.Callback().Query().Before("gorm:query").Register("count", func(*gorm.DB) { called++ }))
		o, err := gormtx.New(template.Where("relname = 'authors'").Set("mine", 1))
		require.NoError(t, err)
		type class struct{ Relname string }
		var found []class
		g := o.DB(w.pool)
		require.NoError(t, g.Table("pg_catalog.pg_class").Find(&found).Error)
		assert.Equal(t, []class{{"authors"}}, found)
		assert.Equal(t, 1, called)
		setting, _ := g.Get("mine")
		assert.Equal(t, 1, setting)
		assert.Equal(t, "pg_catalog.pg_x", g.NamingStrategy.TableName("x")[:15])
		assert.False(t, template.SkipDefaultTransaction, "the template itself stays as it is")
	})
	t.Run("a template without a connection", func(t *testing.T) {
		template, err := gorm.Open(gormtx.Dialector(), &gorm.Config{QueryFields: true, Logger: logger.Discard})
		require.NoError(t, err)
		require.ErrorIs(t, template.Exec("select 1").Error, gormtx.ErrUnbound)
		require.ErrorIs(t, template.Find(&[]author{}).Error, gormtx.ErrUnbound)
		require.ErrorIs(t, template.Raw("select 1").Row().Scan(new(int)), gormtx.ErrUnbound)
		o, err := gormtx.New(template)
		require.NoError(t, err)
		g := o.DB(w.pool)
		assert.True(t, g.QueryFields)
		require.NoError(t, g.Find(&[]author{}).Error)
	})
	t.Run("what cannot be a template", func(t *testing.T) {
		_, err := gormtx.New(&gorm.DB{})
		require.ErrorContains(t, err, "gorm.Open")
		failed, err := gorm.Open(gormtx.Dialector(), nil)
		require.NoError(t, err)
		_ = failed.AddError(errBoom)
		_, err = gormtx.New(failed)
		require.ErrorIs(t, err, errBoom)
		other, err := gorm.Open(otherDialect{gormtx.Dialector()}, nil)
		require.NoError(t, err)
		_, err = gormtx.New(other)
		require.ErrorContains(t, err, "sqlserver")
	})
	t.Run("a nil handle", func(t *testing.T) {
		require.ErrorContains(t, w.opener.DB(nil).Find(&[]author{}).Error, "nil handle")
	})
}

type otherDialect struct{ gorm.Dialector }

func (otherDialect) Name() string { return "sqlserver" }

// unlimited keeps GORM from starting a goroutine that it never stops.
const unlimited = 10 * 365 * 24 * time.Hour

// Statements that GORM prepared are those of another connection: one of them
// found in its cache would run outside of the transaction.
func TestPrepareStmtNeverLeavesTheTransaction(t *testing.T) {
	w := newWorld(t)
	template := stock(t, w.dsn, &gorm.Config{PrepareStmt: true, PrepareStmtTTL: unlimited})
	require.NoError(t, template.Find(&[]author{}).Error, "now it is in the cache")
	o, err := gormtx.New(template)
	require.NoError(t, err)
	require.NoError(t, w.inTx(func(_ context.Context, tx *postgres.Tx, _ *gorm.DB) error {
		g := o.DB(tx)
		assert.Equal(t, nativeIdentity(t, tx), gormIdentity(t, g), "the template's setting is without effect")
		require.NoError(t, g.Create(&author{Name: "mine"}).Error)

		prepared := g.Session(&gorm.Session{PrepareStmt: true})
		var found []author
		require.ErrorIs(t, prepared.Find(&found).Error, gormtx.ErrPrepared, "cached")
		require.ErrorIs(t, prepared.First(&author{}).Error, gormtx.ErrPrepared, "new")
		require.ErrorIs(t, prepared.Create(&author{Name: "x"}).Error, gormtx.ErrPrepared)
		require.NoError(t, g.Find(&found).Error)
		assert.Len(t, found, 1)
		return nil
	}))
}

// A pooled connection stays with its rows: those without any would otherwise
// read their columns off a connection that serves somebody else by now.
func TestPoolMayBeUsedConcurrently(t *testing.T) {
	w := newWorld(t)
	g := w.opener.DB(w.pool)
	var group errgroup.Group
	for i := range 8 {
		group.Go(func() error {
			for range 100 {
				rows, err := g.Raw("select " + strings.Repeat("1, ", i) + "1 where false").Rows()
				if err != nil {
					return err
				}
				columns, err := rows.ColumnTypes()
				if err := errors.Join(err, rows.Err(), rows.Close()); err != nil { //nolint:sqlclosecheck // at once
					return err
				}
				if len(columns) != i+1 {
					return fmt.Errorf("%d columns instead of %d", len(columns), i+1)
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	assert.Zero(t, w.pool.Stat().AcquiredConns(), "every connection went back")
}

func TestThereIsNoSQLDBBelow(t *testing.T) {
	w := newWorld(t)
	_, err := w.opener.DB(w.pool).DB()
	require.ErrorIs(t, err, gormtx.ErrNoSQLDB)
	require.ErrorIs(t, w.opener.DB(w.pool).Connection(func(*gorm.DB) error { return nil }), gormtx.ErrNoSQLDB)
}
