package backfill_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// The names are those of the shortest failures that a model of the ladder shows.

// waitBlocked waits until some session waits for a lock.
func (w *world) waitBlocked() {
	w.t.Helper()
	until(w.t, func() bool {
		return w.one("select count(*)::text from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()") != "0"
	})
}

// open runs write in a transaction of the application's that stays open until
// the returned function is called.
func (w *world) open(write func(ctx context.Context, tx *postgres.Tx) error) (commit func()) {
	w.t.Helper()
	written, done := make(chan struct{}), make(chan struct{})
	var tasks sync.WaitGroup
	tasks.Go(func() {
		assert.NoError(w.t, w.db.InTx(context.Background(), func(ctx context.Context, tx *postgres.Tx) error {
			if err := write(ctx, tx); err != nil {
				return err
			}
			close(written)
			<-done
			return nil
		}))
	})
	<-written
	return func() {
		close(done)
		tasks.Wait()
	}
}

// Failure 2. P1 at dual creates a row on both sides, uncommitted, over an
// orphan that the new side holds; the backfill finds no such row on the old
// side; P1 commits; the backfill deletes the new side's row.
func TestBackfillDoesNotDeleteARowThatIsBeingCreated(t *testing.T) {
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		w.exec("insert into notes_v2 (tenant, id, title, rest) values ($1, 5, 'orphan', '')", acme)
		commit := w.open(func(ctx context.Context, tx *postgres.Tx) error {
			return notes{w.notes.route.InTx(tx)}.Save(ctx, acme, note{ID: 5, Text: "created now"})
		})
		id := w.request(ledger.JobBackfill)
		var tasks sync.WaitGroup
		tasks.Go(func() { assert.NoError(t, w.workerOf(e).RunPending(t.Context())) })
		w.waitBlocked()
		commit()
		tasks.Wait()
		assert.Equal(t, ledger.JobDone, w.job(id).State, w.job(id).Error)
		assert.Equal(t, "created now", w.text("notes_v2", 5))
		w.equal()
	})
}

// Failure 4. P1 acknowledged dual; P2 at old inserts on the old side,
// uncommitted; the backfill passes; P2 commits; the new side lacks the row for
// ever.
func TestBackfillWaitsForTransactionsThatActOnOld(t *testing.T) {
	bothWays(t, flags.Old, func(t *testing.T, w *world, e backfill.Entity) {
		w.fill(acme, 25)
		commit := w.open(func(ctx context.Context, tx *postgres.Tx) error {
			return notes{w.notes.route.InTx(tx)}.Save(ctx, acme, note{ID: 7777, Text: "written at old"})
		})
		w.publish(flags.Policy{Default: flags.Dual}, ledger.Effects{})
		id := w.request(ledger.JobBackfill)
		var tasks sync.WaitGroup
		tasks.Go(func() {
			assert.NoError(t, w.workerOf(e, func(c *backfill.Config) { c.Lease = 30 * time.Millisecond }).RunPending(t.Context()))
		})
		until(t, func() bool {
			return strings.Contains(w.job(id).WaitingFor, "epoch 1, at which some tenant stood at old, is not yet drained") || !w.job(id).Open()
		})
		assert.Zero(t, w.job(id).KeysDone)
		commit()
		tasks.Wait()
		assert.Equal(t, ledger.JobDone, w.job(id).State, w.job(id).Error)
		assert.Equal(t, "written at old", w.text("notes_v2", 7777))
		w.equal()
	})
}

func TestBackfillFailsWhenAProcessStaysOnOld(t *testing.T) {
	w := newWorld(t, flags.Old)
	w.fill(acme, 5)
	m, err := w.store.Migration(t.Context(), migrationName)
	require.NoError(t, err)
	_, err = w.store.Heartbeat(t.Context(), ledger.Beat{
		ID: [16]byte{1}, Name: "shop", Host: "web-3", PID: 4711, Lease: time.Hour,
		Acting: []ledger.Version{{Migration: m.Name, MigrationID: m.ID, Epoch: m.Epoch, PolicyID: m.PolicyID}},
	})
	require.NoError(t, err)
	w.publish(flags.Policy{Default: flags.Old, Overrides: map[string]flags.Stage{acme: flags.Dual}}, ledger.Effects{})

	job := w.do(w.worker(func(c *backfill.Config) { c.SettleTimeout = 50 * time.Millisecond }), ledger.JobBackfill, acme)
	assert.Equal(t, ledger.JobFailed, job.State)
	assert.Equal(t, `notes-v2: epoch 1, at which tenant "acme" stood at old, is not yet acknowledged by every process (still on it: shop[4711]@web-3)`, job.Error)
	assert.Equal(t, "backfilled false, verified false, old complete true", w.state(acme))
}

