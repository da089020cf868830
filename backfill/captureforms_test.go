package backfill_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
)

// serverVersion is the server's major version.
func (w *world) serverVersion() int {
	w.t.Helper()
	n, err := strconv.Atoi(w.one("select (current_setting('server_version_num')::int / 10000)::text"))
	require.NoError(w.t, err)
	return n
}

func TestCaptureRecordsMergeAndCopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Dual)
	w.capture(flags.OldSide)
	_, err := w.pool.CopyFrom(t.Context(), pgx.Identifier{"notes_v1"}, []string{"tenant", "id", "body"},
		pgx.CopyFromRows([][]any{{acme, 1, "a"}, {acme, 2, "b"}, {"zeta", 3, "c"}}))
	require.NoError(t, err)
	assert.Equal(t, []string{"acme:new:1", "acme:new:2", "zeta:new:3"}, w.recorded())
	if w.serverVersion() >= 15 {
		w.exec(`merge into notes_v1 n using (values (1), (2), (9)) v(id) on n.tenant = 'acme' and n.id = v.id
			when matched and v.id = 1 then delete when matched then update set seen = 5 when not matched then insert values ('acme', v.id, 'new')`)
		assert.Equal(t, []string{"acme:new:1", "acme:new:2", "acme:new:9"}, w.recorded())
	}
}

func TestCaptureRecordsAtEveryIsolationLevel(t *testing.T) {
	t.Parallel()
	for _, level := range []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.RepeatableRead, pgx.Serializable} {
		t.Run(string(level), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, flags.Old)
			w.fill(acme, 2)
			w.capture(flags.OldSide)
			tx, err := w.pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: level})
			require.NoError(t, err)
			defer tx.Rollback(context.Background())
			_, err = tx.Exec(t.Context(), "select count(*) from notes_v1") // takes the snapshot
			require.NoError(t, err)
			w.publish(flags.Policy{Default: flags.Dual}, noEffects)
			_, err = tx.Exec(t.Context(), "update notes_v1 set seen = 1 where id = 1")
			require.NoError(t, err)
			require.NoError(t, tx.Commit(t.Context()))
			assert.Equal(t, []string{"acme:new:1"}, w.recorded(), "although its snapshot shows that everybody is at old")

			w.mode(flags.OldSide, ledgerRefuses)
			_, err = w.pool.Exec(t.Context(), "begin isolation level "+string(level)+"; update notes_v1 set seen = 2")
			assert.Equal(t, "XF006", sqlState(err))
		})
	}
	t.Run("and a TRUNCATE whose snapshot may be older than rows of others is refused", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, flags.Dual)
		w.capture(flags.OldSide)
		_, err := w.pool.Exec(t.Context(), "begin isolation level repeatable read; truncate notes_v1")
		assert.Equal(t, "XF006", sqlState(err))
		assert.ErrorContains(t, err, "must be READ COMMITTED")
	})
}

func TestCaptureRecordsNothingWhereNobodyWritesTheOtherSide(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Old)
	w.capture(flags.OldSide, flags.NewSide)
	w.mode(flags.NewSide, ledgerRecords)
	w.exec("insert into notes_v1 values ('acme', 1, 'a'); truncate notes_v1; insert into notes_v1 values ('acme', 1, 'a')")
	assert.Empty(t, w.recorded(), "everybody stands at old")
	assert.Empty(t, w.list("select role from crossfade.captures"))
	w.exec("insert into notes_v2 values ('acme', 1, 'a', '')")
	assert.Equal(t, []string{"acme:old:1"}, w.recorded(), "which is no reason to forget writes of the new side")
	w.publish(flags.Policy{Default: flags.Old, Overrides: map[string]flags.Stage{"zeta": flags.Dual}}, noEffects)
	w.exec("update notes_v1 set seen = 1")
	assert.Equal(t, []string{"acme:new:1"}, w.recorded(), "a trigger cannot tell who stands where")
	w.step(flags.New)
	w.exec("insert into notes_v2 values ('acme', 2, 'b', '')")
	assert.Empty(t, w.recorded())
	w.exec("update notes_v1 set seen = 2")
	assert.Equal(t, []string{"acme:new:1"}, w.recorded())
}

func TestCaptureWritesKeysAsTheApplicationDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Dual)
	c := backfill.NewCapture(w.pool, nil)
	w.exec(`create domain number as bigint check (value > 0); create domain long_number as number; create domain truth as boolean;
		create schema "odd ""schema"; set datestyle = 'German, DMY'`)
	for i, k := range []struct {
		promise, columns string
		key              []string
		values           string
		want             string
	}{
		{"one column", "k uuid", []string{"k"}, "'11111111-2222-3333-4444-555555555555'", "11111111-2222-3333-4444-555555555555"},
		{"several columns", "a text, b int", []string{"b", "a"}, "'x:y', 7", repo.CompositeKey("7", "x:y")},
		{"bytes and not characters", "a text, b text", []string{"a", "b"}, "'é', ''", repo.CompositeKey("é", "")},
		{"names with quotes and capitals", `"K ""1'" int, "Select" text`, []string{`K "1'`, "Select"}, "1, 'b'", repo.CompositeKey("1", "b")},
		{"dates whatever the session's style", "k date", []string{"k"}, "'2026-02-01'", "2026-02-01"},
		{"one column with a collation of its own", `k varchar(9) collate "C"`, []string{"k"}, "'ABC'", "ABC"},
		{"domains over those", "k long_number, b truth", []string{"k", "b"}, "7, 'yes'", repo.CompositeKey("7", "true")},
	} {
		name := fmt.Sprintf(`odd "table $crossfade$ <side> %d`, i)
		table := pgx.Identifier{`odd "schema`, name}.Sanitize()
		w.exec("create table " + table + " (" + k.columns + ", body text)")
		_, err := c.Install(t.Context(), migrationName, flags.OldSide, false, backfill.CaptureTable{Schema: `odd "schema`, Table: name, Key: k.key})
		require.NoError(t, err, k.promise)
		w.exec("set datestyle = 'German, DMY'; insert into " + table + " values (" + k.values + ", 'x'); reset datestyle")
		assert.Equal(t, []string{k.want}, w.list("select key from crossfade.stale_keys where tenant = $1", repo.SoleTenant), k.promise)
		w.exec("delete from crossfade.stale_keys")
		// And a mark of that key covers it.
		ctx := t.Context()
		err = repo.Write(ctx, w.notes.route, op("Odd", repo.KindWrite), repo.SoleTenant, repo.KeyList([]string{k.want}), repo.NoArgs{},
			func(ctx context.Context, s *side, _ repo.NoArgs) error {
				_, err := s.db.Exec(ctx, "update "+table+" set body = 'y'")
				return err
			})
		require.NoError(t, err)
		assert.Empty(t, w.stale(), k.promise)
		keys := []string{"a", "b", k.want, "c"}
		err = repo.Write(ctx, w.notes.route, op("Odd", repo.KindWrite), repo.SoleTenant, repo.KeyList(keys), repo.NoArgs{},
			func(ctx context.Context, s *side, _ repo.NoArgs) error {
				_, err := s.db.Exec(ctx, "delete from "+table)
				return err
			})
		require.NoError(t, err)
		assert.Empty(t, w.stale(), k.promise)
	}
}

