package gormtx

import (
	"database/sql/driver"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// converter makes a value for database/sql from the bytes of a column.
type converter func(raw []byte) (driver.Value, error)

// converterOf returns the converter of a column. The types are those of pgx's
// driver for database/sql, so that a model reads the same here as there.
func converterOf(types *pgtype.Map, field *pgconn.FieldDescription) converter {
	switch field.DataTypeOID {
	case pgtype.BoolOID:
		return convert(types, field, func(v bool) (driver.Value, error) { return v, nil })
	case pgtype.Int2OID:
		return convert(types, field, func(v int16) (driver.Value, error) { return int64(v), nil })
	case pgtype.Int4OID:
		return convert(types, field, func(v int32) (driver.Value, error) { return int64(v), nil })
	case pgtype.Int8OID:
		return convert(types, field, func(v int64) (driver.Value, error) { return v, nil })
	case pgtype.Float4OID:
		return convert(types, field, func(v float32) (driver.Value, error) { return float64(v), nil })
	case pgtype.Float8OID:
		return convert(types, field, func(v float64) (driver.Value, error) { return v, nil })
	case pgtype.CIDOID, pgtype.OIDOID, pgtype.XIDOID:
		return convert(types, field, pgtype.Uint32.Value)
	case pgtype.DateOID:
		return convert(types, field, pgtype.Date.Value)
	case pgtype.TimestampOID:
		return convert(types, field, pgtype.Timestamp.Value)
	case pgtype.TimestamptzOID:
		return convert(types, field, pgtype.Timestamptz.Value)
	case pgtype.ByteaOID, pgtype.JSONOID, pgtype.JSONBOID, pgtype.XMLOID:
		return convert(types, field, func(v []byte) (driver.Value, error) { return v, nil })
	}
	return convert(types, field, func(v string) (driver.Value, error) { return v, nil })
}

func convert[T any](types *pgtype.Map, field *pgconn.FieldDescription, value func(T) (driver.Value, error)) converter {
	var v T
	plan := types.PlanScan(field.DataTypeOID, field.Format, &v)
	return func(raw []byte) (driver.Value, error) {
		if err := plan.Scan(raw, &v); err != nil {
			return nil, err
		}
		return value(v)
	}
}
