package backfill_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// The application locked a row of the new side and then calls the repository:
// the chunk holds the key's lock and wants the row. The chunk gives way before
// the server looks for somebody to abort, which might be the application.
func TestApplicationThatLockedARowFirstIsNeverAborted(t *testing.T) {
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		w.fill(acme, 30)
		w.exec("insert into notes_v2 (tenant, id, title, rest) values ($1, 5, 'stale', '')", acme)
		id := w.request(ledger.JobBackfill)
		worker := w.workerOf(e)
		var tasks sync.WaitGroup
		require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
			if _, err := tx.Exec(ctx, "select from notes_v2 where id = 5 for update"); err != nil {
				return err
			}
			tasks.Go(func() { assert.NoError(t, worker.RunPending(context.Background())) })
			w.waitBlocked() // the chunk waits for the row
			return notes{w.notes.route.InTx(tx)}.Save(ctx, acme, note{ID: 5, Text: "by the application"})
		}))
		tasks.Wait()
		assert.Equal(t, ledger.JobDone, w.job(id).State, w.job(id).Error)
		assert.Equal(t, "by the application", w.text("notes_v2", 5))
		w.equal()
	})
}

// The same where the application waits first, so that it is the application
// whom the server would abort.
func TestApplicationThatWaitsFirstIsNeverAborted(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.fill(acme, 10)
	w.exec("insert into notes_v2 (tenant, id, title, rest) values ($1, 5, 'stale', '')", acme)
	other := w.another() // the worker's process
	locked := make(chan struct{})
	var once sync.Once
	other.new.on("Save", func(_ context.Context, id int64) error {
		if id == 5 { // the chunk holds the keys' locks
			once.Do(func() {
				close(locked)
				w.waitBlocked()
			})
		}
		return nil
	})
	id := w.request(ledger.JobBackfill)
	var tasks sync.WaitGroup
	require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, "select from notes_v2 where id = 5 for update"); err != nil {
			return err
		}
		tasks.Go(func() { assert.NoError(t, other.worker().RunPending(context.Background())) })
		<-locked
		return notes{w.notes.route.InTx(tx)}.Save(ctx, acme, note{ID: 5, Text: "by the application"})
	}))
	tasks.Wait()
	assert.Equal(t, ledger.JobDone, w.job(id).State, w.job(id).Error)
	w.equal()
}

func TestBackfillUnderTrafficEndsWithEqualSides(t *testing.T) {
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		w.fill(acme, 150)
		w.exec("insert into notes_v2 (tenant, id, title, rest) select 'acme', i, 'orphan', '' from generate_series(100, 250) i")
		ctx, cancel := context.WithCancel(t.Context())
		var tasks sync.WaitGroup
		for writer := range int64(3) {
			tasks.Go(func() {
				for i := int64(0); ctx.Err() == nil; i++ {
					id := (i*17+writer*5)%240 + 1
					err := w.notes.Save(ctx, acme, note{ID: id, Text: "written " + text(i), Seen: i})
					if i%4 == 0 {
						err = w.notes.Delete(ctx, acme, id)
					}
					assert.True(t, err == nil || ctx.Err() != nil || err.Error() == errNoNote.Error(), "%v", err)
				}
			})
		}
		for range 3 {
			job := w.do(w.workerOf(e), ledger.JobBackfill)
			assert.Equal(t, ledger.JobDone, job.State, job.Error)
		}
		cancel()
		tasks.Wait()
		w.equal()
		assert.Empty(t, w.stale())
	})
}

