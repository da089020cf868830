package gormtx

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crossfade-db/crossfade/repo/postgres"
)

// executor is what is needed of a transaction of database/sql; wrappers of a
// *sql.Tx that pass arguments on have it as well.
type executor interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// adopted runs statements on the connection below a *sql.Tx, each inside of an
// ExecContext: pgx hands its connection to an argument that rewrites the query.
// So each holds the locks of the *sql.Tx, which would otherwise roll back in a
// goroutine of its own, in the middle of a statement, when its ctx ends, and
// would give the connection to somebody else once it is committed.
type adopted struct {
	tx      executor
	traced  bool        // the connection has a tracer
	ended   bool        // the transaction, by a statement
	running atomic.Bool // a statement: another one inside would wait for itself for ever
}

var _ postgres.DBTX = (*adopted)(nil)

// note is what a tracer sees.
const note = "-- a statement of crossfade's own ran on this connection before"

var (
	errVisited = errors.New("no query to run: the connection was wanted")
	errRunning = errors.New("another statement of this transaction is still running: use it from one goroutine, " +
		"and not from inside of a statement, as in the source of a CopyFrom")
	errForeign = errors.New("the driver did not hand out its connection")
)

// visit is the argument that receives the connection.
type visit struct {
	a    *adopted
	fn   func(conn *pgx.Conn) error
	came bool
	err  error
}

var _ pgx.QueryRewriter = (*visit)(nil)

// RewriteQuery implements [pgx.QueryRewriter]. Its error keeps pgx from sending
// anything. A tracer would take that for a failure, and gets an empty query.
func (v *visit) RewriteQuery(_ context.Context, conn *pgx.Conn, query string, _ []any) (string, []any, error) {
	v.came = true
	v.err = v.fn(conn)
	if v.a.traced && !conn.IsClosed() {
		return query, nil, nil
	}
	return "", nil, errVisited
}

// Value implements [driver.Valuer], which other drivers ask for: they then send
// nothing either.
func (*visit) Value() (driver.Value, error) { return nil, errForeign }

// open checks that there is a transaction on a connection of pgx.
func (a *adopted) open(ctx context.Context) error {
	err := a.visit(ctx, func(conn *pgx.Conn) error {
		a.traced = conn.Config().Tracer != nil
		if conn.PgConn().TxStatus() == 'E' {
			return errors.New("a statement in it has failed: roll it back")
		}
		return nil
	})
	var foreign *ForeignDriverError
	if err == nil || errors.As(err, &foreign) {
		return err
	}
	return fmt.Errorf("adopt the transaction: %w", err)
}

// run runs fn, which sends a statement, with the locks held.
func (a *adopted) run(ctx context.Context, fn func(conn *pgx.Conn) error) error {
	if !a.running.CompareAndSwap(false, true) {
		return errRunning
	}
	defer a.running.Store(false)
	return a.visit(ctx, func(conn *pgx.Conn) error {
		if a.ended || conn.PgConn().TxStatus() == 'I' {
			return &EndedError{}
		}
		err := fn(conn)
		switch {
		case conn.IsClosed() && err != nil:
			return &LostError{Err: err}
		case conn.PgConn().TxStatus() == 'I':
			a.ended = true
			return &EndedError{}
		}
		return explain(ctx, err)
	})
}

func (a *adopted) visit(ctx context.Context, fn func(conn *pgx.Conn) error) error {
	v := &visit{a: a, fn: fn}
	_, err := a.tx.ExecContext(ctx, note, v)
	switch {
	case v.came:
		return v.err
	case errors.Is(err, sql.ErrTxDone):
		return fmt.Errorf("%w: %w", postgres.ErrClosed, err)
	case ctx.Err() != nil:
		return fmt.Errorf("%w, before the statement was sent", context.Cause(ctx))
	case errors.Is(err, driver.ErrBadConn):
		return a.diagnose(ctx, err)
	}
	return &ForeignDriverError{Pool: fmt.Sprintf("%T", a.tx), Err: err}
}

// diagnose finds out what the driver calls a bad connection: one that is closed,
// or one whose rows are open. Preparing a statement tells.
func (a *adopted) diagnose(ctx context.Context, bad error) error {
	stmt, err := a.tx.PrepareContext(ctx, "select 1")
	if err != nil {
		if err = explain(ctx, err); errors.Is(err, ErrRowsOpen) {
			return err
		}
		return &LostError{Err: bad}
	}
	_ = stmt.Close() //nolint:sqlclosecheck // it was of no other use
	return bad
}

// Exec implements [postgres.DBTX].
func (a *adopted) Exec(ctx context.Context, query string, args ...any) (tag pgconn.CommandTag, err error) {
	err = a.run(ctx, func(conn *pgx.Conn) error {
		tag, err = conn.Exec(ctx, query, args...)
		return err
	})
	return tag, err
}

// Query implements [postgres.DBTX].
func (a *adopted) Query(ctx context.Context, query string, args ...any) (pgx.Rows, error) {
	return a.query(ctx, query, args) //nolint:rowserrcheck // read to the end, and the error is here
}

// QueryRow implements [postgres.DBTX].
func (a *adopted) QueryRow(ctx context.Context, query string, args ...any) pgx.Row {
	r, err := a.query(ctx, query, args) //nolint:rowserrcheck // read to the end, and the error is here
	if err != nil {
		return failing{err}
	}
	return firstRow{r}
}

func (a *adopted) query(ctx context.Context, query string, args []any) (*result, error) {
	r := &result{}
	err := a.run(ctx, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		return r.take(rows)
	})
	if err != nil {
		r.fail(err)
	}
	return r, err
}

// CopyFrom implements [postgres.DBTX]. The source must not use the transaction.
func (a *adopted) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, source pgx.CopyFromSource) (n int64, err error) {
	err = a.run(ctx, func(conn *pgx.Conn) error {
		n, err = conn.CopyFrom(ctx, table, columns, source)
		return err
	})
	return n, err
}

// SendBatch implements [postgres.DBTX]. Functions of the batch run afterwards.
func (a *adopted) SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	out := &batchResult{batch: batch}
	inner := &pgx.Batch{}
	for _, queued := range batch.QueuedQueries {
		r := &result{}
		out.results = append(out.results, r)
		inner.Queue(queued.SQL, queued.Arguments...).Query(r.take)
	}
	out.err = a.run(ctx, func(conn *pgx.Conn) error { return conn.SendBatch(ctx, inner).Close() })
	return out
}
