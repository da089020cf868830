package backfill_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

func (w *world) bySQL(change func(*backfill.SQL)) backfill.Entity {
	s := statements
	change(&s)
	return backfill.BySQL(w.db, w.set.Flag(migrationName), s)
}

// Keys of two columns are walked as rows: (1, 10) comes before (2, 3). Values
// compare in their own types, not as text.
func TestKeysOfSeveralColumns(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.exec(`create table lines_v1 (tenant text, invoice int, line bigint, cents int, primary key (tenant, invoice, line));
		create table lines_v2 (tenant text, invoice int, line bigint, cents bigint, primary key (tenant, invoice, line));
		insert into lines_v1 select 'acme', i / 13, i, i from generate_series(1, 300) i;
		insert into lines_v2 values ('acme', 2, 3, 1), ('acme', 99, 1, 1)`)
	e := backfill.BySQL(w.db, w.set.Flag(migrationName), backfill.SQL{
		OldKeys: "select invoice, line from lines_v1 where tenant = $1",
		NewKeys: "select invoice, line from lines_v2 where tenant = $1",
		Copy: []string{`insert into lines_v2 select * from lines_v1 where tenant = $1 and (invoice, line) in (select * from unnest($2::int[], $3::bigint[]))
			on conflict (tenant, invoice, line) do update set cents = excluded.cents`},
		Delete: []string{`delete from lines_v2 n where tenant = $1 and (invoice, line) in (select * from unnest($2::int[], $3::bigint[]))
			and not exists (select from lines_v1 o where o.tenant = n.tenant and o.invoice = n.invoice and o.line = n.line)`},
		OldRows: "select invoice, line, cents from lines_v1 where tenant = $1",
		NewRows: "select invoice, line, cents from lines_v2 where tenant = $1",
	})
	require.Equal(t, ledger.JobDone, w.do(w.workerOf(e), ledger.JobBackfill).State)
	assert.Equal(t, "300 0", w.one("select count(*) || ' ' || count(*) filter (where o.cents is distinct from n.cents) from lines_v1 o full join lines_v2 n using (tenant, invoice, line)"))
	job := w.do(w.workerOf(e), ledger.JobVerify)
	assert.Equal(t, ledger.JobDone, job.State, job.Error)
	assert.Zero(t, job.Differing)

	w.exec("update lines_v2 set cents = 0 where invoice = 3 and line = 41; delete from lines_v2 where line = 300; insert into lines_v2 values ('acme', 1, 1, 1)")
	w.markStale("new", "1:32:41") // and a composite key among the stale ones
	job = w.do(w.workerOf(e), ledger.JobVerify)
	assert.EqualValues(t, 2, job.Differing)
	assert.Equal(t, []string{"1:11:1", "2:233:300"}, w.list("select key from crossfade.mismatches order by key"))
	assert.Empty(t, w.stale(), "repaired first")
}

// Text keys that the two sides order differently: no key is missed and none is
// reported that is not missing.
func TestKeysInDifferentCollations(t *testing.T) {
	w := newWorld(t, flags.Shadow)
	w.exec(`create table words_v1 (tenant text, word text collate "C", n int, primary key (tenant, word));
		create table words_v2 (tenant text, word text collate "und-x-icu", n int, primary key (tenant, word))`)
	for i := range 40 {
		for _, form := range []string{"a%d", "B%d", "-c%d", "É%d", "%d'"} {
			w.exec("insert into words_v1 values ('acme', $1, 1)", fmt.Sprintf(form, i))
		}
	}
	w.exec("insert into words_v2 values ('acme', 'B7x', 1), ('acme', 'a', 1)")
	e := backfill.BySQL(w.db, w.set.Flag(migrationName), backfill.SQL{
		OldKeys: "select word from words_v1 where tenant = $1",
		NewKeys: "select word from words_v2 where tenant = $1",
		Copy:    []string{"insert into words_v2 select * from words_v1 where tenant = $1 and word = any($2) on conflict (tenant, word) do update set n = excluded.n"},
		Delete:  []string{`delete from words_v2 n where tenant = $1 and word = any($2) and not exists (select from words_v1 o where o.tenant = n.tenant and o.word = n.word collate "C")`},
		OldRows: "select word, n from words_v1 where tenant = $1",
		NewRows: "select word, n from words_v2 where tenant = $1",
	})
	require.Equal(t, ledger.JobDone, w.do(w.workerOf(e), ledger.JobBackfill).State)
	assert.Equal(t, "200", w.one("select count(*)::text from words_v2"))
	job := w.do(w.workerOf(e, func(c *backfill.Config) { c.ChunkKeys = 2 }), ledger.JobVerify)
	assert.Equal(t, ledger.JobDone, job.State, job.Error)
	assert.Zero(t, job.Differing)
	assert.Empty(t, w.list("select key from crossfade.mismatches"))
}

