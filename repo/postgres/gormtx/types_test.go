package gormtx_test

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/repo/postgres/gormtx"
)

// thing has a column of every kind, with the Go types that models give them.
type thing struct {
	ID      uuid.UUID `gorm:"type:uuid;primaryKey"`
	Flag    *bool
	Small   *int16
	Num     *int32
	Big     *int64
	F4      *float32
	F8      *float64
	Amount  decimal.NullDecimal
	Free    *decimal.Decimal
	Price   *int64
	Label   *string
	Short   *string
	Fixed   *string
	Feeling *string
	Raw     []byte
	Doc     []byte         `gorm:"type:jsonb"`
	Plain   map[string]any `gorm:"serializer:json"`
	Markup  *string
	Born    *time.Time
	At      *time.Time
	Local   *time.Time
	Clock   *string
	Span    *string
	Ints    numbers `gorm:"type:bigint[]"`
	Names   array[string]
	IDs     array[uuid.UUID]
	Address *string
	Number  *uint32
}

// numbers is an array the way GORM models have it: text through Value and Scan.
type numbers []int64

func (n numbers) Value() (driver.Value, error) {
	if n == nil {
		return nil, nil
	}
	return strings.NewReplacer("[", "{", "]", "}", " ", ",").Replace(fmt.Sprint([]int64(n))), nil
}

func (n *numbers) Scan(src any) error {
	*n = nil
	if src == nil {
		return nil
	}
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("an array came as %T", src)
	}
	return json.Unmarshal([]byte(strings.NewReplacer("{", "[", "}", "]").Replace(text)), (*[]int64)(n))
}

// array is an array through pgx's own codec.
type array[T any] struct{ V []T }

func (array[T]) GormDataType() string { return "array" }

func (a array[T]) Value() (driver.Value, error) {
	if a.V == nil {
		return nil, nil
	}
	raw, err := types.Encode(arrayOID[T](), pgtype.TextFormatCode, a.V, nil)
	return string(raw), err
}

func (a *array[T]) Scan(src any) error {
	a.V = nil
	if src == nil {
		return nil
	}
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("an array came as %T", src)
	}
	return types.Scan(arrayOID[T](), pgtype.TextFormatCode, []byte(text), &a.V)
}

var types = pgtype.NewMap()

func arrayOID[T any]() uint32 {
	if _, ok := any(*new(T)).(string); ok {
		return pgtype.TextArrayOID
	}
	return pgtype.UUIDArrayOID
}

func optional[T any](g *rapid.Generator[T]) *rapid.Generator[*T] {
	return rapid.Custom(func(t *rapid.T) *T {
		if rapid.IntRange(0, 4).Draw(t, "null") == 0 {
			return nil
		}
		v := g.Draw(t, "value")
		return &v
	})
}

var (
	texts = rapid.OneOf(rapid.StringOf(rapid.Rune().Filter(func(r rune) bool { return r != 0 && r != '\uFFFD' && (r < 0xD800 || r > 0xDFFF) })),
		rapid.SampledFrom([]string{"", "NULL", "null", `{"a"}`, `\x00`, `"`, "'", "a,b", " x ", "\n\t"}))
	instants = rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "s"), rapid.Int64Range(0, 999999).Draw(t, "us")*1000).UTC()
	})
	decimals = rapid.Custom(func(t *rapid.T) decimal.Decimal {
		return decimal.New(rapid.Int64().Draw(t, "digits"), int32(rapid.IntRange(-10, 0).Draw(t, "exponent")))
	})
	uuids = rapid.Custom(func(t *rapid.T) uuid.UUID {
		return uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid"))
	})
)

func things() *rapid.Generator[thing] {
	return rapid.Custom(func(t *rapid.T) thing {
		v := thing{
			ID:      uuids.Draw(t, "id"),
			Flag:    optional(rapid.Bool()).Draw(t, "flag"),
			Small:   optional(rapid.Int16()).Draw(t, "small"),
			Num:     optional(rapid.Int32()).Draw(t, "num"),
			Big:     optional(rapid.Int64()).Draw(t, "big"),
			F4:      optional(rapid.Float32()).Draw(t, "f4"),
			F8:      optional(rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.Inf(1), math.Inf(-1), math.Copysign(0, -1)}))).Draw(t, "f8"),
			Free:    optional(decimals).Draw(t, "free"),
			Price:   optional(rapid.Int64()).Draw(t, "price"),
			Label:   optional(texts).Draw(t, "label"),
			Short:   optional(rapid.StringMatching("[a-zé ]{0,20}")).Draw(t, "short"),
			Fixed:   optional(rapid.StringMatching("[a-z]{0,6}")).Draw(t, "fixed"),
			Feeling: optional(rapid.SampledFrom([]string{"glad", "sad"})).Draw(t, "feeling"),
			Markup:  optional(rapid.SampledFrom([]string{"<a/>", "<a>b</a>"})).Draw(t, "markup"),
			Born:    optional(instants).Draw(t, "born"),
			At:      optional(instants).Draw(t, "at"),
			Local:   optional(instants).Draw(t, "local"),
			Clock:   optional(rapid.SampledFrom([]string{"00:00:00", "23:59:59.999999", "12:30:00"})).Draw(t, "clock"),
			Span:    optional(rapid.SampledFrom([]string{"1 day", "-01:02:03.5", "1 year 2 mons"})).Draw(t, "span"),
			Address: optional(rapid.SampledFrom([]string{"127.0.0.1", "::1", "10.0.0.0/8"})).Draw(t, "address"),
			Number:  optional(rapid.Uint32()).Draw(t, "number"),
		}
		if amount := optional(decimals).Draw(t, "amount"); amount != nil {
			v.Amount = decimal.NewNullDecimal(*amount)
		}
		if raw := optional(rapid.SliceOf(rapid.Byte())).Draw(t, "raw"); raw != nil {
			v.Raw = append([]byte{}, *raw...)
		}
		if label := optional(texts).Draw(t, "doc"); label != nil {
			v.Doc, _ = json.Marshal(map[string]any{"label": label, "n": []any{1, 1.5, nil, true}})
			v.Plain = map[string]any{"label": *label}
		}
		if ints := optional(rapid.SliceOf(rapid.Int64())).Draw(t, "ints"); ints != nil {
			v.Ints = append(numbers{}, *ints...)
		}
		if names := optional(rapid.SliceOf(texts)).Draw(t, "names"); names != nil {
			v.Names.V = append([]string{}, *names...)
		}
		if ids := optional(rapid.SliceOf(uuids)).Draw(t, "ids"); ids != nil {
			v.IDs.V = append([]uuid.UUID{}, *ids...)
		}
		return v
	})
}

