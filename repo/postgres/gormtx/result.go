package gormtx

import (
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// result is the result of a query that was read to the end, as pgx's rows.
type result struct {
	conn   *pgx.Conn
	types  *pgtype.Map
	fields []pgconn.FieldDescription
	tag    pgconn.CommandTag
	rest   [][][]byte // rows, each a slice of values; nil is NULL
	row    [][]byte   // the current one
	err    error
	read   bool // false: the query never came to its turn
	closed bool
}

var _ pgx.Rows = (*result)(nil)

// take reads the rows to the end and closes them.
func (r *result) take(rows pgx.Rows) error {
	defer rows.Close()
	r.read, r.conn, r.types = true, rows.Conn(), rows.TypeMap()
	for rows.Next() {
		r.rest = append(r.rest, cloneRow(rows.RawValues()))
	}
	rows.Close()
	if r.tag, r.err = rows.CommandTag(), rows.Err(); r.err != nil {
		r.fail(r.err)
		return r.err // there may be no columns, nor a way to ask
	}
	r.fields = slices.Clone(rows.FieldDescriptions())
	return nil
}

func cloneRow(raw [][]byte) [][]byte {
	size := 0
	for _, value := range raw {
		size += len(value)
	}
	row, bytes := make([][]byte, len(raw)), make([]byte, 0, size)
	for i, value := range raw {
		if value == nil {
			continue
		}
		start := len(bytes)
		bytes = append(bytes, value...)
		row[i] = bytes[start:len(bytes):len(bytes)]
	}
	return row
}

// fail ends the result with an error.
func (r *result) fail(err error) {
	r.err, r.rest = err, nil
	r.Close()
}

// Close implements [pgx.Rows].
func (r *result) Close() { r.closed, r.row, r.rest = true, nil, nil }

// Err implements [pgx.Rows].
func (r *result) Err() error { return r.err }

// CommandTag implements [pgx.Rows].
func (r *result) CommandTag() pgconn.CommandTag { return r.tag }

// FieldDescriptions implements [pgx.Rows].
func (r *result) FieldDescriptions() []pgconn.FieldDescription { return r.fields }

// Conn implements [pgx.Rows].
func (r *result) Conn() *pgx.Conn { return r.conn }

// TypeMap implements [pgx.Rows].
func (r *result) TypeMap() *pgtype.Map { return r.types }

// RawValues implements [pgx.Rows].
func (r *result) RawValues() [][]byte { return r.row }

// Next implements [pgx.Rows].
func (r *result) Next() bool {
	if len(r.rest) == 0 {
		r.Close()
		return false
	}
	r.row, r.rest = r.rest[0], r.rest[1:]
	return true
}

// Scan implements [pgx.Rows].
func (r *result) Scan(dest ...any) (err error) {
	if r.row == nil {
		return errNoRow
	}
	if scanner, ok := singleRowScanner(dest); ok {
		err = scanner.ScanRow(r)
	} else {
		err = pgx.ScanRow(r.types, r.fields, r.row, dest...)
	}
	if err != nil {
		r.fail(err)
	}
	return err
}

var errNoRow = errors.New("there is no row to scan: call Next first")

func singleRowScanner(dest []any) (pgx.RowScanner, bool) {
	if len(dest) != 1 {
		return nil, false
	}
	scanner, ok := dest[0].(pgx.RowScanner)
	return scanner, ok
}

// Values implements [pgx.Rows].
func (r *result) Values() ([]any, error) {
	if r.row == nil {
		return nil, errNoRow
	}
	values := make([]any, len(r.row))
	for i, raw := range r.row {
		var err error
		if values[i], err = decode(r.types, &r.fields[i], raw); err != nil {
			r.fail(err)
			return nil, err
		}
	}
	return values, nil
}

func decode(types *pgtype.Map, field *pgconn.FieldDescription, raw []byte) (any, error) {
	if raw == nil {
		return nil, nil //nolint:nilnil // NULL
	}
	if t, ok := types.TypeForOID(field.DataTypeOID); ok {
		return t.Codec.DecodeValue(types, field.DataTypeOID, field.Format, raw)
	}
	if field.Format == pgx.TextFormatCode {
		return string(raw), nil
	}
	return slices.Clone(raw), nil
}

// firstRow is a result of which the first row counts.
type firstRow struct{ rows *result }

// Scan implements [pgx.Row].
func (f firstRow) Scan(dest ...any) error {
	defer f.rows.Close()
	if !f.rows.Next() {
		if err := f.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	return f.rows.Scan(dest...)
}

// batchResult is the results of a batch, each read to the end.
type batchResult struct {
	batch   *pgx.Batch
	results []*result
	next    int
	err     error // sticky
	closed  bool
}

var _ pgx.BatchResults = (*batchResult)(nil)

// take returns the next result.
func (b *batchResult) take() (*result, error) {
	var err error
	switch {
	case b.closed:
		err = errors.New("batch already closed")
	case b.next == len(b.results):
		err = errors.New("no more results in batch")
	default:
		r := b.results[b.next]
		b.next++
		if r.read {
			return r, r.err
		}
		err = b.err
	}
	r := &result{}
	r.fail(err)
	return r, err
}

// Query implements [pgx.BatchResults].
func (b *batchResult) Query() (pgx.Rows, error) {
	return b.take() //nolint:rowserrcheck // read to the end, and the error is here
}

// Exec implements [pgx.BatchResults].
func (b *batchResult) Exec() (pgconn.CommandTag, error) {
	r, err := b.take() //nolint:rowserrcheck // read to the end, and the error is here
	return r.tag, err
}

// QueryRow implements [pgx.BatchResults].
func (b *batchResult) QueryRow() pgx.Row {
	r, err := b.take() //nolint:rowserrcheck // read to the end, and the error is here
	if err != nil {
		return failing{err}
	}
	return firstRow{r}
}

// Close implements [pgx.BatchResults]: it calls the functions that the batch
// still has, up to the first error.
func (b *batchResult) Close() error {
	for !b.closed && b.next < len(b.results) && b.results[b.next].read {
		fn := b.batch.QueuedQueries[b.next].Fn
		if fn == nil {
			b.next++
			continue
		}
		if err := fn(b); err != nil {
			if !errors.Is(b.err, err) {
				b.err = err
			}
			break
		}
	}
	b.closed = true
	return b.err
}

// Tx implements [pgx.BatchResults].
func (*batchResult) Tx() pgx.Tx { return nil }