// Numbers compare by value and documents by content, whatever their text, and
// types need not be the same.
func TestValuesCompareInTheDatabase(t *testing.T) {
	w := newWorld(t, flags.Shadow)
	w.exec(`create table values_v1 (id int primary key, amount numeric, doc jsonb, at timestamptz, name varchar(9), f float8);
		create table values_v2 (id bigint primary key, amount numeric(9, 3), doc jsonb, at timestamptz, name text, f float8);
		insert into values_v1 values (1, 1.0, '{"a": 1, "b": 1.0}', '2026-01-01 00:00+00', 'x', '-0'), (2, null, null, null, null, 'NaN'), (3, 0, '1', now(), 'NULL', 1);
		insert into values_v2 values (1, 1.00, '{"b": 1.00, "a": 1}', '2026-01-01 01:00+01', 'x', 0), (2, null, null, null, null, 'NaN'), (3, 0, '1', null, null, 1);
		update crossfade.tenant_states set backfilled_at = now()`)
	e := backfill.BySQL(w.db, w.set.Flag(migrationName), backfill.SQL{
		OldKeys: "select id from values_v1", NewKeys: "select id from values_v2", // an entity without tenants
		Copy: []string{"select $2"}, Delete: []string{"select $2"},
		OldRows: "select * from values_v1", NewRows: "select * from values_v2",
	})
	job := w.do(w.workerOf(e), ledger.JobVerify)
	assert.Equal(t, ledger.JobDone, job.State, job.Error)
	assert.Equal(t, []string{"3 at", "3 name"}, w.list("select key || ' ' || field from crossfade.mismatches order by field"))
}

func TestWrongStatementsAreNamedAndFailTheJobAtOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*backfill.SQL)
		kind   string
		want   string
	}{
		"null key":         {func(s *backfill.SQL) { s.OldKeys = "select nullif(id, 3) as id from notes_v1 where tenant = $1" }, ledger.JobBackfill, "OldKeys selects a key that is null"},
		"no such column":   {func(s *backfill.SQL) { s.OldKeys = "select ident from notes_v1" }, ledger.JobBackfill, `SQLSTATE 42703 (column "ident" does not exist)`},
		"too many columns": {func(s *backfill.SQL) { s.OldKeys = "select 1 a, 2 b, 3 c, 4 d, 5 e" }, ledger.JobBackfill, "OldKeys must select 1 to 4 columns, it selects 5"},
		"one name twice":   {func(s *backfill.SQL) { s.NewRows = "select id, seen, seen from notes_v2" }, ledger.JobVerify, `NewRows selects two columns named "seen"`},
		"other columns":    {func(s *backfill.SQL) { s.NewRows = "select id, seen from notes_v2" }, ledger.JobVerify, "OldRows and NewRows must select the 1 columns of the key and then the same columns: id, body, seen; id, seen"},
		"no rows":          {func(s *backfill.SQL) { s.OldRows, s.NewRows = "", "" }, ledger.JobVerify, "OldRows and NewRows are needed to verify"},
		"wrong copy":       {func(s *backfill.SQL) { s.Copy = []string{"insert into notes_v9 select 1"} }, ledger.JobBackfill, `SQLSTATE 42P01 (relation "notes_v9" does not exist)`},
		"cannot compare":   {func(s *backfill.SQL) { s.NewRows = "select id, title::bytea as body, seen from notes_v2" }, ledger.JobVerify, "SQLSTATE 42883"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, flags.Dual)
			w.fill(acme, 5)
			if tc.kind == ledger.JobVerify {
				w.exec("update crossfade.tenant_states set backfilled_at = now()")
			}
			job := w.do(w.workerOf(w.bySQL(tc.change)), tc.kind)
			assert.Equal(t, ledger.JobFailed, job.State)
			assert.Contains(t, job.Error, tc.want)
			assert.Empty(t, w.stale())
		})
	}
}

func TestReverseCopyWithoutStatementsIsRefused(t *testing.T) {
	w := newWorld(t, flags.RampDown)
	w.exec("insert into notes_v2 (tenant, id, title, rest) values ($1, 1, 'a', '')", acme)
	job := w.do(w.workerOf(w.bySQL(func(s *backfill.SQL) { s.CopyBack, s.DeleteBack = nil, nil })), ledger.JobBackfill)
	assert.Equal(t, ledger.JobFailed, job.State)
	assert.Contains(t, job.Error, "CopyBack and DeleteBack are needed to copy from the new side")
}

// Keys far from each other cost no more than dense ones.
func TestSparseKeys(t *testing.T) {
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		w.exec("insert into notes_v1 (tenant, id, body) select 'acme', i * 1000000000000, 'far' from generate_series(1, 30) i")
		job := w.do(w.workerOf(e), ledger.JobBackfill)
		assert.Equal(t, ledger.JobDone, job.State, job.Error)
		assert.EqualValues(t, 30, job.KeysDone)
		w.equal()
	})
}

// A walk whose keys do not advance ends with an error and not never.
func TestKeysThatDoNotAdvanceAreAnError(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.fill(acme, 300)
	w.old.on("Keys", func(context.Context, int64) error { return nil })
	stuck := copier
	stuck.KeysAfter = func(ctx context.Context, s *side, tenant string, _ *int64, limit int) ([]int64, error) {
		return s.Keys(ctx, tenant, nil, limit)
	}
	route := w.routeWith(stuck)
	job := w.do(w.workerOf(backfill.ByRoute(route), func(c *backfill.Config) { c.ChunkKeys = 10 }), ledger.JobBackfill)
	assert.Equal(t, ledger.JobFailed, job.State)
	assert.Equal(t, "notes-v2: the keys of the old side do not advance: their query must return keys behind the given one, in a total order", job.Error)
}