// reads is what one way of reading makes of a row.
type reads struct {
	Model  thing
	Map    map[string]any
	Values []any
}

func readThing(t require.TestingT, g *gorm.DB, id uuid.UUID) reads {
	var out reads
	require.NoError(t, g.First(&out.Model, "id = ?", id).Error)
	require.NoError(t, g.Table("things").Where("id = ?", id).Take(&out.Map).Error)
	rows, err := g.Model(&thing{}).Where("id = ?", id).Rows()
	require.NoError(t, err)
	defer rows.Close()
	require.True(t, rows.Next())
	columns, err := rows.ColumnTypes()
	require.NoError(t, err)
	out.Values = make([]any, len(columns))
	dest := make([]any, len(columns))
	for i := range dest {
		dest[i] = &out.Values[i]
	}
	require.NoError(t, rows.Scan(dest...))
	for _, column := range columns {
		length, hasLength := column.Length()
		precision, scale, hasScale := column.DecimalSize()
		out.Values = append(out.Values, column.Name(), column.DatabaseTypeName(), column.ScanType().String(), length, hasLength, precision, scale, hasScale)
	}
	return out
}

// What the stock driver writes we read alike, and the other way round, in each
// place where a session can run.
func TestValuesAreThoseOfTheStockDriver(t *testing.T) {
	w := newWorld(t)
	plain := stock(t, w.dsn, nil)
	ours := w.opener.DB(w.pool)
	rapid.Check(t, func(t *rapid.T) {
		v := things().Draw(t, "thing")
		byStock, byOurs := v, v
		byStock.ID, byOurs.ID = uuid.New(), uuid.New()
		require.NoError(t, plain.Create(&byStock).Error)
		require.NoError(t, ours.Create(&byOurs).Error)
		var differing int
		require.NoError(t, w.pool.QueryRow(context.Background(), `select count(*) from things a join things b on a.id = $1 and b.id = $2
			where (to_jsonb(a) - 'id') is distinct from (to_jsonb(b) - 'id')`, byStock.ID, byOurs.ID).Scan(&differing))
		require.Zero(t, differing, "the same row is written")

		want := readThing(t, plain, byStock.ID)
		require.Equal(t, want, readThing(t, ours, byStock.ID), "on the pool")
		tx := plain.Begin()
		defer tx.Rollback()
		require.NoError(t, tx.Error)
		adopted := adoptedSession(t, w, tx)
		require.Equal(t, want, readThing(t, adopted, byStock.ID), "in an adopted transaction")
		require.NoError(t, w.inTx(func(_ context.Context, _ *postgres.Tx, g *gorm.DB) error {
			require.Equal(t, want, readThing(t, g, byStock.ID), "in a transaction")
			return nil
		}))
	})
}

// Values that no Go type of a model holds still come out as they do there.
func TestOddValuesAreThoseOfTheStockDriver(t *testing.T) {
	w := newWorld(t)
	plain, ours := stock(t, w.dsn, nil), w.opener.DB(w.pool)
	for _, expression := range []string{
		"'infinity'::timestamptz", "'-infinity'::timestamp", "'infinity'::date", "'NaN'::numeric", "'NaN'::float8", "'Infinity'::numeric",
		"'0044-03-15 BC'::date", "null", "null::int[]", "1::int2", "row(1, 'a')", "'{1,NULL,3}'::int[]", "'[1,5)'::int4range",
		"'(1,2)'::point", "'a=>1'", "b'101'::varbit", "1::xid8", "'1'::xid", "'glad'::mood", "5::cents", "array['glad']::mood[]",
		"'{}'::jsonb", "'null'::jsonb", `'"x"'::json`, "'\\x'::bytea", "''::text", "'a'::\"char\"", "'a'::name", "now() at time zone 'UTC' - now() at time zone 'UTC'",
		"'12:00+02'::timetz", "to_tsvector('a b')", "'pg_class'::regclass", "txid_current_snapshot() is null", "1.50::money",
	} {
		var want, got any
		wantErr := plain.Raw("select " + expression).Row().Scan(&want)
		gotErr := ours.Raw("select " + expression).Row().Scan(&got)
		assert.Equal(t, wantErr == nil, gotErr == nil, "%s: %v, %v", expression, wantErr, gotErr)
		if f, ok := want.(float64); ok && math.IsNaN(f) {
			want, got = "NaN", fmt.Sprint(got)
		}
		assert.Equal(t, want, got, expression)
	}
}

func adoptedSession(t require.TestingT, w *world, tx *gorm.DB) *gorm.DB {
	adopted, err := gormtx.Adopt(w.Context(), w.db, tx)
	require.NoError(t, err)
	return w.opener.DB(adopted)
}
