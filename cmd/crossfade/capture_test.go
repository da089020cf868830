package main

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
)

// shop makes tables to be captured.
func (w *world) shop() {
	w.t.Helper()
	w.exec(`create schema shop;
		create table shop.customers (tenant_id text, id bigint, name text, primary key (tenant_id, id)) partition by list (tenant_id);
		create table shop.customers_rest partition of shop.customers default;
		create table shop.people (a int, b int, born timestamptz, primary key (a, b));
		create view shop.names as select name from shop.customers`)
}

func TestCapture(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.shop()
	golden(t, "capture-none.txt", w.ok("capture", "status", name).out)
	dry := w.ok("capture", "install", name, "--side", "old", "--table", "shop.customers", "--tenant", "tenant_id", "--key", "id", "--dry-run")
	dry.says("create or replace function crossfade.capture_", `create or replace trigger "crossfade_capture_`, "nothing was changed")
	w.ok("capture", "status", name).says("old side: not captured")

	install := []string{
		"capture", "install", name, "--side", "old", "--table", "shop.customers", "--tenant", "tenant_id", "--key", "id",
		"--table", "shop.people", "--key", "a,b", "--reason", "before dual",
	}
	w.ok(install...).says("the old side is captured (shop.customers, shop.people); mode: record")
	w.ok(install...).says("every trigger of the old side stood already")
	w.ok("capture", "install", name, "--side", "new", "--table", "shop.customers_rest", "--tenant", "tenant_id", "--key", "id").says("mode: refuse")
	w.ok("capture", "status", name).says("old side: mode record, not declared to be all tables: writes stay fenced")
	w.ok(append(install, "--complete")...).says("These count as all tables that the old side writes")
	w.ok("capture", "status", name).says("old side: mode record, declared to be all tables")
	w.ok("history", name).says("declared to be all tables of the side")
	w.climb(flags.Dual)
	var trigger string
	require.NoError(t, w.pool.QueryRow(t.Context(), "select 'crossfade_capture_' || id || '_before' from crossfade.capture_tables where side = 'new'").Scan(&trigger))
	w.exec("drop trigger " + trigger + " on shop.customers_rest")
	w.exec("create table shop.customers_late partition of shop.customers for values in ('late')")
	w.exec("set application_name = 'nightly'; insert into shop.people values (1, 2); reset application_name")
	w.ok("capture", "status", name).says(
		"old side: mode record", "shop.customers (tenant tenant_id, key id): triggers are missing", "shop.customers_late lacks",
		"shop.people (no tenant, key a, b): triggers on 1 relation", "1 statement bypassed the application",
		`"nightly": INSERT of shop.people, 1 statement, 1 row`, "shop.customers_rest lacks "+trigger,
	)
	var status struct {
		Sides   []captureSideJSON
		Writers []captureWriterJSON
	}
	require.NoError(t, json.Unmarshal([]byte(w.ok("capture", "status", name, "--json").out), &status))
	assert.Equal(t, "record", status.Sides[0].Mode)
	assert.EqualValues(t, 1, status.Writers[0].Rows)
	w.ok("capture", "accept", name, "--side", "old").says("old side: 1 statement accepted")
	w.ok("capture", "status", name).says("(accepted)")
	w.ok(install...).says("run `crossfade backfill customers-v2` again")
	w.ok("history", name).says("capture: old side: shop.customers, shop.people, which begins to record", "before dual", "old side: 1 statement accepted")

	w.run("capture", "remove", name, "--side", "old").is(exitRefused).blames("cannot be removed now", "have everybody at old")
	w.ok("capture", "status", name).says("to be removed")
}

func TestCaptureIsRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.shop()
	w.ok("capture", "install", name, "--side", "old", "--table", "shop.people", "--key", "b")
	w.ok("capture", "remove", name, "--side", "old", "--dry-run").says("drop function if exists crossfade.capture_", "nothing was changed")
	w.ok("capture", "remove", name, "--side", "old", "--json").says(`"side": "old"`)
	w.exec("insert into shop.people values (1, 1)")
	w.run("capture", "remove", name, "--side", "old").is(exitInput).blames("the old side is not captured")
	w.ok("capture", "install", name, "--side", "old", "--table", "shop.people", "--key", "b").says("mode: record")
}

func TestCaptureSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.shop()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--table", "shop.absent", "--key", "id"}, "capture of shop.absent: there is no such table"},
		{[]string{"--table", "shop.customers", "--key", "no"}, `it has no column "no"`},
		{[]string{"--table", "shop.customers", "--tenant", "no", "--key", "id"}, `it has no column "no"`},
		{[]string{"--table", "shop.names", "--key", "name"}, "it is a view"},
		{[]string{"--table", "shop.people", "--key", "born"}, "of type timestamp with time zone"},
		{[]string{"--table", "shop.people"}, "name the columns of its key"},
		{[]string{"--table", "shop.people", "--key", "a,a"}, "twice"},
		{[]string{"--table", "people", "--key", "a"}, "name it with its schema"},
		{[]string{"--key", "a", "--table", "shop.people"}, "--table comes first"},
		{[]string{"--table", "crossfade.stale_keys", "--key", "id"}, "the ledger's own"},
		{nil, "name at least one table"},
	} {
		w.run(append([]string{"capture", "install", name, "--side", "old"}, c.args...)...).is(exitInput).blames(c.want)
	}
	w.run("capture", "install", name, "--table", "shop.people", "--key", "a").is(exitInput).blames("say old or new")
	w.run("capture", "accept", name, "--side", "old").is(exitInput).blames("not captured")
	w.exec("create rule other as on update to shop.people do instead nothing")
	w.run("capture", "install", name, "--side", "old", "--table", "shop.people", "--key", "a").is(exitInput).blames("INSTEAD")
}

func TestCaptureShowsForWhomItWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.shop()
	tx, err := w.pool.Begin(context.Background())
	require.NoError(t, err)
	defer tx.Rollback(context.Background())
	_, err = tx.Exec(context.Background(), "set local application_name = 'straggler'; insert into shop.people values (1, 1)")
	require.NoError(t, err)
	w.run("capture", "install", name, "--side", "old", "--table", "shop.people", "--key", "a", "--timeout", "10ms").is(exitUnsettled).
		blames("was not had in", "straggler")
	s := w.start(nil, "capture", "install", name, "--side", "old", "--table", "shop.people", "--key", "a")
	s.until("straggler")
	require.NoError(t, tx.Rollback(context.Background()))
	s.ends().is(exitOK).says("the old side is captured")
}
