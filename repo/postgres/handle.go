package postgres

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// handle is what the sides of one session run on: the connection, until the
// session ends. It sends nothing that would end the transaction. Statements may
// wait in its queue, and are sent with the next one that cannot: see [queue].
type handle struct {
	q      DBTX
	closed atomic.Bool
	open   interface{ Close() } // what was read last, perhaps not to its end
	sent   int                  // statements and batches so far
	queue  queue
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

func (h *handle) Exec(ctx context.Context, sql string, args ...any) (tag pgconn.CommandTag, err error) {
	if err = h.refuse(sql); err != nil {
		return tag, err
	}
	h.sent++
	return h.exec(ctx, sql, args)
}

// exec sends a statement at once, behind those that wait.
func (h *handle) exec(ctx context.Context, sql string, args []any) (tag pgconn.CommandTag, err error) {
	alone, err := h.aloneFor(ctx, args)
	switch {
	case err != nil:
		return tag, err
	case alone:
		return h.q.Exec(ctx, sql, args...)
	}
	results, err := h.send(ctx, queued(sql, args))
	if err != nil {
		return tag, err
	}
	tag, err = results.Exec()
	if cerr := results.Close(); err == nil {
		err = cerr
	}
	return tag, err
}

// later lets a statement of a side wait, or runs it at once where an argument
// could change until it is sent.
func (h *handle) later(ctx context.Context, sql string, args []any) error {
	kept, ok := keepArgs(args)
	if ok && h.queue.failed == nil {
		h.sent++
		h.queue.add(statement{sql: sql, args: kept, part: h.queue.part})
		return nil
	}
	h.sent++
	_, err := h.exec(ctx, sql, args)
	return err
}

func (h *handle) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := h.refuse(sql); err != nil {
		return nil, err
	}
	h.sent++
	rows, err := h.query(ctx, sql, args) //nolint:rowserrcheck // the rows are the caller's
	if err == nil {
		h.open = rows
	}
	return rows, err
}

func (h *handle) query(ctx context.Context, sql string, args []any) (pgx.Rows, error) {
	alone, err := h.aloneFor(ctx, args)
	switch {
	case err != nil:
		return nil, err
	case alone:
		return h.q.Query(ctx, sql, args...) //nolint:rowserrcheck // the rows are the caller's
	}
	results, err := h.send(ctx, queued(sql, args))
	if err != nil {
		return nil, err
	}
	rows, err := results.Query() //nolint:rowserrcheck // the rows are the caller's
	if err != nil {
		_ = results.Close()
		return nil, err
	}
	return &batchRows{Rows: rows, results: results}, nil
}

func (h *handle) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if err := h.refuse(sql); err != nil {
		return errRow{err}
	}
	h.sent++
	row := h.queryRow(ctx, sql, args)
	h.open = rowCloser{row}
	return row
}

func (h *handle) queryRow(ctx context.Context, sql string, args []any) pgx.Row {
	alone, err := h.aloneFor(ctx, args)
	switch {
	case err != nil:
		return errRow{err}
	case alone:
		return h.q.QueryRow(ctx, sql, args...)
	}
	results, err := h.send(ctx, queued(sql, args))
	if err != nil {
		return errRow{err}
	}
	return batchRow{row: results.QueryRow(), results: results}
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
	results := h.sendBatch(ctx, batch)
	h.open = batchCloser{results}
	return results
}

func (h *handle) sendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	if h.queue.empty() {
		return h.q.SendBatch(ctx, batch)
	}
	results, err := h.send(ctx, batch.QueuedQueries...)
	if err != nil {
		return errBatch{err}
	}
	return results
}

func (h *handle) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	if h.closed.Load() {
		return 0, ErrClosed
	}
	h.sent++
	if err := h.flush(ctx); err != nil {
		return 0, err
	}
	return h.q.CopyFrom(ctx, table, columns, rows)
}

// aloneFor reports whether a statement is sent without others: because none
// wait, or because it has options that a batch cannot have; then the others are
// sent before.
func (h *handle) aloneFor(ctx context.Context, args []any) (bool, error) {
	if h.queue.empty() {
		return true, nil
	}
	if len(args) > 0 {
		switch args[0].(type) {
		case pgx.QueryExecMode, pgx.QueryResultFormats, pgx.QueryResultFormatsByOID:
			return true, h.flush(ctx)
		}
	}
	return false, nil
}

func queued(sql string, args []any) *pgx.QueuedQuery {
	return &pgx.QueuedQuery{SQL: sql, Arguments: args}
}

// batchRows are the rows of the last statement of a batch, which ends with them.
type batchRows struct {
	pgx.Rows
	results pgx.BatchResults
	err     error
	ended   bool
}

func (r *batchRows) end() {
	if !r.ended {
		r.ended = true
		r.err = r.results.Close()
	}
}

func (r *batchRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.end()
	return false
}

func (r *batchRows) Close() {
	r.Rows.Close()
	r.end()
}

func (r *batchRows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.err
}

// batchRow is the row of the last statement of a batch, which ends with it.
type batchRow struct {
	row     pgx.Row
	results pgx.BatchResults
}

func (r batchRow) Scan(dest ...any) error {
	err := r.row.Scan(dest...)
	if cerr := r.results.Close(); err == nil {
		err = cerr
	}
	return err
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
