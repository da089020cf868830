package main

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

// onLedger are command lines of every command that needs the ledger.
var onLedger = [][]string{
	{"status"},
	{"status", name, "--watch"},
	{"step", name, "dual"},
	{"step", name, "dual", "--walk"},
	{"pin", name, "acme", "--stage", "dual"},
	{"unpin", name, "acme"},
	{"backfill", name},
	{"verify", name, "--follow"},
	{"reconcile", name, "--cancel"},
	{"mismatches", name},
	{"history", name},
}

func TestLedgerThatDoesNotFit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct{ title, setup, want string }{
		{"newer", `insert into crossfade.goose_db_version (version_id, is_applied) values (99, true)`, "version 99 is newer than this program"},
		{"absent", `drop schema crossfade cascade`, "there is none in this database: run `crossfade init`"},
	} {
		w.exec(c.setup)
		for _, args := range onLedger {
			w.run(args...).is(exitLedger).blames(c.want)
		}
	}
	w.ok("init", "--no-files", "--dry-run").says("would be created")
	w.run("status").is(exitLedger)
	w.ok("init", "--no-files")
	w.ok("status").says("No migration is registered yet")
	w.exec(`insert into crossfade.goose_db_version (version_id, is_applied) values (99, true)`)
	w.run("init", "--no-files").is(exitLedger).blames("version 99 is newer")
}

func TestDatabaseMustBeNamed(t *testing.T) {
	t.Parallel()
	w := &world{t: t, env: map[string]string{"USER": "ann"}}
	for _, args := range append(onLedger, []string{"init", "--no-files"}) {
		w.run(args...).is(exitInput).blames("--database-url or CROSSFADE_DATABASE_URL")
	}
}

func TestServerThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := func(change func(*url.URL)) string {
		u, err := url.Parse(w.dsn)
		require.NoError(t, err)
		change(u)
		return u.String()
	}
	for _, c := range []struct{ title, dsn, want string }{
		{"nobody listens", "postgres://ann:hush-hush@127.0.0.1:1/shop", "the server cannot be reached: check host and port"},
		{"unknown host", "postgres://ann:hush-hush@no.such.host.invalid/shop", "the server cannot be reached"},
		{"no such database", at(func(u *url.URL) { u.Path = "/no_such_database" }), "the database does not exist"},
		{"user refused", at(func(u *url.URL) { u.User = url.UserPassword("nobody_here", "hush-hush") }), "the server refuses the user"},
	} {
		t.Run(c.title, func(t *testing.T) {
			for _, args := range append(onLedger, []string{"init", "--no-files"}) {
				o := w.run(append(args, "--database-url", c.dsn)...)
				require.Equal(t, exitServer, o.code, o.err)
				assert.Contains(t, o.err, c.want)
				assert.NotContains(t, o.err, "hush")
			}
		})
	}
}

func TestReadOnlyServerIsReadAndNotChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u, err := url.Parse(w.dsn)
	require.NoError(t, err)
	settings := u.Query()
	settings.Set("default_transaction_read_only", "on")
	u.RawQuery = settings.Encode()
	w.env[databaseVariable] = u.String()
	for _, args := range [][]string{{"status"}, {"history", name}, {"mismatches", name}, {"init", "--no-files"}, {"step", name, "dual", "--dry-run"}} {
		w.ok(args...)
	}
	for _, args := range [][]string{
		{"step", name, "dual"},
		{"pin", name, "acme", "--stage", "dual"},
		{"verify", name, "--detach"},
		{"init", "--entity", "orders", "--from", "v1", "--to", "v2"},
	} {
		w.run(args...).is(exitServer).blames("the server is read-only: name the primary")
	}
	w.exec(`drop schema crossfade cascade`)
	w.run("init", "--no-files").is(exitServer).blames("the server is read-only")
}

func TestServerOutOfConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`create role crossfade_full_house login password 'hush-hush' connection limit 0`)
	t.Cleanup(func() { w.exec(`drop role crossfade_full_house`) })
	u, err := url.Parse(w.dsn)
	require.NoError(t, err)
	u.User = url.UserPassword("crossfade_full_house", "hush-hush")
	w.run("status", "--database-url", u.String()).is(exitServer).blames("the server has no connection left")
}

