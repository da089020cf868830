package backfill_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

// Rows that a subscription applies fire triggers for rows alone, and only those
// that are made for it; the first copy of a table fires those for statements.
func TestCaptureOfRowsThatASubscriptionApplies(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	server, err := pgtest.Start(ctx, &pgtest.Config{Own: true, InMemory: true, Settings: map[string]string{
		"wal_level": "logical", "wal_retrieve_retry_interval": "10ms", "max_worker_processes": "20",
	}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close(ctx)) })
	connect := func(name string) *pgxpool.Pool {
		dsn, err := server.CreateDatabase(ctx, name, "")
		require.NoError(t, err)
		if name == "subscriber" {
			require.NoError(t, ledger.Migrate(ctx, dsn))
		}
		require.NoError(t, tables(ctx, dsn))
		pool, err := pgxpool.New(ctx, dsn)
		require.NoError(t, err)
		t.Cleanup(pool.Close)
		return pool
	}
	publisher := connect("publisher")
	w := openWorld(t, connect("subscriber"))
	w.step(flags.Dual)
	w.capture(flags.OldSide)
	source := &world{t: t, pool: publisher}
	source.exec("insert into notes_v1 values ('acme', 1, 'one'), ('acme', 2, 'two')")
	source.exec("create publication notes for table notes_v1")
	source.exec("select pg_create_logical_replication_slot('notes', 'pgoutput')")
	var dsn string
	require.NoError(t, publisher.QueryRow(ctx, "select $1::text", publisher.Config().ConnString()).Scan(&dsn))
	w.exec("create subscription notes connection '" + dsn + "' publication notes with (create_slot = false, slot_name = 'notes', copy_data = true)")
	t.Cleanup(func() {
		w.exec("alter subscription notes disable")
		w.exec("alter subscription notes set (slot_name = none)")
		w.exec("drop subscription notes")
	})
	has := func(want ...string) {
		t.Helper()
		until(t, func() bool { return len(w.stale()) >= len(want) })
		assert.Equal(t, want, w.recorded())
	}
	until(t, func() bool { return w.text("notes_v1", 2) == "two" })
	assert.Subset(t, w.recorded(), []string{"acme:new:1", "acme:new:2"}, "the first copy")
	source.exec("insert into notes_v1 values ('acme', 3, 'three')")
	has("acme:new:3")
	source.exec("update notes_v1 set body = 'drei' where id = 3")
	has("acme:new:3")
	source.exec("update notes_v1 set id = 4 where id = 3")
	has("acme:new:3", "acme:new:4")
	source.exec("delete from notes_v1 where id = 4")
	has("acme:new:4")
	source.exec("truncate notes_v1")
	has("acme:new:*")
	assert.NotEmpty(t, w.list("select role from crossfade.captures where operation = 'INSERT'"))

	w.mode(flags.OldSide, ledger.CaptureRefuses)
	source.exec("insert into notes_v1 values ('acme', 5, 'refused until it may')")
	until(t, func() bool {
		return w.one("select coalesce((select sum(apply_error_count) from pg_stat_subscription_stats), 1)::text") != "0"
	})
	assert.Equal(t, "absent", w.text("notes_v1", 5))
	w.mode(flags.OldSide, ledger.CaptureRecords)
	has("acme:new:5")
	assert.Equal(t, "refused until it may", w.text("notes_v1", 5))
}
