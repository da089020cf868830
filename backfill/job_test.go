package backfill_test

import (
	"context"
	"iter"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
)

// run starts a worker and returns what stops it.
func (w *world) run(worker *backfill.Worker) (stop func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() { assert.NoError(w.t, worker.Run(ctx)) })
	return func() {
		cancel()
		tasks.Wait()
	}
}

func TestCancelledJobStopsWithinAChunkAndGoesOnFromThere(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.fill(acme, 500)
	worker := w.worker(func(c *backfill.Config) { c.KeysPerSecond = 500 })
	stop := w.run(worker)
	defer stop()
	id := w.request(ledger.JobBackfill)
	until(t, func() bool { return w.checkpointed() >= 50 })
	require.NoError(t, w.store.CancelJob(t.Context(), id, "ann", "too busy"))
	before := w.checkpointed()
	until(t, func() bool {
		return w.one("select count(*)::text from pg_stat_activity where state = 'idle in transaction' and datname = current_database()") == "0"
	})
	job := w.job(id)
	assert.Equal(t, ledger.JobCancelled, job.State)
	assert.Equal(t, "cancelled by ann: too busy", job.Error)
	assert.LessOrEqual(t, w.checkpointed()-before, 10)

	var state *ledger.JobStateError
	require.ErrorAs(t, w.store.CancelJob(t.Context(), id, "ann", ""), &state)
	require.NoError(t, w.store.ResumeJob(t.Context(), id))
	until(t, func() bool { return !w.job(id).Open() })
	assert.Equal(t, ledger.JobDone, w.job(id).State, w.job(id).Error)
	assert.EqualValues(t, 500, w.job(id).KeysDone)
	w.equal()
}

func TestWorkerGivesItsJobsBackWhenItStops(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.fill(acme, 500)
	stop := w.run(w.worker(func(c *backfill.Config) { c.KeysPerSecond = 500 }))
	id := w.request(ledger.JobBackfill)
	until(t, func() bool { return w.checkpointed() >= 50 })
	stop()
	assert.Equal(t, ledger.JobRequested, w.job(id).State, "nobody has to wait for the lease")
	require.NoError(t, w.another().worker().RunPending(t.Context()))
	assert.Equal(t, ledger.JobDone, w.job(id).State, w.job(id).Error)
	assert.EqualValues(t, 500, w.job(id).KeysDone)
}

func TestJobIsTakenOverOnceItsLeaseRanOut(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.fill(acme, 30)
	id := w.request(ledger.JobBackfill)
	m, err := w.store.Migration(t.Context(), migrationName)
	require.NoError(t, err)
	_, ok, err := w.store.ClaimJob(t.Context(), [16]byte{9}, time.Hour, []string{m.Name}, nil)
	require.NoError(t, err)
	require.True(t, ok)

	require.NoError(t, w.worker().RunPending(t.Context()))
	assert.Equal(t, ledger.JobRunning, w.job(id).State, "somebody else's")
	w.exec("update crossfade.jobs set heartbeat_at = now() - interval '16 seconds'")
	require.NoError(t, w.worker().RunPending(t.Context()))
	assert.Equal(t, ledger.JobDone, w.job(id).State)
	lost := ledger.Claim{Job: id, Process: [16]byte{9}}
	require.ErrorIs(t, w.store.BeatJob(t.Context(), lost, ledger.JobProgress{}), ledger.ErrJobLost)
	require.ErrorIs(t, ledger.SaveCheckpoint(t.Context(), w.pool, lost, ledger.Checkpoint{Tenant: acme}), ledger.ErrJobLost)
}

