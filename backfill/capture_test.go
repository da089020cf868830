package backfill_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// captured are the tables of the notes, by side.
var captured = [2]backfill.CaptureTable{
	{Schema: "public", Table: "notes_v1", Tenant: "tenant", Key: []string{"id"}},
	{Schema: "public", Table: "notes_v2", Tenant: "tenant", Key: []string{"id"}},
}

// capture installs capture of the sides' tables.
func (w *world) capture(sides ...flags.Side) *backfill.Capture {
	w.t.Helper()
	c := backfill.NewCapture(w.pool, nil)
	for _, side := range sides {
		_, err := c.Install(context.Background(), migrationName, side, false, captured[side])
		require.NoError(w.t, err)
	}
	return c
}

// mode switches and drains.
func (w *world) mode(side flags.Side, mode ledger.CaptureMode) {
	w.t.Helper()
	ctx := context.Background()
	require.NoError(w.t, w.store.SwitchCapture(ctx, w.migration(), side, mode))
	require.NoError(w.t, w.store.SettleCapture(ctx, w.migration(), side, -1, nil))
}

func (w *world) migration() ledger.Migration {
	w.t.Helper()
	m, err := w.store.Migration(context.Background(), migrationName)
	require.NoError(w.t, err)
	return m
}

func (w *world) captureState() [2]ledger.CaptureState {
	w.t.Helper()
	s, err := w.store.Load(context.Background(), migrationName)
	require.NoError(w.t, err)
	return s.Capture
}

// recorded takes the stale records away and returns them as tenant:side:key, in order.
func (w *world) recorded() []string {
	w.t.Helper()
	return w.list(`with gone as (delete from crossfade.stale_keys returning *)
		select tenant || ':' || side || ':' || key || case when cause = 'capture: table public.notes_v' || case side when 'new' then '1' else '2' end then '' else ' ' || cause end
		from gone order by tenant, side, length(key), key, id`)
}

func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

func TestCaptureRecordsPlainWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Dual)
	w.capture(flags.OldSide)
	assert.True(t, w.captureState()[flags.OldSide].Stands())
	for _, c := range []struct {
		promise, sql string
		want         []string
	}{
		{"insert", `insert into notes_v1 values ('acme', 1, 'a'), ('zeta', 2, 'b')`, []string{"acme:new:1", "zeta:new:2"}},
		{"insert of a select", `insert into notes_v1 select 'acme', g, 'x' from generate_series(10, 12) g`, []string{"acme:new:10", "acme:new:11", "acme:new:12"}},
		{"update", `update notes_v1 set body = 'c' where id = 1`, []string{"acme:new:1"}},
		{"update of the key", `update notes_v1 set id = 3 where id = 1`, []string{"acme:new:1", "acme:new:3"}},
		{"update of the tenant", `update notes_v1 set tenant = 'zeta' where id = 3`, []string{"acme:new:3", "zeta:new:3"}},
		{"upsert", `insert into notes_v1 values ('zeta', 3, 'd'), ('zeta', 4, 'e') on conflict (tenant, id) do update set body = excluded.body`, []string{"zeta:new:3", "zeta:new:4"}},
		{"upsert that does nothing", `insert into notes_v1 values ('zeta', 3, 'd') on conflict do nothing`, nil},
		{"update of no row", `update notes_v1 set body = 'x' where id = 99`, nil},
		{"CTE", `with gone as (delete from notes_v1 where id = 4 returning *), back as (insert into notes_v1 select tenant, 5, body from gone returning id)
			update notes_v1 set seen = 1 where id = 2`, []string{"zeta:new:2", "zeta:new:4", "zeta:new:5"}},
		{"delete", `delete from notes_v1 where id in (2, 10)`, []string{"acme:new:10", "zeta:new:2"}},
		{"truncate", `truncate notes_v1`, []string{"acme:new:*", "zeta:new:*"}},
		{"truncate of an empty table", `truncate notes_v1`, nil},
	} {
		w.exec(c.sql)
		assert.ElementsMatch(t, c.want, w.recorded(), c.promise)
	}
}

func TestCaptureRefusesPlainWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Live)
	require.NoError(t, w.notes.Save(t.Context(), acme, note{ID: 1, Text: "one"}))
	require.NoError(t, w.notes.Save(t.Context(), acme, note{ID: 2, Text: "two"}))
	w.capture(flags.OldSide)
	assert.True(t, w.captureState()[flags.OldSide].Refusing())
	for promise, sql := range map[string]string{
		"insert":           `insert into notes_v1 values ('acme', 7, 'a')`,
		"update":           `update notes_v1 set body = 'c' where id = 1`,
		"update of no row": `update notes_v1 set body = 'c' where id = 99`,
		"delete of no row": `delete from notes_v1 where id = 99`,
		"insert twice":     `insert into notes_v1 values ('acme', 1, 'a')`,
		"upsert":           `insert into notes_v1 values ('acme', 1, 'a') on conflict do nothing`,
		"truncate":         `truncate notes_v1`,
		"CTE":              `with x as (delete from notes_v1 where false) select 1`,
	} {
		_, err := w.pool.Exec(t.Context(), sql)
		assert.Equal(t, "XF006", sqlState(err), promise)
		assert.ErrorContains(t, err, "public.notes_v1, the old side of migration notes-v2, is not to be written past the application now", promise)
	}
	assert.Empty(t, w.stale())
	require.NoError(t, w.notes.Save(t.Context(), acme, note{ID: 1, Text: "hello world"}), "the application's own writes pass")
	require.NoError(t, w.notes.Delete(t.Context(), acme, 2))
	assert.Equal(t, "hello world", w.text("notes_v1", 1))
	assert.Empty(t, w.stale())
}

const ledgerRecords, ledgerRefuses = ledger.CaptureRecords, ledger.CaptureRefuses

var noEffects = ledger.Effects{}

func asBlocked(err error, blocked **backfill.CaptureBlockedError) bool {
	return errors.As(err, blocked)
}
