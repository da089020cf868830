package gormtx

import (
	"context"
	"database/sql/driver"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// query is one query on a handle, as a connection of database/sql that serves
// no other. The arguments come along by themselves, so that database/sql copies
// none and converts none.
type query struct {
	statements
	args     []any
	acquired *pgxpool.Conn // if q is a pool: the connection, until the rows are closed
}

var _ driver.QueryerContext = (*query)(nil)

// connector is the way to a query's connection. It is a type apart since
// database/sql closes connectors that can be closed, too early for us.
type connector struct{ q *query }

// formats asks for the binary format where there is a Go type for it, and for
// text elsewhere, as pgx does for database/sql.
var formats = pgx.QueryResultFormatsByOID{
	pgtype.BoolOID:        pgx.BinaryFormatCode,
	pgtype.ByteaOID:       pgx.BinaryFormatCode,
	pgtype.CIDOID:         pgx.BinaryFormatCode,
	pgtype.DateOID:        pgx.BinaryFormatCode,
	pgtype.Float4OID:      pgx.BinaryFormatCode,
	pgtype.Float8OID:      pgx.BinaryFormatCode,
	pgtype.Int2OID:        pgx.BinaryFormatCode,
	pgtype.Int4OID:        pgx.BinaryFormatCode,
	pgtype.Int8OID:        pgx.BinaryFormatCode,
	pgtype.OIDOID:         pgx.BinaryFormatCode,
	pgtype.TimestampOID:   pgx.BinaryFormatCode,
	pgtype.TimestamptzOID: pgx.BinaryFormatCode,
	pgtype.XIDOID:         pgx.BinaryFormatCode,
}

// QueryContext implements [driver.QueryerContext].
func (q *query) QueryContext(ctx context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	args := make([]any, 1, 1+len(q.args))
	args[0] = formats
	r, err := q.q.Query(ctx, query, append(args, q.args...)...)
	if err != nil {
		return nil, q.explain(ctx, err)
	}
	// The first row is read ahead: some ways of querying know the columns only
	// then, and most errors show themselves.
	more := r.Next()
	if err := r.Err(); err != nil {
		r.Close()
		return nil, q.explain(ctx, err)
	}
	return newRows(ctx, q.statements, r, more), nil
}

// Connect implements [driver.Connector]. A connection of a pool is held until
// the rows are closed: pgx gives it back with the last row, while their columns
// still live on it.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	pool, ok := c.q.q.(*pgxpool.Pool)
	if !ok {
		return c.q, nil
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	c.q.q, c.q.acquired = conn, conn
	return c.q, nil
}

// Driver implements [driver.Connector].
func (c connector) Driver() driver.Driver { return c }

// Open implements [driver.Driver].
func (connector) Open(string) (driver.Conn, error) { return nil, ErrNoSQLDB }

// Prepare implements [driver.Conn].
func (*query) Prepare(string) (driver.Stmt, error) { return nil, ErrPrepared }

// Begin implements [driver.Conn].
func (*query) Begin() (driver.Tx, error) { return nil, ErrNoSQLDB }

// Close implements [driver.Conn].
func (q *query) Close() error {
	if q.acquired != nil {
		q.acquired.Release()
	}
	return nil
}