// A key of which two writers may write two texts would be recorded under
// neither's: the fence, the mark and the copies go by the text.
func TestCaptureRefusesKeysWithSeveralTexts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Dual)
	w.exec(`create extension citext;
		create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
		create type mood as enum ('good', 'bad'); create type public.uuid as (a int);
		create domain price as numeric(9, 2); create domain code as char(3); create domain name_ci as text collate ci`)
	for _, kind := range []string{
		"numeric", "numeric(9, 2)", "price", "char(3)", "code", `"char"`, "citext", "text collate ci", "varchar(9) collate ci", "name_ci",
		"float4", "float8", "money", "timestamptz", "timestamp", "time", "timetz", "interval", "bytea", "json", "jsonb", "xml", "mood", "inet",
		"int[]", "text[]", "int4range", "public.uuid",
	} {
		for _, table := range []backfill.CaptureTable{
			{Schema: "public", Table: "kinds", Key: []string{"id", "k"}},
			{Schema: "public", Table: "kinds", Tenant: "k", Key: []string{"id"}},
		} {
			w.exec("drop table if exists kinds; create table kinds (id bigint, k " + kind + ")")
			_, err := backfill.NewCapture(w.pool, nil).Install(t.Context(), migrationName, flags.OldSide, false, table)
			var wrong *backfill.CaptureTableError
			if assert.ErrorAs(t, err, &wrong, kind) {
				assert.Contains(t, wrong.Problem, `column "k" is of type`, kind)
			}
		}
	}
	for _, kind := range []string{"smallint", "int", "bigint", "text", "varchar", "varchar(9)", `text collate "C"`, "pg_catalog.uuid", "boolean", "date"} {
		w.exec("drop table kinds; create table kinds (id bigint, k " + kind + ")")
		_, err := backfill.NewCapture(w.pool, nil).Install(t.Context(), migrationName, flags.OldSide, true,
			backfill.CaptureTable{Schema: "public", Table: "kinds", Tenant: "k", Key: []string{"id"}})
		assert.NoError(t, err, kind)
	}
}

func TestCaptureCannotBeSwitchedOffBySessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Dual)
	w.capture(flags.OldSide)
	w.exec("set session_replication_role = replica; insert into notes_v1 values ('acme', 1, 'a'); reset session_replication_role")
	assert.Equal(t, []string{"acme:new:1", "acme:new:1"}, w.recorded(), "twice, as the trigger for replicated rows fires too")
	w.mode(flags.OldSide, ledgerRefuses)
	_, err := w.pool.Exec(t.Context(), "set local session_replication_role = replica; update notes_v1 set seen = 1 where false")
	assert.Equal(t, "XF006", sqlState(err))
}

func TestCaptureSkipsRowsWithoutAKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Dual)
	w.exec("create table loose (tenant text, id bigint)")
	_, err := backfill.NewCapture(w.pool, nil).Install(t.Context(), migrationName, flags.OldSide, false,
		backfill.CaptureTable{Schema: "public", Table: "loose", Tenant: "tenant", Key: []string{"id"}})
	require.NoError(t, err)
	w.exec("insert into loose values (null, 1), ('acme', null), ('acme', 2)")
	w.exec("truncate loose")
	assert.Equal(t, []string{"2", "*"}, w.list("select key from crossfade.stale_keys order by id"))
}

func TestUsersTriggersKeepWorkingBesideCapture(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Dual)
	w.exec(`create table seen_by (trigger text, op text);
		create function seen_by() returns trigger language plpgsql as $$ begin insert into seen_by values (tg_name, tg_when || tg_op || tg_level); return coalesce(new, old); end $$;
		create function other_key() returns trigger language plpgsql as $$ begin new.id := new.id + 100; return new; end $$;
		create trigger aaa before insert on notes_v1 for each row execute function other_key();
		create trigger zzz before update on notes_v1 for each row execute function other_key();
		create trigger aaa_statement before insert or update on notes_v1 for each statement execute function seen_by();
		create trigger zzz_statement after insert or update on notes_v1 for each statement execute function seen_by();
		create trigger crossfade_d after delete on notes_v1 for each row execute function seen_by()`)
	w.capture(flags.OldSide)
	w.exec("insert into notes_v1 values ('acme', 1, 'a')")
	assert.Equal(t, []string{"acme:new:101"}, w.recorded(), "the key that the row got")
	w.exec("update notes_v1 set seen = 1")
	assert.Equal(t, []string{"acme:new:101", "acme:new:201"}, w.recorded(), "also one that the statement did not name")
	w.exec("delete from notes_v1")
	assert.Equal(t, []string{"acme:new:201"}, w.recorded())
	assert.Equal(t, []string{
		"aaa_statement BEFOREINSERTSTATEMENT", "zzz_statement AFTERINSERTSTATEMENT", "aaa_statement BEFOREUPDATESTATEMENT",
		"zzz_statement AFTERUPDATESTATEMENT", "crossfade_d AFTERDELETEROW",
	}, w.list("select trigger || ' ' || op from seen_by"))
}