// Failure 5. P1 at dual creates on both sides; P2 at old deletes on the old
// side; a backfill over the old side's keys never sees it.
func TestBackfillRemovesOrphans(t *testing.T) {
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		require.NoError(t, w.notes.Save(t.Context(), acme, note{ID: 9, Text: "on both"}))
		w.step(flags.Old)
		require.NoError(t, w.notes.Delete(t.Context(), acme, 9))
		w.step(flags.Dual)
		require.Equal(t, "on both", w.text("notes_v2", 9))
		job := w.do(w.workerOf(e), ledger.JobBackfill)
		assert.Equal(t, ledger.JobDone, job.State, job.Error)
		assert.Equal(t, "absent", w.text("notes_v2", 9))
	})
}

// Failure 7. A key that is stale on the new side survives to new; P1 updates
// the new side; the reconciler copies the old one over it.
func TestReconcilerNeverCopiesTheOldSideOverTheNewAtNew(t *testing.T) {
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		w.new.on("Save", func(context.Context, int64) error { return errBoom })
		require.NoError(t, w.notes.Save(t.Context(), acme, note{ID: 1, Text: "old value"}))
		require.Equal(t, []string{"new:1"}, w.stale())
		w.new.on("Save", func(context.Context, int64) error { return nil })
		w.step(flags.New) // no interlock in this test
		require.NoError(t, w.notes.Save(t.Context(), acme, note{ID: 1, Text: "new value"}))

		job := w.do(w.workerOf(e), ledger.JobReconcile)
		assert.Equal(t, "new value", w.text("notes_v2", 1))
		assert.Equal(t, "old value", w.text("notes_v1", 1))
		assert.Equal(t, []string{"new:1"}, w.stale(), "it stays, and is shown")
		assert.Equal(t, ledger.JobFailed, job.State)
		assert.Equal(t, "notes-v2: 0 stale keys repaired, 1 left, as their tenants stand where they cannot be repaired", job.Error)
	})
}

// The same with a worker that decided while the tenant was still at live: the
// fence refuses what it would do, and it decides again.
func TestReconcilerThatDecidedAtLiveIsRefusedAtNew(t *testing.T) {
	w := newWorld(t, flags.Live)
	w.exec("insert into notes_v1 (tenant, id, body) values ($1, 1, 'old value')", acme)
	w.exec("insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause) select id, $1, 'new', '1', epoch, 'test' from crossfade.migrations", acme)
	late := w.another() // has heard of live, and will not hear of new by itself
	require.NoError(t, late.set.Flag(migrationName).Refused(t.Context(), flags.Subject{}, flags.Decision{}))
	w.step(flags.RampDown)
	w.step(flags.New)
	require.NoError(t, w.notes.Save(t.Context(), acme, note{ID: 1, Text: "new value"}))
	late.do(late.worker(), ledger.JobReconcile)
	assert.Equal(t, "new value", w.text("notes_v2", 1))
}

// A backfill that survived dual, old, dual would take keys for done that were
// written at old on one side alone.
func TestTenantThatWasAtOldInBetweenIsCopiedFromTheStart(t *testing.T) {
	for name, forget := range map[string]bool{"and the control plane forgot the checkpoint": true, "and nobody forgot the checkpoint": false} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
				w.fill(acme, 500)
				id := w.request(ledger.JobBackfill)
				w.interrupted(e, func() bool { return w.checkpointed() >= 20 })
				require.NoError(t, w.store.ResumeJob(t.Context(), id))

				effects := ledger.Effects{NotCopied: []string{"", acme}}
				if forget {
					effects.Forget = []string{acme}
				}
				w.publish(flags.Policy{Default: flags.Old}, effects)
				w.settle()
				require.NoError(t, w.notes.Save(t.Context(), acme, note{ID: 1, Text: "written at old"}))
				require.NoError(t, w.notes.Delete(t.Context(), acme, 2))
				w.step(flags.Dual)
				require.Equal(t, "note 1 of acme", w.text("notes_v2", 1), "the new side missed it")

				require.NoError(t, w.workerOf(e).RunPending(t.Context()))
				assert.Equal(t, ledger.JobDone, w.job(id).State, w.job(id).Error)
				w.equal()
			})
		})
	}
}

