package postgres_test

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// celsius hides its value from everything but Value.
type celsius struct{ degrees *int }

func (c celsius) Value() (driver.Value, error) { return fmt.Sprintf("%d C", *c.degrees), nil }

type named string

// changing is an argument and what its owner does with it after Exec has returned.
type changing struct {
	arg    any
	change func()
}

// What is sent later is what was given, whatever becomes of it meanwhile.
func TestArgumentsOfQueuedStatementsAreSentAsTheyWere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Old, nil)
	bytes, texts, numbers, times := []byte("as it was"), []string{"a", "b"}, []int64{1, 2}, []time.Time{time.Unix(0, 0).UTC()}
	raw, ids := json.RawMessage(`{"a": 1}`), []uuid.UUID{{1}}
	text, number, at, degrees := "as it was", int64(7), time.Unix(0, 0).UTC(), 20
	big1 := big.NewInt(12345)
	nested, attributes := [][]byte{[]byte("x")}, map[string]any{"a": 1}
	holder := struct {
		A []int `json:"a"`
	}{[]int{1}}
	many := new(big.Int).Exp(big.NewInt(10), big.NewInt(40), nil)
	for what, tc := range map[string]struct {
		typ string
		changing
		want string
	}{
		"bytes":             {"bytea", changing{bytes, func() { copy(bytes, "changed!!") }}, `\x617320697420776173`},
		"no bytes":          {"bytea", changing{[]byte{}, nil}, `\x`},
		"nil bytes":         {"bytea", changing{[]byte(nil), nil}, ``},
		"texts":             {"text[]", changing{texts, func() { texts[0] = "z" }}, `{a,b}`},
		"nil texts":         {"text[]", changing{[]string(nil), nil}, ``},
		"numbers":           {"bigint[]", changing{numbers, func() { numbers[0] = 9 }}, `{1,2}`},
		"times":             {"timestamp[]", changing{times, func() { times[0] = time.Now() }}, `{"1970-01-01 00:00:00"}`},
		"raw JSON":          {"jsonb", changing{raw, func() { copy(raw, `{"b"`) }}, `{"a": 1}`},
		"ids":               {"uuid[]", changing{ids, func() { ids[0][0] = 2 }}, `{01000000-0000-0000-0000-000000000000}`},
		"a text":            {"text", changing{text, nil}, `as it was`},
		"a named text":      {"text", changing{named("name"), nil}, `name`},
		"a pointer":         {"text", changing{&text, func() { text = "changed" }}, `as it was`},
		"a nil pointer":     {"text", changing{(*string)(nil), nil}, ``},
		"a pointer to int":  {"bigint", changing{&number, func() { number++ }}, `7`},
		"a time":            {"timestamp", changing{&at, func() { at = time.Now() }}, `1970-01-01 00:00:00`},
		"a big number":      {"numeric", changing{pgtype.Numeric{Int: big1, Exp: -2, Valid: true}, func() { big1.SetInt64(9) }}, `123.45`},
		"a huge number":     {"numeric", changing{pgtype.Numeric{Int: many, Valid: true}, func() { many.SetInt64(9) }}, `1` + fmt.Sprintf("%040d", 0)},
		"a decimal":         {"numeric", changing{decimal.New(15, -1), nil}, `1.5`},
		"a null decimal":    {"numeric", changing{decimal.NullDecimal{}, nil}, ``},
		"a valuer":          {"text", changing{celsius{&degrees}, func() { degrees = 100 }}, `20 C`},
		"a plain valuer":    {"text", changing{pgtype.Text{String: "x", Valid: true}, nil}, `x`},
		"an id":             {"uuid", changing{uuid.UUID{1}, nil}, `01000000-0000-0000-0000-000000000000`},
		"an interval":       {"interval", changing{pgtype.Interval{Days: 3, Valid: true}, nil}, `3 days`},
		"nested slices":     {"bytea[]", changing{nested, func() { nested[0][0] = 'y' }}, `{"\\x78"}`},
		"a map":             {"jsonb", changing{attributes, func() { attributes["a"] = 2 }}, `{"a": 1}`},
		"a struct as JSON":  {"jsonb", changing{holder, func() { holder.A[0] = 2 }}, `{"a": [1]}`},
		"a pointer as JSON": {"jsonb", changing{&holder, func() { holder.A[0] = 2 }}, `{"a": [1]}`},
		"nothing":           {"text", changing{nil, nil}, ``},
	} {
		holder.A[0] = 1
		into := "kept_" + fmt.Sprintf("%x", what)
		w.exec("create table " + into + " (value " + tc.typ + ")")
		w.route(saves(plainV1, func(ctx context.Context, side *table, _ note) error {
			err := later(ctx, side.db, "insert into "+into+" values ($1)", tc.arg)
			if tc.change != nil {
				tc.change()
			}
			return err
		}), plainV2, nil)
		require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1}), what)
		assert.Equal(t, tc.want, one[string](w, "select coalesce(value::text, '') from "+into), what)
		assert.Equal(t, 1, one[int](w, "select count(*) from "+into), what)
	}
}

// The same buffer for each row, as code that saves memory does.
func TestReusedBufferWritesEachRowAsItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Dual, nil)
	w.exec("create table blobs (value bytea)")
	buffer := make([]byte, 1)
	w.routeOther(flags.Dual, func(ctx context.Context, side *table, _ note) error {
		for i := range byte(5) {
			buffer[0] = 'a' + i
			if err := later(ctx, side.db, "insert into blobs values ($1)", buffer); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1}))
	assert.Equal(t, "abcde", one[string](w, "select string_agg(convert_from(value, 'UTF8'), '') from blobs"))
}

