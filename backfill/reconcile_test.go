package backfill_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

func fails(context.Context, int64) error { return errBoom }

func works(context.Context, int64) error { return nil }

// markStale records keys as stale, as a write whose one side failed.
func (w *world) markStale(side string, keys ...string) {
	w.t.Helper()
	w.exec(`insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause)
		select id, $1, $2, k, epoch, 'test' from crossfade.migrations, unnest($3::text[]) k`, acme, side, keys)
}

func TestRepairTakesItsDirectionFromTheRecord(t *testing.T) {
	for _, tc := range []struct {
		stage    flags.Stage
		side     string
		oldAfter string
		newAfter string
		stays    bool
	}{
		{stage: flags.Old, side: "new", oldAfter: "of old", newAfter: "of new", stays: true},
		{stage: flags.Old, side: "old", oldAfter: "of old", newAfter: "of new", stays: true},
		{stage: flags.Dual, side: "new", oldAfter: "of old", newAfter: "of old"},
		{stage: flags.Dual, side: "old", oldAfter: "of old", newAfter: "of new", stays: true},
		{stage: flags.Shadow, side: "new", oldAfter: "of old", newAfter: "of old"},
		{stage: flags.Shadow, side: "old", oldAfter: "of old", newAfter: "of new", stays: true},
		{stage: flags.Live, side: "new", oldAfter: "of old", newAfter: "of old"},
		{stage: flags.Live, side: "old", oldAfter: "of new", newAfter: "of new"},
		{stage: flags.RampDown, side: "new", oldAfter: "of old", newAfter: "of new", stays: true},
		{stage: flags.RampDown, side: "old", oldAfter: "of new", newAfter: "of new"},
		{stage: flags.New, side: "new", oldAfter: "of old", newAfter: "of new", stays: true},
		{stage: flags.New, side: "old", oldAfter: "of old", newAfter: "of new", stays: true},
	} {
		for _, key := range []string{"1", "*"} {
			t.Run(tc.stage.String()+", stale on "+tc.side+", key "+key, func(t *testing.T) {
				bothWays(t, tc.stage, func(t *testing.T, w *world, e backfill.Entity) {
					w.exec("insert into notes_v1 (tenant, id, body) values ($1, 1, 'of old')", acme)
					w.exec("insert into notes_v2 (tenant, id, title, rest) values ($1, 1, 'of', ' new')", acme)
					w.markStale(tc.side, key)
					job := w.do(w.workerOf(e), ledger.JobReconcile)
					assert.Equal(t, tc.oldAfter, w.text("notes_v1", 1))
					assert.Equal(t, tc.newAfter, w.text("notes_v2", 1))
					assert.Equal(t, tc.stays, len(w.stale()) == 1, "the record")
					assert.Equal(t, tc.stays, job.State == ledger.JobFailed, job.Error)
				})
			})
		}
	}
}

func TestRepairDeletesWhatTheSourceLacks(t *testing.T) {
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		require.NoError(t, w.notes.Save(t.Context(), acme, note{ID: 1, Text: "one"}))
		w.new.on("Delete", fails)
		require.NoError(t, w.notes.Delete(t.Context(), acme, 1))
		w.new.on("Delete", works)
		require.Equal(t, []string{"new:1"}, w.stale())
		job := w.do(w.workerOf(e), ledger.JobReconcile)
		assert.Equal(t, ledger.JobDone, job.State, job.Error)
		assert.EqualValues(t, 1, job.KeysChanged)
		assert.Equal(t, "absent", w.text("notes_v2", 1))
		assert.Empty(t, w.stale())
	})
}

func TestWriteByPredicateThatWasMissedIsRepairedOverTheWholeTenant(t *testing.T) {
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		w.fill(acme, 35)
		require.Equal(t, ledger.JobDone, w.do(w.workerOf(e), ledger.JobBackfill).State)
		w.new.on("SeeAll", fails)
		require.NoError(t, w.notes.SeeAll(t.Context(), acme))
		require.Equal(t, []string{"new:*"}, w.stale())
		w.exec("delete from notes_v1 where id = 7") // and an orphan among them
		require.Equal(t, ledger.JobDone, w.do(w.workerOf(e), ledger.JobReconcile).State)
		assert.Empty(t, w.stale())
		w.equal()
	})
}

