package gormtx_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/repo/postgres/gormtx"
)

// idle is a handle that runs nothing.
type idle struct{ postgres.DBTX }

// BenchmarkSession is what a factory costs: DB for each operation, beside
// GORM's own WithContext, which applications pay for each request.
func BenchmarkSession(b *testing.B) {
	o := opener(b)
	b.Run("Opener.DB", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = o.DB(idle{})
		}
	})
	b.Run("WithContext", func(b *testing.B) {
		g := o.DB(idle{})
		b.ReportAllocs()
		for b.Loop() {
			_ = g.WithContext(b.Context())
		}
	})
}

// BenchmarkStatements is one statement through GORM, here and on the stock
// driver, in a transaction and on the pool; and through pgx alone.
func BenchmarkStatements(b *testing.B) {
	ctx := context.Background()
	dsn := pgtest.New(b)
	pool, err := pgxpool.New(ctx, dsn)
	require.NoError(b, err)
	defer pool.Close()
	_, err = pool.Exec(ctx, "insert into authors (name) values ('Ann')")
	require.NoError(b, err)
	plain := stock(b, dsn, &gorm.Config{SkipDefaultTransaction: true})
	o := opener(b)

	native, err := pool.Begin(ctx)
	require.NoError(b, err)
	defer func() { _ = native.Rollback(ctx) }()
	stockTx := plain.Begin()
	defer stockTx.Rollback()
	adoptable := plain.Begin()
	defer adoptable.Rollback()
	adopted, err := gormtx.Adopt(ctx, postgres.New(pool, nil), adoptable)
	require.NoError(b, err)

	sessions := []struct {
		name string
		g    func() *gorm.DB
	}{
		{"stock/pool", func() *gorm.DB { return plain }},
		{"ours/pool", func() *gorm.DB { return o.DB(pool) }},
		{"stock/tx", func() *gorm.DB { return stockTx }},
		{"ours/tx", func() *gorm.DB { return o.DB(native) }},
		{"ours/adopted", func() *gorm.DB { return o.DB(adopted) }},
	}
	for _, s := range sessions {
		b.Run("read/"+s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var a author
				if err := s.g().WithContext(ctx).First(&a, "name = ?", "Ann").Error; err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("write/"+s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := s.g().WithContext(ctx).Exec("update tags set name = ? where name = ?", "x", "y").Error; err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for _, s := range []struct {
		name string
		q    postgres.DBTX
	}{{"pool", pool}, {"tx", native}, {"adopted", adopted}} {
		b.Run("read/pgx/"+s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				rows, err := s.q.Query(ctx, "select id, name, rating, created_at, deleted_at from authors where name = $1 order by id limit 1", "Ann")
				if err != nil {
					b.Fatal(err)
				}
				if _, err = pgx.CollectRows(rows, pgx.RowToMap); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
