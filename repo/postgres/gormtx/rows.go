package gormtx

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// rows hands pgx's rows to database/sql, value by value as pgx's own driver
// for database/sql does.
type rows struct {
	statements
	ctx    context.Context // of the query
	r      pgx.Rows
	types  *pgtype.Map
	fields []pgconn.FieldDescription // a copy: pgx's go with the last row
	values []converter
	ahead  bool // the next row has been read already
	more   bool // and this is whether there is one
}

var (
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
	_ driver.RowsColumnTypeLength           = (*rows)(nil)
	_ driver.RowsColumnTypePrecisionScale   = (*rows)(nil)
	_ driver.RowsColumnTypeScanType         = (*rows)(nil)
)

func newRows(ctx context.Context, s statements, r pgx.Rows, more bool) *rows {
	out := &rows{statements: s, ctx: ctx, r: r, types: r.TypeMap(), fields: slices.Clone(r.FieldDescriptions()), ahead: true, more: more}
	if more {
		out.values = make([]converter, len(out.fields))
		for i := range out.fields {
			out.values[i] = converterOf(out.types, &out.fields[i])
		}
	}
	return out
}

// errRowsGone says that rows were kept beyond their operation, which closed them.
var errRowsGone = errors.New("the rows were closed with the operation that they belonged to: read them inside")

// Columns implements [driver.Rows].
func (r *rows) Columns() []string {
	names := make([]string, len(r.fields))
	for i := range r.fields {
		names[i] = r.fields[i].Name
	}
	return names
}

// Close implements [driver.Rows].
func (r *rows) Close() error {
	r.r.Close()
	return r.explain(r.ctx, r.r.Err())
}

// Next implements [driver.Rows].
func (r *rows) Next(dest []driver.Value) error {
	more := r.more
	if !r.ahead {
		more = r.r.Next()
	}
	r.ahead = false
	if !more {
		if err := r.r.Err(); err != nil {
			return r.explain(r.ctx, err)
		}
		return io.EOF
	}
	values := r.r.RawValues()
	if len(values) != len(dest) {
		return errRowsGone
	}
	for i, raw := range values {
		if raw == nil {
			dest[i] = nil
			continue
		}
		var err error
		if dest[i], err = r.values[i](raw); err != nil {
			return fmt.Errorf("read column %s: %w", r.fields[i].Name, err)
		}
	}
	return nil
}

// ColumnTypeDatabaseTypeName implements [driver.RowsColumnTypeDatabaseTypeName].
// A type that pgx does not know is named by its number.
func (r *rows) ColumnTypeDatabaseTypeName(index int) string {
	oid := r.fields[index].DataTypeOID
	if t, ok := r.types.TypeForOID(oid); ok {
		return strings.ToUpper(t.Name)
	}
	return strconv.FormatUint(uint64(oid), 10)
}

// headerSize is what PostgreSQL counts besides the data in a type's modifier.
const headerSize = 4

// ColumnTypeLength implements [driver.RowsColumnTypeLength].
func (r *rows) ColumnTypeLength(index int) (length int64, ok bool) {
	switch f := r.fields[index]; f.DataTypeOID {
	case pgtype.TextOID, pgtype.ByteaOID:
		return math.MaxInt64, true
	case pgtype.VarcharOID, pgtype.BPCharOID:
		return int64(f.TypeModifier - headerSize), true
	case pgtype.VarbitOID:
		return int64(f.TypeModifier), true
	}
	return 0, false
}

// ColumnTypePrecisionScale implements [driver.RowsColumnTypePrecisionScale].
func (r *rows) ColumnTypePrecisionScale(index int) (precision, scale int64, ok bool) {
	f := r.fields[index]
	if f.DataTypeOID != pgtype.NumericOID {
		return 0, 0, false
	}
	modifier := f.TypeModifier - headerSize
	return int64(modifier>>16) & 0xffff, int64(modifier) & 0xffff, true
}

// ColumnTypeScanType implements [driver.RowsColumnTypeScanType].
func (r *rows) ColumnTypeScanType(index int) reflect.Type {
	switch r.fields[index].DataTypeOID {
	case pgtype.Float8OID, pgtype.NumericOID:
		return reflect.TypeFor[float64]()
	case pgtype.Float4OID:
		return reflect.TypeFor[float32]()
	case pgtype.Int8OID:
		return reflect.TypeFor[int64]()
	case pgtype.Int4OID:
		return reflect.TypeFor[int32]()
	case pgtype.Int2OID:
		return reflect.TypeFor[int16]()
	case pgtype.BoolOID:
		return reflect.TypeFor[bool]()
	case pgtype.DateOID, pgtype.TimestampOID, pgtype.TimestamptzOID:
		return reflect.TypeFor[time.Time]()
	case pgtype.ByteaOID:
		return reflect.TypeFor[[]byte]()
	}
	return reflect.TypeFor[string]()
}