func TestProgressIsShownWhileAJobRuns(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.tenants = []string{acme, "beta"}
	w.fill(acme, 300)
	w.fill("beta", 300)
	stop := w.run(w.worker(func(c *backfill.Config) { c.KeysPerSecond, c.Workers, c.Lease = 600, 1, 30*time.Millisecond }))
	defer stop()
	id := w.request(ledger.JobBackfill)
	until(t, func() bool { return w.job(id).KeysDone > 50 })
	job := w.job(id)
	assert.EqualValues(t, 2, job.TenantsAll)
	assert.EqualValues(t, 600, job.KeysAll, "estimated from the first tenant")
	left, ok := job.Remaining(time.Now())
	assert.True(t, ok)
	assert.Positive(t, left)
	until(t, func() bool { return !w.job(id).Open() })
	assert.EqualValues(t, 600, w.job(id).KeysAll)
	assert.EqualValues(t, 600, w.job(id).KeysDone)
}

func TestTenantsAtOldAreLeftOutOfAJobOverAll(t *testing.T) {
	w := newWorld(t, flags.Old)
	w.tenants = []string{acme, "beta", "gamma"}
	for _, tenant := range w.tenants {
		w.fill(tenant, 3)
	}
	job := w.do(w.worker(), ledger.JobBackfill)
	assert.Equal(t, ledger.JobFailed, job.State)
	assert.Contains(t, job.Error, "stands at old, where not both sides are written", "nobody can be copied")

	w.publish(flags.Policy{Default: flags.Old, Overrides: map[string]flags.Stage{"beta": flags.Dual}}, ledger.Effects{})
	w.settle()
	job = w.do(w.worker(), ledger.JobBackfill)
	assert.Equal(t, ledger.JobDone, job.State, job.Error)
	assert.Equal(t, []string{"beta"}, w.list("select distinct tenant from notes_v2"))
	assert.Equal(t, "backfilled true, verified false, old complete true", w.state("beta"))
	assert.Equal(t, "backfilled false, verified false, old complete true", w.state("born later"))

	job = w.do(w.worker(), ledger.JobBackfill, "beta", "gamma")
	assert.Equal(t, ledger.JobFailed, job.State)
	assert.Equal(t, `1 of 2 tenants failed: notes-v2: tenant "gamma" stands at old, where not both sides are written: step it to dual first, then request the backfill again`, job.Error)
}

func TestJobNamesWhatIsWrongWithItsTenants(t *testing.T) {
	w := newWorld(t, flags.Dual)
	job := w.do(w.worker(), ledger.JobBackfill, "amce")
	assert.Equal(t, `notes-v2: tenant "amce" is none of the application's tenants: check its name`, job.Error)

	broken := func(context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) { yield("", errBoom) }
	}
	job = w.do(w.worker(func(c *backfill.Config) { c.Tenants = broken }), ledger.JobBackfill)
	assert.Equal(t, ledger.JobFailed, job.State)
	assert.Equal(t, "an error of type *errors.errorString", job.Error)

	nameless := func(context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) { yield("", nil) }
	}
	job = w.do(w.worker(func(c *backfill.Config) { c.Tenants = nameless }), ledger.JobBackfill)
	assert.Equal(t, "backfill: Tenants yields a tenant without a name", job.Error)
}

func TestTenantThatFailsDoesNotStopTheOthers(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.tenants = []string{acme, "beta", "gamma"}
	for _, tenant := range w.tenants {
		w.fill(tenant, 12)
	}
	w.exec("alter table notes_v2 add constraint not_beta check (tenant <> 'beta' or id <> 5)")
	job := w.do(w.worker(), ledger.JobBackfill)
	assert.Equal(t, ledger.JobFailed, job.State)
	assert.Equal(t, `1 of 3 tenants failed: notes-v2: 1 keys of tenant "beta" cannot be copied, one of them because of SQLSTATE 23514, constraint not_beta, table public.notes_v2: mend the cause and request the job again`, job.Error)
	assert.Equal(t, []string{"new:5"}, w.stale())
	assert.Equal(t, "backfilled true, verified false, old complete true", w.state("gamma"))
	assert.Equal(t, "backfilled false, verified false, old complete true", w.state("beta"))
	assert.Equal(t, "backfilled false, verified false, old complete true", w.state("born later"))
	assert.Equal(t, "35", w.one("select count(*)::text from notes_v2"))

	w.exec("alter table notes_v2 drop constraint not_beta")
	job = w.do(w.worker(), ledger.JobBackfill)
	assert.Equal(t, ledger.JobDone, job.State, job.Error)
	assert.Empty(t, w.stale())
	w.equal()
	assert.Equal(t, "backfilled true, verified false, old complete true", w.state("born later"))
}

