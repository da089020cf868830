package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/ledger"
)

func TestStatusShowsRowsByTheirVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	assert.NotContains(t, w.ok("status", name).out, "Rows ", "nothing was declared")
	w.exec(`create table orders (id bigint primary key, v int); create index on orders (v);
		alter table orders set (autovacuum_enabled = off);
		insert into orders select n, case when n <= 250 then 1 when n <= 990 then 2 end from generate_series(1, 1000) n`)
	require.NoError(t, w.store.DeclareRowVersions(t.Context(), ledger.RowVersions{Entity: "customers", Table: "orders", Column: "v"}))
	w.ok("status", name).says("Rows        public.orders v: 1 some, 2 some, without a version some; no others", "run ANALYZE")
	w.exec(`analyze orders`)
	w.ok("status", name).says("Rows        public.orders v: 1 25%, 2 74%, without a version 1% of about 1,000 rows, estimated ", " ago; no others")
	w.exec(`update orders set v = 3 where id = 1`)
	w.ok("status", name).says("v: 1 25%, 2 74%, 3 some, without a version 1% of about 1,000 rows")
	w.ok("status", name, "--count-rows").says("v: 1 24.9%, 2 74%, 3 0.1%, without a version 1% of 1,000 rows, counted; no others")

	var got struct {
		Migrations []struct {
			RowVersions []rowVersionsJSON `json:"row_versions"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(w.ok("status", name, "--json", "--count-rows").out), &got))
	require.Len(t, got.Migrations[0].RowVersions, 1)
	r := got.Migrations[0].RowVersions[0]
	assert.True(t, r.Counted && r.Complete)
	require.Len(t, r.Versions, 4)
	assert.EqualValues(t, 249, *r.Versions[0].Rows)
	assert.Nil(t, r.Versions[3].Version)

	w.exec(`drop table orders`)
	w.ok("status", name).says("not known", "not there any more")
	w.ok("status", name, "--count-rows").says("the rows were not counted: SQLSTATE 42P01")
	w.run("status", name, "--count-rows", "--watch").is(exitInput).blames("neither with --watch")
}