// The same while the worker is running, between two chunks.
func TestTenantThatWentToOldAndBackBetweenTwoChunksIsCopiedFromTheStart(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.fill(acme, 500)
	var once sync.Once
	w.old.on("Keys", func(context.Context, int64) error {
		if w.checkpointed() < 20 {
			return nil
		}
		once.Do(func() {
			w.step(flags.Old)
			assert.NoError(t, w.notes.Save(context.Background(), acme, note{ID: 1, Text: "written at old"}))
			w.step(flags.Dual)
		})
		return nil
	})
	job := w.do(w.worker(func(c *backfill.Config) { c.Workers = 1 }), ledger.JobBackfill)
	assert.Equal(t, ledger.JobDone, job.State, job.Error)
	assert.Equal(t, "written at old", w.text("notes_v2", 1))
	w.equal()
}

func TestBackfillStopsWhenTheTenantLeavesTheRungs(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.fill(acme, 500)
	var once sync.Once
	w.old.on("Keys", func(context.Context, int64) error {
		if w.checkpointed() >= 20 {
			once.Do(func() { w.step(flags.Old) })
		}
		return nil
	})
	job := w.do(w.worker(), ledger.JobBackfill)
	assert.Equal(t, ledger.JobFailed, job.State)
	assert.Equal(t, `notes-v2: tenant "acme" stands at old, where not both sides are written: step it to dual first, then request the backfill again`, job.Error)
	assert.Equal(t, "backfilled false, verified false, old complete true", w.state(acme))
	assert.Equal(t, "absent", w.text("notes_v2", 500), "nothing was copied after the step")
}

func TestBackfillStopsWhenTheAuthorityTurns(t *testing.T) {
	w := newWorld(t, flags.Shadow)
	w.fill(acme, 500)
	var once sync.Once
	w.old.on("Keys", func(context.Context, int64) error {
		if w.checkpointed() >= 20 {
			once.Do(func() { w.step(flags.Live) })
		}
		return nil
	})
	job := w.do(w.worker(), ledger.JobBackfill)
	assert.Equal(t, ledger.JobFailed, job.State)
	assert.Equal(t, `notes-v2: tenant "acme" went to live, whose authority is the new side, while the old side was being copied: request a new backfill`, job.Error)
}

func TestMarkIsNotSetAfterAStepDown(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.fill(acme, 5)
	// The step comes after the last chunk, while the tenant's end is looked at.
	var once sync.Once
	w.new.on("Keys", func(context.Context, int64) error {
		once.Do(func() { w.step(flags.Old) })
		return nil
	})
	job := w.do(w.worker(), ledger.JobBackfill)
	assert.Equal(t, ledger.JobFailed, job.State)
	assert.Equal(t, "backfilled false, verified false, old complete true", w.state(acme))
	assert.Equal(t, "backfilled false, verified false, old complete true", w.state("anybody else"))
}

var errBoom = errors.New("boom")

// checkpointed is how many keys the checkpoints vouch for.
func (w *world) checkpointed() int {
	w.t.Helper()
	var n int
	require.NoError(w.t, w.pool.QueryRow(context.Background(), "select coalesce(sum(keys_done), 0) from crossfade.checkpoints").Scan(&n))
	return n
}

// interrupted runs the requested job until stop holds between two chunks, and
// then cancels it.
func (w *world) interrupted(e backfill.Entity, stop func() bool) {
	w.t.Helper()
	trigger := `create function cut() returns trigger language plpgsql as $$ begin
		if new.keys_done >= 20 then update crossfade.jobs set state = 'cancelled'; end if; return new; end $$;
		create trigger cut after insert or update on crossfade.checkpoints for each row execute function cut();`
	w.exec(trigger)
	require.NoError(w.t, w.workerOf(e).RunPending(context.Background()))
	require.True(w.t, stop())
	w.exec("drop trigger cut on crossfade.checkpoints; drop function cut()")
}
