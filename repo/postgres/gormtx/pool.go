package gormtx

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"github.com/crossfade-db/crossfade/repo/postgres"
)

// statements runs what GORM asks for on a handle.
type statements struct {
	q    postgres.DBTX
	inTx bool // errors say what they mean for the transaction
}

// ExecContext implements [gorm.ConnPool].
func (s statements) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	tag, err := s.q.Exec(ctx, query, args...)
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	return driver.RowsAffected(tag.RowsAffected()), nil
}

// QueryContext implements [gorm.ConnPool].
func (s statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	db := s.open(args)
	defer db.Close()                   //nolint:errcheck // nothing is idle
	return db.QueryContext(ctx, query) //nolint:sqlclosecheck // the caller's to close
}

// QueryRowContext implements [gorm.ConnPool].
func (s statements) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	db := s.open(args)
	defer db.Close() //nolint:errcheck // nothing is idle
	return db.QueryRowContext(ctx, query)
}

// open returns a database for one query, the only way to a *sql.Rows. Closing
// it right after the query leaves the rows alive and no goroutine behind.
func (s statements) open(args []any) *sql.DB {
	return sql.OpenDB(connector{&query{statements: s, args: args}})
}

// PrepareContext implements [gorm.ConnPool].
func (statements) PrepareContext(context.Context, string) (*sql.Stmt, error) {
	return nil, ErrPrepared
}

func (s statements) explain(ctx context.Context, err error) error {
	if s.inTx {
		return explain(ctx, err)
	}
	return err
}

// GetDBConn implements [gorm.GetDBConnector].
func (statements) GetDBConn() (*sql.DB, error) { return nil, ErrNoSQLDB }

// starter is a pool of connections, or one that is in no transaction.
type starter struct {
	statements
	begin beginner
}

var _ gorm.ConnPoolBeginner = (*starter)(nil)

// BeginTx implements [gorm.ConnPoolBeginner].
func (s *starter) BeginTx(ctx context.Context, options *sql.TxOptions) (gorm.ConnPool, error) {
	o, err := txOptions(options)
	if err != nil {
		return nil, err
	}
	tx, err := s.begin.BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	return &transaction{statements: statements{q: tx, inTx: true}, begun: tx, ctx: ctx}, nil
}

func txOptions(options *sql.TxOptions) (pgx.TxOptions, error) {
	var o pgx.TxOptions
	if options == nil {
		return o, nil
	}
	switch options.Isolation {
	case sql.LevelDefault:
	case sql.LevelReadUncommitted:
		o.IsoLevel = pgx.ReadUncommitted
	case sql.LevelReadCommitted:
		o.IsoLevel = pgx.ReadCommitted
	case sql.LevelRepeatableRead, sql.LevelSnapshot:
		o.IsoLevel = pgx.RepeatableRead
	case sql.LevelSerializable:
		o.IsoLevel = pgx.Serializable
	default:
		return o, fmt.Errorf("begin: PostgreSQL has no isolation level %s", options.Isolation)
	}
	if options.ReadOnly {
		o.AccessMode = pgx.ReadOnly
	}
	return o, nil
}

// unbound is the pool of a template of [Dialector].
type unbound struct{}

func (unbound) PrepareContext(context.Context, string) (*sql.Stmt, error) { return nil, ErrUnbound }

func (unbound) ExecContext(context.Context, string, ...any) (sql.Result, error) {
	return nil, ErrUnbound
}

func (unbound) QueryContext(context.Context, string, ...any) (*sql.Rows, error) {
	return nil, ErrUnbound
}

func (unbound) QueryRowContext(ctx context.Context, _ string, _ ...any) *sql.Row {
	return statements{q: failing{ErrUnbound}}.QueryRowContext(ctx, "")
}