func TestServerGoneInTheMiddle(t *testing.T) {
	t.Parallel()
	server, err := pgtest.Start(t.Context(), &pgtest.Config{Own: true, InMemory: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close(context.Background())) })
	dsn, err := server.CreateDatabase(t.Context(), "shop", "")
	require.NoError(t, err)
	require.NoError(t, ledger.Migrate(t.Context(), dsn))
	w := onDatabase(t, dsn)
	_, err = w.store.Register(t.Context(), customers, "")
	require.NoError(t, err)

	waited := w.start(nil, "backfill", name)
	waited.until("waiting for a worker")
	left := w.start(func(a *app) { a.outage = time.Millisecond }, "backfill", name, "--follow")
	left.until("waiting for a worker")
	w.process(7, 1)
	stepping := w.start(nil, "step", name, "dual")
	stepping.until("waiting for 1 process: shop[7]@web-1")
	watching := w.start(nil, "status", name, "--watch", "--every", "10ms")
	watching.until("epoch 2")

	require.NoError(t, server.Stop(t.Context(), "fast"))
	left.ends().is(exitServer).blames("stopped following job 1, which may go on")
	stepping.ends().is(exitUnsettled).blames("the new policy is in force, but not settled", "the connection to the server was lost")
	watching.until("The last look failed")
	w.run("status").is(exitServer).blames("the server cannot be reached")

	require.NoError(t, server.Start(t.Context()))
	require.Eventually(t, func() bool { return w.store.CancelJob(context.Background(), 1, "test", "") == nil }, time.Minute, 10*time.Millisecond)
	waited.ends().is(exitFailure).blames("backfill job 1 was cancelled")
	watching.cancel()
	watching.ends().is(exitInterrupted)
}

// A password may stand in any part of a DSN that cannot be read.
func TestPasswordsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	w := &world{t: t, env: map[string]string{"USER": "ann"}}
	for _, dsn := range []string{
		"postgres://ann:hush-hush@127.0.0.1:1/shop",
		"postgres://ann:hush-hush@127.0.0.1:port/shop",
		"postgres://ann:hush-hush@127.0.0.1:99999999/shop",
		"postgres://ann:hush%zz-hush@127.0.0.1/shop",
		"postgres://ann:12/hush-hush@127.0.0.1/shop",
		"postgres://ann:a/hush-hush@127.0.0.1/shop",
		"postgres://ann:12?hush-hush@127.0.0.1/shop",
		"postgres://ann:12#hush-hush@127.0.0.1/shop",
		"postgres://ann:hush-hush #x@127.0.0.1/shop",
		"postgres://ann:no:hush-hush@127.0.0.1:y/shop",
		"postgres://ann:no@hush-hush@127.0.0.1:y/shop",
		"postgres://127.0.0.1:1/shop?password=hush-hush",
		"postgres://127.0.0.1:1/shop?password=hush-hush&sslmode=maybe",
		"postgres://127.0.0.1:x/shop?sslpassword=hush-hush",
		"host=127.0.0.1 port=1 user=ann password=hush-hush",
		"host=127.0.0.1 port=x password='hush-hush hush'",
		"host=127.0.0.1 password='hush-hush",
		"host=127.0.0.1 sslmode=maybe password = hush-hush",
		"password=no hush-hush host=127.0.0.1",
		"host=127.0.0.1 sslmode=verify-full sslrootcert=/no/such/file password=hush-hush",
		"hush-hush",
	} {
		for _, args := range [][]string{
			{"status", "--database-url", dsn},
			{"init", "--no-files", "--database-url", dsn, "--json"},
			{"step", name, "dual", "--database-url", dsn},
		} {
			o := w.run(args...)
			assert.Contains(t, []int{exitInput, exitServer}, o.code, dsn)
			assert.NotContains(t, o.out+o.err, "hush", dsn)
		}
		w.env[databaseVariable] = dsn
		assert.NotContains(t, w.run("status").err, "hush", dsn)
		delete(w.env, databaseVariable)
	}
	w.run("status", "--database-url", "host=x sslmode=maybe").is(exitInput).blames("--database-url cannot be read as a DSN", "sslmode is invalid")
	w.env[databaseVariable] = "postgres://u:p@127.0.0.1:x/shop"
	w.run("status").is(exitInput).blames("CROSSFADE_DATABASE_URL cannot be read as a DSN", "invalid port")
}

// A DSN in the place of a name comes back in the error, but without its password.
func TestPasswordInTheWrongPlaceIsNotPrinted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, dsn := range []string{"postgres://ann:hush-hush@db/shop", "postgres://ann:a@b:hush-hush@db/shop", "host=db password=hush-hush", "host=db password='hush hush'"} {
		for _, args := range [][]string{{dsn}, {"status", dsn}, {"step", name, dsn}, {"history", name, dsn}, {"step", name, "dual", "--percent", dsn}} {
			o := w.run(args...).is(exitInput)
			assert.NotContains(t, o.err, "hush", args)
			assert.NotContains(t, w.run(append(args, "--json")...).err, "hush", args)
		}
	}
}
