package gormtx

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"gorm.io/gorm"

	"github.com/crossfade-db/crossfade/repo/postgres"
)

// Adopt joins a transaction that the application opened with GORM: tx is what
// Begin returned or what Transaction hands to its function. It stays the
// application's to commit or to roll back, and must be one of the database that
// db runs on. See the package's documentation for what is different inside.
//
// A transaction that is not READ COMMITTED is refused with a
// [*postgres.IsolationError], one on another driver than pgx with a
// [*ForeignDriverError], and a *gorm.DB outside of any with [ErrNoTransaction].
// When an operation inside returns an error for which repo.Retryable holds,
// roll back and run the whole transaction again.
func Adopt(ctx context.Context, db *postgres.DB, tx *gorm.DB) (*postgres.Tx, error) {
	switch {
	case tx == nil || tx.Statement == nil:
		return nil, errors.New("adopt the transaction: the *gorm.DB is nil or not open")
	case tx.Error != nil:
		return nil, fmt.Errorf("adopt the transaction: the *gorm.DB has an error: %w", tx.Error)
	}
	pool := tx.Statement.ConnPool
	if prepared, ok := pool.(*gorm.PreparedStmtTX); ok {
		pool = prepared.Tx
	}
	if own, ok := pool.(*transaction); ok {
		return own.adopt(ctx, db)
	}
	if _, ok := pool.(gorm.TxCommitter); !ok {
		return nil, ErrNoTransaction
	}
	return adopt(ctx, db, pool)
}

// AdoptSQL joins a transaction that the application opened with database/sql,
// as [Adopt] does.
func AdoptSQL(ctx context.Context, db *postgres.DB, tx *sql.Tx) (*postgres.Tx, error) {
	if tx == nil {
		return nil, errors.New("adopt the transaction: the *sql.Tx is nil")
	}
	return adopt(ctx, db, tx)
}

func adopt(ctx context.Context, db *postgres.DB, tx executor) (*postgres.Tx, error) {
	a := &adopted{tx: tx}
	if err := a.open(ctx); err != nil {
		return nil, err
	}
	return db.AdoptHandle(ctx, a)
}

// adopt joins the transaction of a session of this package's own.
func (t *transaction) adopt(ctx context.Context, db *postgres.DB) (*postgres.Tx, error) {
	if err := t.refuse(""); err != nil {
		return nil, fmt.Errorf("adopt the transaction: %w", err)
	}
	switch q := t.q.(type) {
	case *postgres.Tx:
		return q, nil
	case pgx.Tx:
		return db.Adopt(ctx, q)
	case *pgx.Conn:
		return db.AdoptConn(ctx, q)
	case *pgxpool.Conn:
		return db.AdoptConn(ctx, q.Conn())
	}
	return nil, fmt.Errorf("adopt the transaction: the session runs on a %T, which belongs to an operation in progress: "+
		"pass on the *postgres.Tx that InTx or Adopt returned", t.q)
}