func TestRequestsSayWhatIsWrong(t *testing.T) {
	w := newWorld(t, flags.Dual)
	request := func(r ledger.JobRequest) error {
		_, err := w.store.RequestJob(t.Context(), r)
		return err
	}
	var input *ledger.InputError
	require.ErrorAs(t, request(ledger.JobRequest{Migration: migrationName, Kind: "copy", Actor: "ann"}), &input)
	require.ErrorAs(t, request(ledger.JobRequest{Migration: migrationName, Kind: ledger.JobVerify}), &input)
	require.ErrorAs(t, request(ledger.JobRequest{Migration: migrationName, Kind: ledger.JobVerify, Actor: "ann", Tenants: []string{""}}), &input)
	var unknown *ledger.UnknownMigrationError
	require.ErrorAs(t, request(ledger.JobRequest{Migration: "notes-v3", Kind: ledger.JobVerify, Actor: "ann"}), &unknown)
	var missing *ledger.UnknownJobError
	require.ErrorAs(t, w.store.CancelJob(t.Context(), 99, "ann", ""), &missing)

	require.NoError(t, request(ledger.JobRequest{Migration: migrationName, Kind: ledger.JobVerify, Actor: "ann"}))
	var open *ledger.JobOpenError
	require.ErrorAs(t, request(ledger.JobRequest{Migration: migrationName, Kind: ledger.JobVerify, Actor: "bob"}), &open)
	assert.NotZero(t, open.ID)
	require.NoError(t, request(ledger.JobRequest{Migration: migrationName, Kind: ledger.JobBackfill, Actor: "bob"}))

	require.NoError(t, w.store.CancelJob(t.Context(), open.ID, "bob", ""))
	require.NoError(t, request(ledger.JobRequest{Migration: migrationName, Kind: ledger.JobVerify, Actor: "bob"}))
	require.ErrorAs(t, w.store.ResumeJob(t.Context(), open.ID), &open)
}

func TestWrongWiringIsNamed(t *testing.T) {
	w := newWorld(t, flags.Dual)
	flag := w.set.Flag(migrationName)
	with := func(change func(*backfill.SQL)) backfill.Entity {
		s := statements
		change(&s)
		return backfill.BySQL(w.db, flag, s)
	}
	for want, wrong := range map[string]func() (*backfill.Worker, error){
		"db is nil":        func() (*backfill.Worker, error) { return backfill.New(nil, nil, backfill.ByRoute(w.notes.route)) },
		"no entity":        func() (*backfill.Worker, error) { return backfill.New(w.db, nil) },
		"an entity is nil": func() (*backfill.Worker, error) { return backfill.New(w.db, nil, nil) },
		"the route is nil": func() (*backfill.Worker, error) { return backfill.New(w.db, nil, backfill.ByRoute[*side](nil)) },
		"is negative": func() (*backfill.Worker, error) {
			return backfill.New(w.db, &backfill.Config{ChunkKeys: -1}, backfill.ByRoute(w.notes.route))
		},
		"has two entities": func() (*backfill.Worker, error) {
			return backfill.New(w.db, nil, backfill.ByRoute(w.notes.route), backfill.ByRoute(w.notes.route))
		},
		"the flag is nil": func() (*backfill.Worker, error) {
			return backfill.New(w.db, nil, backfill.BySQL(w.db, nil, statements))
		},
		"OldKeys and NewKeys": func() (*backfill.Worker, error) {
			return backfill.New(w.db, nil, with(func(s *backfill.SQL) { s.NewKeys = "" }))
		},
		"Copy and Delete": func() (*backfill.Worker, error) {
			return backfill.New(w.db, nil, with(func(s *backfill.SQL) { s.Delete = nil }))
		},
		"CopyBack and DeleteBa": func() (*backfill.Worker, error) {
			return backfill.New(w.db, nil, with(func(s *backfill.SQL) { s.DeleteBack = nil }))
		},
		"OldRows and NewRows": func() (*backfill.Worker, error) {
			return backfill.New(w.db, nil, with(func(s *backfill.SQL) { s.OldRows = "" }))
		},
	} {
		_, err := wrong()
		var config *backfill.ConfigError
		require.ErrorAs(t, err, &config, want)
		assert.Contains(t, err.Error(), want)
	}
}

