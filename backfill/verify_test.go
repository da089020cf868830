package backfill_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// backfilled is a tenant whose sides are equal.
func (w *world) backfilled(e backfill.Entity, n int) {
	w.t.Helper()
	w.fill(acme, n)
	job := w.do(w.workerOf(e), ledger.JobBackfill)
	require.Equal(w.t, ledger.JobDone, job.State, job.Error)
}

func (w *world) mismatches() []string {
	w.t.Helper()
	return w.list("select key || ' ' || field || ' ' || kind || ' ' || operation || ' ' || stage from crossfade.mismatches where resolved_at is null order by key::bigint, field")
}

func TestVerificationFindsEveryDifferenceAndMarksTheTenantAsNotVerified(t *testing.T) {
	bothWays(t, flags.Shadow, func(t *testing.T, w *world, e backfill.Entity) {
		w.backfilled(e, 95)
		fields := []string{"Seen", "Text"}
		if strings.HasSuffix(t.Name(), "SQL") {
			fields = []string{"body", "seen"}
		}
		require.Equal(t, ledger.JobDone, w.do(w.workerOf(e), ledger.JobVerify).State)
		require.Equal(t, "backfilled true, verified true, old complete true", w.state(acme))

		w.exec(`update notes_v2 set rest = ' but another', seen = 5 where id = 11;
			delete from notes_v2 where id = 42; insert into notes_v2 values ('acme', 0, 'an', ' orphan'), ('acme', 1000, 'an', ' orphan')`)
		job := w.do(w.workerOf(e), ledger.JobVerify)
		assert.Equal(t, ledger.JobDone, job.State, job.Error)
		assert.EqualValues(t, 4, job.Differing)
		assert.Equal(t, []string{
			"0  extra verify shadow", "11 " + fields[0] + " value verify shadow", "11 " + fields[1] + " value verify shadow",
			"42  missing verify shadow", "1000  extra verify shadow",
		}, w.mismatches())
		assert.Equal(t, "backfilled true, verified false, old complete true", w.state(acme))
		for _, value := range w.list("select served || other from crossfade.mismatches") {
			assert.NotContains(t, value, "another", "values are redacted")
		}

		require.Equal(t, ledger.JobDone, w.do(w.workerOf(e), ledger.JobBackfill).State)
		job = w.do(w.workerOf(e), ledger.JobVerify)
		assert.Zero(t, job.Differing)
		assert.Empty(t, w.mismatches(), "a clean verification closes what earlier ones found")
		assert.Equal(t, "backfilled true, verified true, old complete true", w.state(acme))
	})
}

func TestVerificationRepairsStaleKeysFirst(t *testing.T) {
	bothWays(t, flags.Shadow, func(t *testing.T, w *world, e backfill.Entity) {
		w.backfilled(e, 25)
		w.new.on("Save", fails)
		require.NoError(t, w.notes.Save(t.Context(), acme, note{ID: 3, Text: "missed"}))
		w.new.on("Save", works)
		job := w.do(w.workerOf(e), ledger.JobVerify)
		assert.Equal(t, ledger.JobDone, job.State, job.Error)
		assert.Zero(t, job.Differing+job.Inconclusive)
		assert.Empty(t, w.stale())
		w.equal()
	})
}

func TestStaleKeyThatCannotBeRepairedIsInconclusiveAndNeverAMismatch(t *testing.T) {
	bothWays(t, flags.Shadow, func(t *testing.T, w *world, e backfill.Entity) {
		w.backfilled(e, 25)
		w.exec("create unique index one_rest on notes_v2 (rest)")
		w.exec("update notes_v1 set body = 'note 4 of acme' where id = 3")
		w.markStale("new", "3")
		job := w.do(w.workerOf(e), ledger.JobVerify)
		assert.Equal(t, ledger.JobFailed, job.State)
		assert.Equal(t, `notes-v2: nothing can be said about 1 keys of tenant "acme", which are stale or cannot be compared: reconcile, then verify again`, job.Error)
		assert.EqualValues(t, 1, job.Inconclusive)
		assert.Zero(t, job.Differing)
		assert.Empty(t, w.mismatches())
		assert.Equal(t, "backfilled true, verified false, old complete true", w.state(acme))
	})
}

func TestSideThatCannotBeReadIsInconclusive(t *testing.T) {
	w := newWorld(t, flags.Shadow)
	w.backfilled(backfill.ByRoute(w.notes.route), 25)
	w.new.on("Get", func(_ context.Context, id int64) error {
		switch id {
		case 7:
			return errBoom
		case 8:
			panic("a value")
		}
		return nil
	})
	job := w.do(w.worker(), ledger.JobVerify)
	assert.Equal(t, ledger.JobFailed, job.State)
	assert.EqualValues(t, 2, job.Inconclusive)
	assert.EqualValues(t, 25, job.KeysDone)
}