// Two rows swapped a unique value at old. One by one neither could be copied.
func TestSwappedUniqueValues(t *testing.T) {
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		w.fill(acme, 20)
		w.backfilled(e, 0)
		w.exec("update notes_v1 set body = case id when 4 then 'note 17 of acme' else 'note 4 of acme' end where id in (4, 17)")

		t.Run("are copied together where the constraint is deferrable", func(t *testing.T) {
			w.exec("alter table notes_v2 add constraint one_text unique (tenant, title, rest) deferrable")
			job := w.do(w.workerOf(e, func(c *backfill.Config) { c.ChunkKeys = 20 }), ledger.JobBackfill)
			assert.Equal(t, ledger.JobDone, job.State, job.Error)
			w.equal()
		})
		t.Run("are repaired together where they lie in two chunks", func(t *testing.T) {
			w.exec("update notes_v1 set body = case id when 17 then 'note 17 of acme' else 'note 4 of acme' end where id in (4, 17)")
			job := w.do(w.workerOf(e), ledger.JobBackfill)
			assert.Equal(t, ledger.JobDone, job.State, job.Error)
			w.equal()
			assert.Empty(t, w.stale())
		})
		t.Run("are shown where it is not", func(t *testing.T) {
			w.exec("alter table notes_v2 drop constraint one_text, add constraint one_text unique (tenant, title, rest)")
			w.exec("update notes_v1 set body = case id when 4 then 'note 17 of acme' else 'note 4 of acme' end where id in (4, 17)")
			job := w.do(w.workerOf(e), ledger.JobBackfill)
			assert.Equal(t, ledger.JobFailed, job.State)
			assert.Contains(t, job.Error, "constraint one_text")
			assert.Equal(t, []string{"new:4", "new:17"}, w.stale())
		})
	})
}

// A unique value that a deleted row's orphan still holds is free at the end.
func TestUniqueValueOfAnOrphanIsCopiedOnceTheOrphanIsGone(t *testing.T) {
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		w.fill(acme, 20)
		w.exec("alter table notes_v2 add constraint one_text unique (tenant, title, rest)")
		w.exec("insert into notes_v2 (tenant, id, title, rest) values ($1, 99, 'note', ' 3 of acme')", acme)
		job := w.do(w.workerOf(e), ledger.JobBackfill)
		assert.Equal(t, ledger.JobDone, job.State, job.Error)
		assert.Empty(t, w.stale())
		w.equal()
	})
}

// Rows that are made as fast as they are copied are written on both sides by
// those who make them: the walk does not follow them.
func TestBackfillEndsAlthoughRowsKeepComing(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.fill(acme, 1000)
	var last atomic.Int64
	last.Store(1000)
	more := func(context.Context, int64) error { // more than a page holds
		_, err := w.pool.Exec(context.Background(), `with ids as (select generate_series($1::bigint, $1 + 119) as id), o as (insert into notes_v1 (tenant, id, body) select 'acme', id, 'new' from ids)
			insert into notes_v2 (tenant, id, title, rest) select 'acme', id, 'new', '' from ids`, last.Add(120)-119)
		return err
	}
	w.old.on("Keys", more)
	w.new.on("Keys", more)
	job := w.do(w.worker(), ledger.JobBackfill)
	assert.Equal(t, ledger.JobDone, job.State, job.Error)
	assert.Less(t, job.KeysDone, last.Load())
	w.equal()
}

func TestChunksAboveTheLimitOfKeyLocksLockTheTenant(t *testing.T) {
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		w.fill(acme, 700)
		job := w.do(w.workerOf(e, func(c *backfill.Config) { c.ChunkKeys = 300 }), ledger.JobBackfill)
		assert.Equal(t, ledger.JobDone, job.State, job.Error)
		w.equal()
	})
}

// A lock that others hold makes the chunk smaller, so that only its own key
// waits; the rest is copied meanwhile.
func TestChunkThatMeetsLocksOfOthersIsHalved(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.fill(acme, 30)
	commit := w.open(func(ctx context.Context, tx *postgres.Tx) error {
		return notes{w.notes.route.InTx(tx)}.Save(ctx, acme, note{ID: 8, Text: "open"})
	})
	id := w.request(ledger.JobBackfill)
	var tasks sync.WaitGroup
	tasks.Go(func() {
		assert.NoError(t, w.worker(func(c *backfill.Config) { c.LockTimeout = 5 * time.Millisecond }).RunPending(context.Background()))
	})
	until(t, func() bool { return w.checkpointed() == 7 })
	commit()
	tasks.Wait()
	assert.Equal(t, ledger.JobDone, w.job(id).State, w.job(id).Error)
	w.equal()
}

func TestLockTimeoutStaysBelowTheServersDeadlockTimeout(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.fill(acme, 3)
	timeouts := make(chan string, 10)
	w.new.on("Save", func(context.Context, int64) error {
		timeouts <- w.one("select count(*)::text from pg_stat_activity where datname = current_database() and state = 'idle in transaction'")
		return nil
	})
	w.exec("do $$ begin execute format('alter database %I set deadlock_timeout = 40', current_database()); end $$")
	w.pool.Reset()
	w.exec(`create function check_timeout() returns trigger language plpgsql as $$ begin
		if current_setting('lock_timeout') <> '20ms' then raise exception 'lock_timeout is %', current_setting('lock_timeout'); end if; return new; end $$;
		create trigger check_timeout before insert on notes_v2 for each row execute function check_timeout()`)
	job := w.do(w.worker(), ledger.JobBackfill)
	assert.Equal(t, ledger.JobDone, job.State, job.Error)
	close(timeouts)
	assert.Equal(t, "1", <-timeouts)
}

