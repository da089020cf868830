package backfill_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

const (
	workerDSN = "BACKFILL_TEST_DSN"
	workerWay = "BACKFILL_TEST_WAY"
)

// TestWorkerProcess is the worker of another process: the test binary runs
// itself with a database to work on, and is killed. Without one it does nothing.
func TestWorkerProcess(t *testing.T) {
	dsn := os.Getenv(workerDSN)
	if dsn == "" {
		return
	}
	pool, err := pgxpool.New(t.Context(), dsn)
	require.NoError(t, err)
	w := openWorld(t, pool)
	worker := w.workerOf(w.entities()[os.Getenv(workerWay)], func(c *backfill.Config) { c.KeysPerSecond, c.Lease = 3000, 50*time.Millisecond })
	require.NoError(t, worker.Run(context.Background()))
}

// A worker that is killed between any two instructions repeats no chunk and
// loses none: each key is written exactly once.
func TestJobOfAKilledWorkerGoesOnFromItsCheckpoint(t *testing.T) {
	for _, way := range []string{"through the repositories", "in SQL"} {
		t.Run(way, func(t *testing.T) {
			dsn := pgtest.New(t)
			pool, err := pgxpool.New(t.Context(), dsn)
			require.NoError(t, err)
			t.Cleanup(pool.Close)
			w := openWorld(t, pool)
			w.step(flags.Dual)
			w.fill(acme, 2000)
			w.exec("insert into notes_v2 (tenant, id, title, rest) select 'acme', i, 'orphan', '' from generate_series(5001, 5500) i")
			w.exec(`create table written (id bigint);
				create function note() returns trigger language plpgsql as $$ begin insert into written values (coalesce(new.id, old.id)); return null; end $$;
				create trigger note after insert or update or delete on notes_v2 for each row execute function note()`)
			id := w.request(ledger.JobBackfill)
			for kill := 1; kill <= 4; kill++ {
				process := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestWorkerProcess$")
				process.Env = append(os.Environ(), workerDSN+"="+dsn, workerWay+"="+way)
				require.NoError(t, process.Start())
				until(t, func() bool { return w.checkpointed() >= kill*450 || !w.job(id).Open() })
				require.NoError(t, process.Process.Kill())
				_ = process.Wait() // says that it was killed
				require.True(t, w.job(id).Open())
			}
			worker := w.workerOf(w.entities()[way], func(c *backfill.Config) { c.Lease = 50 * time.Millisecond })
			until(t, func() bool {
				assert.NoError(t, worker.RunPending(t.Context()))
				return !w.job(id).Open()
			})
			job := w.job(id)
			assert.Equal(t, ledger.JobDone, job.State, job.Error)
			assert.EqualValues(t, 2500, job.KeysDone)
			assert.Empty(t, w.list("select id::text || ' ' || count(*) from written group by id having count(*) <> 1"))
			assert.Equal(t, "2500", w.one("select count(*)::text from written"))
			w.equal()
		})
	}
}