func TestVerificationNeedsABackfill(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.fill(acme, 3)
	job := w.do(w.worker(), ledger.JobVerify)
	assert.Equal(t, ledger.JobFailed, job.State)
	assert.Equal(t, `notes-v2: tenant "acme" is not backfilled: run a backfill first`, job.Error)
	assert.Empty(t, w.mismatches())
}

// While everybody writes both sides, whatever the traffic, verification finds
// nothing; rows that the sides disagree on in between would be a race.
func TestVerificationReportsNoRaceUnderTraffic(t *testing.T) {
	bothWays(t, flags.Shadow, func(t *testing.T, w *world, e backfill.Entity) {
		w.backfilled(e, 60)
		ctx, cancel := context.WithCancel(t.Context())
		var tasks sync.WaitGroup
		for writer := range int64(3) {
			tasks.Go(func() {
				for i := int64(0); ctx.Err() == nil; i++ {
					id := (i*7+writer*13)%80 + 1
					if i%3 == 0 {
						err := w.notes.Delete(ctx, acme, id)
						assert.True(t, err == nil || ctx.Err() != nil || err.Error() == errNoNote.Error(), "%v", err)
						continue
					}
					err := w.notes.Save(ctx, acme, note{ID: id, Text: "written " + text(i), Seen: writer})
					assert.True(t, err == nil || ctx.Err() != nil, "%v", err)
				}
			})
		}
		for range 5 {
			job := w.do(w.workerOf(e), ledger.JobVerify)
			assert.Equal(t, ledger.JobDone, job.State, job.Error)
			assert.Zero(t, job.Differing)
		}
		cancel()
		tasks.Wait()
		assert.Empty(t, w.mismatches())
		w.equal()
	})
}

// A tenant that steps down to old in the middle: what is then written on one
// side alone is no mismatch.
func TestVerificationIsNotFooledByAStepDown(t *testing.T) {
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		w.backfilled(e, 45)
		id := w.request(ledger.JobVerify)
		w.exec(`create function down() returns trigger language plpgsql as $$ begin perform pg_notify('down', ''); return null; end $$;
			create trigger down after insert on crossfade.checkpoints for each statement execute function down()`)
		conn, err := w.pool.Acquire(t.Context())
		require.NoError(t, err)
		_, err = conn.Exec(t.Context(), "listen down")
		require.NoError(t, err)
		var tasks sync.WaitGroup
		tasks.Go(func() {
			defer conn.Release()
			_, err := conn.Conn().WaitForNotification(t.Context())
			assert.NoError(t, err)
			other := w.another() // the worker's process hears of it only by asking
			other.publish(flags.Policy{Default: flags.Old}, ledger.Effects{NotCopied: []string{"", acme}})
			assert.NoError(t, other.set.Flag(migrationName).Refused(t.Context(), flags.Subject{}, flags.Decision{}))
			for i := range int64(45) {
				assert.NoError(t, other.notes.Save(t.Context(), acme, note{ID: i + 1, Text: "at old"}))
			}
			_, err = conn.Exec(t.Context(), "unlisten *")
			assert.NoError(t, err)
		})
		require.NoError(t, w.workerOf(e, func(c *backfill.Config) { c.ChunkKeys, c.KeysPerSecond = 2, 60 }).RunPending(t.Context()))
		tasks.Wait()
		job := w.job(id)
		assert.Equal(t, ledger.JobFailed, job.State)
		assert.Contains(t, job.Error, "stands at old")
		assert.Empty(t, w.mismatches())
		assert.Equal(t, "backfilled false, verified false, old complete true", w.state(acme))
	})
}

func TestVerificationGoesOnFromItsCheckpoint(t *testing.T) {
	bothWays(t, flags.Shadow, func(t *testing.T, w *world, e backfill.Entity) {
		w.backfilled(e, 195)
		w.exec("update notes_v2 set seen = 5 where id in (1, 190)")
		w.exec("truncate crossfade.checkpoints")
		id := w.request(ledger.JobVerify)
		w.interrupted(e, func() bool { return w.checkpointed() < 195 })
		require.NoError(t, w.store.ResumeJob(t.Context(), id))
		w.exec("update notes_v2 set seen = 0 where id = 1") // not looked at again
		require.NoError(t, w.workerOf(e).RunPending(t.Context()))
		assert.EqualValues(t, 2, w.job(id).Differing)
		assert.EqualValues(t, 195, w.job(id).KeysDone)
	})
}

func TestRulesOfTheComparisonHold(t *testing.T) {
	w := newWorld(t, flags.Shadow)
	w.backfilled(backfill.ByRoute(w.notes.route), 5)
	w.exec("update notes_v2 set seen = 5 where id = 1")
	rules, err := compare.NewRules(compare.Rules{Ignore: []string{"Seen"}})
	require.NoError(t, err)
	job := w.do(w.worker(func(c *backfill.Config) { c.Rules = rules }), ledger.JobVerify)
	assert.Zero(t, job.Differing)
	assert.Equal(t, "backfilled true, verified true, old complete true", w.state(acme))
}