// The record of a write that is missed while the tenant is being repaired is
// another record, and stays.
func TestRepairDeletesExactlyTheRecordThatItRead(t *testing.T) {
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		w.fill(acme, 35)
		require.Equal(t, ledger.JobDone, w.do(w.workerOf(e), ledger.JobBackfill).State)
		w.markStale("new", "*")
		w.new.on("SeeAll", fails)
		// The write is missed once the walk has passed its first keys; the
		// trigger puts its record out of the job's reach.
		w.exec(`create function later() returns trigger language plpgsql as $$ begin new.tried_at = now() + interval '1 hour'; return new; end $$;
			create trigger later before insert on crossfade.stale_keys for each row execute function later()`)
		worker := w.workerOf(e, func(c *backfill.Config) { c.KeysPerSecond = 50 }) // so that the write comes in between
		w.exec(`create function tick() returns trigger language plpgsql as $$ begin perform pg_notify('tick', ''); return null; end $$;
			create trigger tick after update on notes_v2 for each statement execute function tick()`)
		conn, err := w.pool.Acquire(t.Context())
		require.NoError(t, err)
		_, err = conn.Exec(t.Context(), "listen tick")
		require.NoError(t, err)
		var tasks sync.WaitGroup
		tasks.Go(func() {
			defer conn.Release()
			_, err := conn.Conn().WaitForNotification(t.Context())
			assert.NoError(t, err)
			assert.NoError(t, w.notes.SeeAll(t.Context(), acme))
			_, err = conn.Exec(t.Context(), "unlisten *")
			assert.NoError(t, err)
		})
		require.Equal(t, ledger.JobDone, w.do(worker, ledger.JobReconcile).State)
		tasks.Wait()
		assert.Equal(t, []string{"new:*"}, w.stale(), "the later one")
		w.exec("drop trigger later on crossfade.stale_keys; update crossfade.stale_keys set tried_at = null")
		require.Equal(t, ledger.JobDone, w.do(worker, ledger.JobReconcile).State)
		assert.Empty(t, w.stale())
		w.equal()
	})
}

func TestKeyThatCannotBeCopiedStaysIsShownAndIsTriedLessAndLess(t *testing.T) {
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		w.exec("create unique index one_title on notes_v2 (title)")
		w.exec("insert into notes_v1 (tenant, id, body) values ('acme', 1, 'same'), ('acme', 2, 'same'), ('acme', 3, 'other')")
		w.markStale("new", "1", "2", "3")
		worker := w.workerOf(e)
		job := w.do(worker, ledger.JobReconcile)
		assert.Equal(t, ledger.JobFailed, job.State)
		assert.Equal(t, "notes-v2: 2 stale keys repaired, 1 cannot be copied: their records say why", job.Error)
		assert.Equal(t, []string{"2 1 SQLSTATE 23505, constraint one_title, table public.notes_v2"},
			w.list("select key || ' ' || attempts || ' ' || last_error from crossfade.stale_keys"))

		w.do(worker, ledger.JobReconcile)
		assert.Equal(t, []string{"2 2"}, w.list("select key || ' ' || attempts from crossfade.stale_keys"), "a job tries again at once")

		// By itself it is tried when its time has come.
		m, err := w.store.Migration(t.Context(), migrationName)
		require.NoError(t, err)
		claimed, err := w.store.ClaimStale(t.Context(), m, ledger.StaleClaim{})
		require.NoError(t, err)
		assert.Empty(t, claimed)
		w.exec("update crossfade.stale_keys set tried_at = now() - interval '1900 milliseconds'")
		claimed, err = w.store.ClaimStale(t.Context(), m, ledger.StaleClaim{})
		require.NoError(t, err)
		assert.Empty(t, claimed, "two seconds after the second attempt")
		w.exec("update crossfade.stale_keys set tried_at = now() - interval '2 seconds'")
		claimed, err = w.store.ClaimStale(t.Context(), m, ledger.StaleClaim{})
		require.NoError(t, err)
		assert.Len(t, claimed, 1)

		w.exec("update notes_v1 set body = 'mended' where id = 2")
		assert.Equal(t, ledger.JobDone, w.do(worker, ledger.JobReconcile).State)
		assert.Empty(t, w.stale())
		w.equal()
	})
}

func TestStaleKeysAreRepairedWithoutAnyJob(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.new.on("Save", fails)
	for id := range int64(120) {
		require.NoError(t, w.notes.Save(t.Context(), acme, note{ID: id, Text: "missed"}))
	}
	w.new.on("Save", works)
	require.Len(t, w.stale(), 120)
	ctx, cancel := context.WithCancel(t.Context())
	var tasks sync.WaitGroup
	for range 2 { // two processes do not disturb each other
		worker := w.another().worker(func(c *backfill.Config) { c.ReconcileEvery = 2 * time.Millisecond })
		tasks.Go(func() { assert.NoError(t, worker.Run(ctx)) })
	}
	until(t, func() bool { return len(w.stale()) == 0 })
	cancel()
	tasks.Wait()
	w.equal()
}

func TestKeyThatIsStaleOnBothSidesIsLeftAlone(t *testing.T) {
	w := newWorld(t, flags.Live)
	w.exec("insert into notes_v1 (tenant, id, body) values ($1, 1, 'of old')", acme)
	w.exec("insert into notes_v2 (tenant, id, title, rest) values ($1, 1, 'of', ' new')", acme)
	w.markStale("new", "1")
	w.markStale("old", "1")
	job := w.do(w.worker(), ledger.JobReconcile)
	assert.Equal(t, ledger.JobFailed, job.State)
	assert.Equal(t, "of old", w.text("notes_v1", 1))
	assert.Equal(t, "of new", w.text("notes_v2", 1))
	assert.Len(t, w.stale(), 2)
}

func TestReconcileOfOneTenantLeavesTheOthers(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.tenants = []string{acme, "beta"}
	w.new.on("Save", fails)
	for _, tenant := range w.tenants {
		require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: tenant}))
	}
	w.new.on("Save", works)
	assert.Equal(t, ledger.JobDone, w.do(w.worker(), ledger.JobReconcile, "beta").State)
	assert.Equal(t, []string{acme}, w.list("select tenant from crossfade.stale_keys"))
}