func TestUnguardedFlagsAndSidesWithoutADatabaseAreRefused(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.fill(acme, 3)
	values, err := repo.NewValues(&side{}, &side{})
	require.NoError(t, err)
	route, err := repo.NewRoute(repo.Config[*side]{Migration: migration, Flag: w.set.Flag(migrationName), Backend: values, Copier: emptyCopier{}})
	require.NoError(t, err)
	job := w.do(w.workerOf(backfill.ByRoute(route)), ledger.JobBackfill)
	assert.Equal(t, ledger.JobFailed, job.State)
	assert.Contains(t, job.Error, "the route cannot join the worker's transactions: the sides are plain Go values and share no transaction")
}

// emptyCopier is that of two sides without any key.
type emptyCopier struct{ repo.Copier[*side] }

func (emptyCopier) Keys(context.Context, *side, string, string, int) ([]string, error) {
	return nil, nil
}

func TestMigrationThatTheLedgerDoesNotHoldIsNamedAtOnce(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.exec("delete from crossfade.tenant_states; delete from crossfade.history; delete from crossfade.policies; delete from crossfade.migrations")
	var unknown *ledger.UnknownMigrationError
	require.ErrorAs(t, w.worker().Run(t.Context()), &unknown)
	w.exec("drop schema crossfade cascade")
	var version *ledger.VersionError
	require.ErrorAs(t, w.worker().Run(t.Context()), &version)
}

func TestLogTellsWhatBecameOfJobsWithoutValues(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.fill(acme, 2)
	w.new.on("Save", func(context.Context, int64) error { panic("ann@example.org") })
	var log logged
	job := w.do(w.worker(func(c *backfill.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) }), ledger.JobBackfill)
	assert.Equal(t, ledger.JobFailed, job.State)
	assert.Contains(t, job.Error, "a panic of type string")
	assert.Contains(t, string(log), "job ends")
	assert.NotContains(t, string(log)+job.Error, "ann@")
}

type logged []byte

func (l *logged) Write(p []byte) (int, error) {
	*l = append(*l, p...)
	return len(p), nil
}

// Connections that break in the middle cost time and nothing else.
func TestJobSurvivesBrokenConnections(t *testing.T) {
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		w.fill(acme, 600)
		stop := w.run(w.workerOf(e, func(c *backfill.Config) { c.KeysPerSecond, c.ReconcileEvery = 2000, 5*time.Millisecond }))
		defer stop()
		id := w.request(ledger.JobBackfill)
		own, err := pgxpool.New(t.Context(), w.pool.Config().ConnString())
		require.NoError(t, err)
		defer own.Close()
		count := func(query string) (n int) {
			require.NoError(t, own.QueryRow(t.Context(), query).Scan(&n))
			return n
		}
		for broken := 1; broken <= 4; broken++ {
			until(t, func() bool {
				return count("select coalesce(sum(keys_done), 0) from crossfade.checkpoints") >= broken*100
			})
			count("select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
		}
		until(t, func() bool {
			return count("select count(*) from crossfade.jobs where state in ('requested', 'running')") == 0
		})
		w.pool.Reset()
		assert.Equal(t, ledger.JobDone, w.job(id).State, w.job(id).Error)
		assert.EqualValues(t, 600, w.job(id).KeysDone)
		w.equal()
	})
}