func TestReverseBackfillMakesTheOldSideComplete(t *testing.T) {
	bothWays(t, flags.New, func(t *testing.T, w *world, e backfill.Entity) {
		w.exec("insert into notes_v1 (tenant, id, body) values ($1, 1, 'out of date'), ($1, 2, 'orphan')", acme)
		for id := range int64(25) {
			require.NoError(t, w.notes.Save(t.Context(), acme, note{ID: id + 3, Text: "written at new"}))
		}
		w.exec("insert into notes_v2 (tenant, id, title, rest) values ($1, 1, 'a', ' value')", acme)
		job := w.do(w.workerOf(e), ledger.JobBackfill)
		assert.Contains(t, job.Error, "stands at new, where not both sides are written: step it down to rampdown first")

		w.step(flags.RampDown)
		require.Equal(t, "backfilled false, verified false, old complete false", w.state(acme))
		job = w.do(w.workerOf(e), ledger.JobBackfill)
		assert.Equal(t, ledger.JobDone, job.State, job.Error)
		w.equal()
		assert.Equal(t, "a value", w.text("notes_v1", 1))
		assert.Equal(t, "absent", w.text("notes_v1", 2))
		assert.Contains(t, w.state(acme), "old complete true")
		assert.Contains(t, w.state("born later"), "old complete true")
	})
}

// At live the new side has authority; a key that is stale there has its truth
// on the old side, which a reverse backfill must not overwrite.
func TestReverseBackfillAtLiveTakesStaleKeysFromTheOldSide(t *testing.T) {
	bothWays(t, flags.Live, func(t *testing.T, w *world, e backfill.Entity) {
		w.exec("insert into notes_v1 (tenant, id, body) values ($1, 1, 'right'), ($1, 2, 'out of date')", acme)
		w.exec("insert into notes_v2 (tenant, id, title, rest) values ($1, 1, 'missed', ''), ($1, 2, 'right', '')", acme)
		w.markStale("new", "1")
		job := w.do(w.workerOf(e), ledger.JobBackfill)
		assert.Equal(t, ledger.JobDone, job.State, job.Error)
		assert.Equal(t, "right", w.text("notes_v2", 1))
		assert.Equal(t, "right", w.text("notes_v1", 2))
		assert.Empty(t, w.stale())
		w.equal()
	})
}

// A record that the stage does not allow to repair forbids the copy: what the
// old side lacks must not be taken from it.
func TestBackfillDoesNotCopyFromASideThatIsStale(t *testing.T) {
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		w.fill(acme, 12)
		w.exec("insert into notes_v2 (tenant, id, title, rest) values ($1, 5, 'newer', '')", acme)
		w.markStale("old", "5")
		job := w.do(w.workerOf(e), ledger.JobBackfill)
		assert.Equal(t, ledger.JobFailed, job.State)
		assert.Contains(t, job.Error, "a record that the old side is stale, which at dual cannot be repaired")
		assert.Equal(t, "newer", w.text("notes_v2", 5))
		assert.Equal(t, []string{"old:5"}, w.stale())
		assert.Equal(t, "note 12 of acme", w.text("notes_v2", 12), "the others are copied")

		w.markStale("old", "*")
		job = w.do(w.workerOf(e), ledger.JobBackfill)
		assert.Equal(t, ledger.JobFailed, job.State)
		assert.Len(t, w.stale(), 2, "no record for each key")
	})
}

func TestCauseThatHoldsForEveryKeyStopsTheTenantSoon(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.fill(acme, 300)
	w.new.on("Save", fails)
	job := w.do(w.worker(), ledger.JobBackfill)
	assert.Equal(t, ledger.JobFailed, job.State)
	assert.Equal(t, `notes-v2: 101 keys of tenant "acme" cannot be copied, one of them because of an error of type *errors.errorString: mend the cause and request the job again`, job.Error)
	assert.Len(t, w.stale(), 100)
}