// A statement that has less time than the operation is sent at once, or its time
// would end unnoticed.
func TestStatementWithADeadlineOfItsOwnIsNotDelayed(t *testing.T) {
	t.Parallel()
	w, wire := wired(t, flags.Old, none, queued)
	trips := 0
	w.route(saves(plainV1, func(ctx context.Context, side *table, n note) error {
		own, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		trips = wire.during(func() { require.NoError(t, side.Save(own, tenant, n)) }).Trips
		return nil
	}), plainV2, nil)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
	assert.Positive(t, trips)

	type key struct{}
	w.route(saves(plainV1, func(ctx context.Context, side *table, n note) error {
		trips = wire.during(func() { require.NoError(t, side.Save(context.WithValue(ctx, key{}, 1), tenant, n)) }).Trips
		return nil
	}), plainV2, nil)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
	assert.Zero(t, trips, "a value in a ctx changes nothing")

	w.route(saves(plainV1, func(ctx context.Context, side *table, n note) error {
		require.NoError(t, side.Save(ctx, tenant, n))
		own, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		return later(own, side.db, "select pg_sleep(60)")
	}), plainV2, nil)
	require.ErrorIs(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "two"}), context.DeadlineExceeded)
	assert.Equal(t, "one 0", w.text("notes_v1", 1))
}

// Whoever returns a row count gets one, whatever waits.
func TestStatementsWhoseAnswerIsSeenAreNotDelayed(t *testing.T) {
	t.Parallel()
	for _, stage := range both {
		w := newWorld(t, stage, nil)
		check := func(ctx context.Context, side *table, n note) error {
			require.NoError(t, side.Save(ctx, tenant, n))
			got, err := side.Get(ctx, tenant, n.ID)
			require.NoError(t, err)
			assert.Equal(t, n, got, "a side reads what it wrote")
			for sql, want := range map[string]int64{
				"-- name: Touch :execrows\nupdate " + side.name + " set seen = seen":               1,
				"-- name: Touch :execresult\nupdate " + side.name + " set seen = seen":             1,
				"-- name: Touch :exec :execrows\nupdate " + side.name + " set seen = seen":         1,
				"update " + side.name + " set seen = seen -- name: Touch :exec":                    1,
				"-- Touch :exec\nupdate " + side.name + " set seen = seen where id = 404":          0,
				"/* name: Touch :exec */ update " + side.name + " set seen = seen where seen < -1": 0,
			} {
				require.NoError(t, side.Save(ctx, tenant, n))
				tag, err := side.db.Exec(ctx, sql)
				require.NoError(t, err)
				assert.Equal(t, want, tag.RowsAffected(), sql)
			}
			rows, err := side.db.Query(ctx, "select id from "+side.name)
			require.NoError(t, err)
			ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
			require.NoError(t, err)
			assert.Equal(t, []int64{n.ID}, ids)
			return nil
		}
		w.route(saves(plainV1, check), saves(plainV2, check), nil)
		require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
		w.sameOnBothSides()
	}
}

func TestStatementsWrittenByHandCanWait(t *testing.T) {
	t.Parallel()
	w, wire := wired(t, flags.Dual, none, raw)
	write := func(ctx context.Context, side *table, n note) error {
		return postgres.ExecLater(ctx, side.db, "update "+side.name+" set seen = $1", n.Seen)
	}
	w.route(saves(plainV1, write), saves(plainV2, write), nil)
	save := func(seen int64) func() {
		return func() { require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Seen: seen})) }
	}
	for range 3 {
		save(1)()
	}
	assert.Equal(t, 1, wire.during(save(2)).Trips)
	assert.Equal(t, "hello world 2", w.text("notes_v1", 1))
	w.sameOnBothSides()
	require.NoError(t, postgres.ExecLater(t.Context(), w.pool, "update notes_v1 set seen = $1", 5), "outside a write it is sent at once")
	assert.Equal(t, "hello world 5", w.text("notes_v1", 1))
	var refused *postgres.ControlError
	w.routeAuthority(flags.Dual, func(ctx context.Context, side *table, _ note) error {
		return postgres.ExecLater(ctx, side.db, "commit")
	})
	require.ErrorAs(t, w.notes.Save(t.Context(), tenant, note{ID: 1}), &refused)
}

// A side that keeps its handle beyond its call gets an error, and nothing is
// kept for later that nobody will send.
func TestHandleThatIsKeptIsClosed(t *testing.T) {
	t.Parallel()
	for _, stage := range flags.Stages() {
		w := newWorld(t, stage, nil)
		var kept postgres.DBTX
		var ctx context.Context
		w.routeAuthority(stage, func(c context.Context, side *table, n note) error {
			kept, ctx = side.db, c
			return side.Save(c, tenant, n)
		})
		require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
		require.ErrorIs(t, later(ctx, kept, "select 1"), postgres.ErrClosed)
		require.ErrorIs(t, postgres.ExecLater(ctx, kept, "select 1"), postgres.ErrClosed)
		_, err := kept.Exec(ctx, "select 1")
		require.ErrorIs(t, err, postgres.ErrClosed)
		_, err = kept.Query(ctx, "select 1") //nolint:sqlclosecheck // there are none
		require.ErrorIs(t, err, postgres.ErrClosed)
		require.ErrorIs(t, kept.QueryRow(ctx, "select 1").Scan(), postgres.ErrClosed)
		require.ErrorIs(t, kept.SendBatch(ctx, &pgx.Batch{}).Close(), postgres.ErrClosed)
		_, err = kept.CopyFrom(ctx, pgx.Identifier{"notes_v1"}, []string{"id"}, pgx.CopyFromRows(nil))
		require.ErrorIs(t, err, postgres.ErrClosed)
	}
}