func TestCaptureOfPartitions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Dual)
	w.exec(`create table parts (tenant text not null, id bigint not null, body text, primary key (tenant, id)) partition by list (tenant);
		create table parts_acme partition of parts for values in ('acme') partition by range (id);
		create table parts_acme_1 (body text, id bigint not null, tenant text not null);
		alter table parts_acme attach partition parts_acme_1 for values from (0) to (100);
		create table parts_acme_2 partition of parts_acme for values from (100) to (200);
		create table parts_rest partition of parts default`)
	table := backfill.CaptureTable{Schema: "public", Table: "parts", Tenant: "tenant", Key: []string{"id"}}
	c := backfill.NewCapture(w.pool, nil)
	_, err := c.Install(t.Context(), migrationName, flags.OldSide, false, table)
	require.NoError(t, err)
	keys := func() []string {
		return w.list(`with gone as (delete from crossfade.stale_keys returning tenant || ':' || key as k) select k from gone order by length(k), k`)
	}
	for _, k := range []struct {
		promise, sql string
		want         []string
	}{
		{"rows into several partitions", "insert into parts values ('acme', 1), ('acme', 101), ('zeta', 1)", []string{"acme:1", "zeta:1", "acme:101"}},
		{"a row that moves between partitions", "update parts set id = 150 where tenant = 'acme' and id = 1", []string{"acme:1", "acme:150"}},
		{"a row that moves to another tenant", "update parts set tenant = 'beta' where id = 150", []string{"acme:150", "beta:150"}},
		{"a partition named directly", "insert into parts_acme_1 values ('x', 5, 'acme')", []string{"acme:5"}},
		{"a partition of a partition", "update parts_acme set body = 'y'", []string{"acme:5", "acme:101"}},
		{"a row that moves between partitions of a partition", "update parts_acme set id = id + 100 where id = 5", []string{"acme:5", "acme:105"}},
		{"delete through the partition", "delete from parts_acme_2", []string{"acme:101", "acme:105"}},
		{"truncate of a partition", "insert into parts_acme_1 values ('x', 5, 'acme'); truncate parts_acme_1", []string{"acme:*", "acme:5"}},
		{"truncate of all", "truncate parts", []string{"beta:*", "zeta:*"}},
	} {
		w.exec(k.sql)
		assert.Equal(t, k.want, keys(), k.promise)
	}
	w.exec(`create table parts_late partition of parts for values in ('late')`)
	state := w.captureState()[flags.OldSide]
	assert.False(t, state.Stands())
	assert.Equal(t, []string{"public.parts_late"}, state.Broken)
	w.exec("insert into parts values ('late', 1)")
	assert.Equal(t, []string{"late:1"}, keys(), "by way of the table it is captured all the same")
	w.exec("update crossfade.tenant_states set backfilled_at = now()")
	done, err := c.Install(t.Context(), migrationName, flags.OldSide, false, table)
	require.NoError(t, err)
	assert.True(t, done.Changed && done.Cleared)
	assert.True(t, w.captureState()[flags.OldSide].Stands())
	w.exec("insert into parts_late values ('late', 2)")
	assert.Equal(t, []string{"late:2"}, keys())
	done, err = c.Install(t.Context(), migrationName, flags.OldSide, false, table)
	require.NoError(t, err)
	assert.False(t, done.Changed)

	w.mode(flags.OldSide, ledgerRefuses)
	for _, sql := range []string{"update parts set body = '' where false", "insert into parts_acme_1 values ('x', 5, 'acme')", "truncate parts_rest"} {
		_, err := w.pool.Exec(t.Context(), sql)
		assert.Equal(t, "XF006", sqlState(err), sql)
	}
}

func TestCaptureOfInheritance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Dual)
	w.exec("create table parents (id bigint); create table children (extra int) inherits (parents)")
	_, err := backfill.NewCapture(w.pool, nil).Install(t.Context(), migrationName, flags.OldSide, false,
		backfill.CaptureTable{Schema: "public", Table: "parents", Key: []string{"id"}})
	require.NoError(t, err)
	w.exec("insert into children values (1, 1); update parents set id = 2; delete from only children")
	assert.Equal(t, []string{"1", "1", "2", "2"}, w.list("select key from crossfade.stale_keys order by id, key"))
}
