package gormtx_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/repo/postgres/gormtx"
)

var errBoom = errors.New("boom")

type author struct {
	ID        int64
	Name      string
	Rating    *float64
	CreatedAt time.Time
	DeletedAt gorm.DeletedAt
	Books     []book
}

type book struct {
	ID       int64
	AuthorID int64
	Author   *author
	Title    string
	Tags     []tag `gorm:"many2many:book_tags;joinForeignKey:BookID;joinReferences:TagName"`
}

type tag struct {
	Name string `gorm:"primaryKey"`
}

// opener returns an Opener with the defaults.
func opener(t testing.TB) *gormtx.Opener {
	t.Helper()
	o, err := gormtx.New(nil)
	require.NoError(t, err)
	return o
}

// stock opens the same database the way an application without us does.
func stock(t testing.TB, dsn string, config *gorm.Config) *gorm.DB {
	t.Helper()
	if config == nil {
		config = &gorm.Config{}
	}
	config.Logger = logger.Discard
	db, err := gorm.Open(gormpostgres.Open(dsn), config)
	require.NoError(t, err)
	below, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, below.Close()) })
	return db
}

// world is a database with a pool, and a session of ours on what a test asks for.
type world struct {
	*testing.T
	dsn    string
	pool   *pgxpool.Pool
	db     *postgres.DB
	opener *gormtx.Opener
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dsn := pgtest.New(t)
	pool, err := pgxpool.New(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return &world{T: t, dsn: dsn, pool: pool, db: postgres.New(pool, nil), opener: opener(t)}
}

// inTx runs fn in a transaction that it shares with GORM.
func (w *world) inTx(fn func(ctx context.Context, tx *postgres.Tx, g *gorm.DB) error) error {
	w.Helper()
	return w.db.InTx(w.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		return fn(ctx, tx, w.opener.DB(tx).WithContext(ctx))
	})
}

// names returns the authors that are committed.
func (w *world) names() []string {
	w.Helper()
	return names(w.T, w.pool)
}

func names(t *testing.T, q postgres.DBTX) []string {
	t.Helper()
	r, err := q.Query(context.WithoutCancel(t.Context()), "select name from authors order by name")
	require.NoError(t, err)
	out, err := pgx.CollectRows(r, pgx.RowTo[string])
	require.NoError(t, err)
	return out
}

// identity is where a statement ran: the backend and the transaction.
type identity struct {
	PID int    `gorm:"column:pid"`
	XID string `gorm:"column:xid"`
}

const identitySQL = "select pg_backend_pid() as pid, pg_current_xact_id()::text as xid"

func nativeIdentity(t *testing.T, q postgres.DBTX) identity {
	t.Helper()
	var id identity
	require.NoError(t, q.QueryRow(t.Context(), identitySQL).Scan(&id.PID, &id.XID))
	return id
}

func gormIdentity(t *testing.T, g *gorm.DB) identity {
	t.Helper()
	var id identity
	require.NoError(t, g.Raw(identitySQL).Scan(&id).Error)
	return id
}
