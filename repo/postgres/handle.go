package postgres

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// handle is what the sides of one session run on: the connection, until the
// session ends. It sends nothing that would end the transaction.
type handle struct {
	q      DBTX
	closed atomic.Bool
	open   interface{ Close() } // what was read last, perhaps not to its end
	sent   int                  // statements and batches so far
}

// closeOpen closes the rows that a side has left open, which would make the
// connection busy for whatever follows.
func (h *handle) closeOpen() {
	if h.open != nil {
		h.open.Close()
		h.open = nil
	}
}

var _ DBTX = (*handle)(nil)

// refuse returns why a statement cannot be sent.
func (h *handle) refuse(sql string) error {
	if h.closed.Load() {
		return ErrClosed
	}
	return RefuseControl(sql)
}

func (h *handle) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if err := h.refuse(sql); err != nil {
		return pgconn.CommandTag{}, err
	}
	h.sent++
	return h.q.Exec(ctx, sql, args...)
}

func (h *handle) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := h.refuse(sql); err != nil {
		return nil, err
	}
	h.sent++
	rows, err := h.q.Query(ctx, sql, args...) //nolint:rowserrcheck // the rows are the caller's
	if err == nil {
		h.open = rows
	}
	return rows, err
}

func (h *handle) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if err := h.refuse(sql); err != nil {
		return errRow{err}
	}
	h.sent++
	row := h.q.QueryRow(ctx, sql, args...)
	h.open = rowCloser{row}
	return row
}

func (h *handle) SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	if h.closed.Load() {
		return errBatch{ErrClosed}
	}
	for _, queued := range batch.QueuedQueries {
		if err := RefuseControl(queued.SQL); err != nil {
			return errBatch{err}
		}
	}
	h.sent++
	results := h.q.SendBatch(ctx, batch)
	h.open = batchCloser{results}
	return results
}

func (h *handle) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	if h.closed.Load() {
		return 0, ErrClosed
	}
	h.sent++
	return h.q.CopyFrom(ctx, table, columns, rows)
}

// rowCloser closes a row that was perhaps never scanned. Scanning it into
// nothing fails, and closes it.
type rowCloser struct{ row pgx.Row }

func (r rowCloser) Close() { _ = r.row.Scan() }

// batchCloser closes the results of a batch. Whoever sent it has its error.
type batchCloser struct{ results pgx.BatchResults }

func (b batchCloser) Close() {
	defer func() { _ = recover() }() // of the side's own functions for the results that are left
	_ = b.results.Close()
}

type errRow struct{ err error }

func (r errRow) Scan(...any) error { return r.err }

type errBatch struct{ err error }

func (b errBatch) Exec() (pgconn.CommandTag, error) { return pgconn.CommandTag{}, b.err }
func (b errBatch) Query() (pgx.Rows, error)         { return nil, b.err }
func (b errBatch) QueryRow() pgx.Row                { return errRow(b) }
func (b errBatch) Close() error                     { return b.err }
func (b errBatch) Tx() pgx.Tx                       { return nil }
