package backfill

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// Config configures a [Worker]. A nil Config and zero fields are useful.
type Config struct {
	// Tenants yields the application's tenants, one by one. Nil means the one
	// tenant of entities without tenants, repo.SoleTenant. It is called at the
	// start of every job, once nobody writes one side alone any more.
	Tenants func(ctx context.Context) iter.Seq2[string, error]
	// ChunkKeys is how many keys one transaction copies. Defaults to 250. Above
	// 256 a chunk locks the whole tenant instead of its keys. A chunk that meets
	// locks of others is halved.
	ChunkKeys int
	// KeysPerSecond bounds copying and comparing, over all jobs of the worker.
	// Zero means no limit.
	KeysPerSecond float64
	// Workers is how many tenants of a job are worked on at once, each with a
	// database connection of its own. Defaults to 2.
	Workers int
	// LockTimeout bounds each wait of a chunk for a lock. It must be below the
	// server's deadlock_timeout, so that a chunk gives way before the server
	// looks for somebody to abort. It counts from the moment at which the chunk
	// waits, while the application may have waited for the chunk before: keep
	// it well below. Defaults to 100ms, or half of deadlock_timeout where that
	// is less.
	LockTimeout time.Duration
	// SettleTimeout is how long a job waits until nobody acts on a policy that
	// writes one side alone. Defaults to one minute.
	SettleTimeout time.Duration
	// Lease is how long a job stays this worker's without a sign of life.
	// Defaults to 15s. Signs are given, and progress is written, every second,
	// or every third of a shorter lease.
	Lease time.Duration
	// PollEvery is how often the worker looks for jobs. Defaults to 500ms.
	PollEvery time.Duration
	// ReconcileEvery is how often stale keys are looked for without any job.
	// Defaults to 1s; negative means never.
	ReconcileEvery time.Duration
	// AfterRepair is called, if not nil, when stale keys of a migration were
	// repaired without any job: control.Plane.Keep, for one, then finds at once
	// that reads at live need not look for such keys any more.
	AfterRepair func(ctx context.Context, migration string) error
	// Sink takes what verification finds. Nil means the ledger.
	Sink compare.Sink
	// Rules are applied to every difference. Nil means none.
	Rules *compare.Rules
	// Logger tells when jobs begin and how they end. Nil means nobody.
	Logger *slog.Logger
}

// Worker does the jobs of the migrations that it knows. Any number of them may
// run in the processes of a fleet.
type Worker struct {
	cfg      Config
	pool     *pgxpool.Pool
	store    *ledger.Store
	entities map[string]Entity
	names    []string
	process  [16]byte
	limiter  *limiter
	sink     compare.Sink
	log      *slog.Logger

	mu         sync.Mutex
	db         *postgres.DB // set by prepare
	migrations map[string]ledger.Migration
	running    map[int64]bool

	repaired, failed atomic.Int64
}

// New returns a worker for the entities, whose sides and ledger are in the
// database. Wrong wiring is a [*ConfigError].
func New(db *postgres.DB, cfg *Config, entities ...Entity) (*Worker, error) {
	w := &Worker{entities: map[string]Entity{}, migrations: map[string]ledger.Migration{}, running: map[int64]bool{}}
	if cfg != nil {
		w.cfg = *cfg
	}
	if db == nil {
		return nil, &ConfigError{Problem: "db is nil: make it with postgres.New"}
	}
	if len(entities) == 0 {
		return nil, &ConfigError{Problem: "no entity: give ByRoute or BySQL for each migration"}
	}
	for _, e := range entities {
		if e == nil {
			return nil, &ConfigError{Problem: "an entity is nil"}
		}
		if err := e.check(); err != nil {
			return nil, err
		}
		if w.entities[e.Migration()] != nil {
			return nil, &ConfigError{Problem: fmt.Sprintf("migration %s has two entities", e.Migration())}
		}
		w.entities[e.Migration()] = e
		w.names = append(w.names, e.Migration())
	}
	if err := w.defaults(); err != nil {
		return nil, err
	}
	_, _ = rand.Read(w.process[:]) // never fails: it stops the program instead
	w.pool = db.Pool()
	w.store = ledger.New(db.Pool(), nil)
	w.limiter = newLimiter(w.cfg.KeysPerSecond)
	w.sink = w.cfg.Sink
	if w.sink == nil {
		w.sink = w.store.Sink()
	}
	w.sink = compare.Safely(w.sink, nil)
	return w, nil
}

func (w *Worker) defaults() error {
	c := &w.cfg
	if c.ChunkKeys < 0 || c.Workers < 0 || c.KeysPerSecond < 0 || c.LockTimeout < 0 || c.SettleTimeout < 0 || c.Lease < 0 || c.PollEvery < 0 {
		return &ConfigError{Problem: "a number or duration is negative: leave it zero for its default"}
	}
	if c.ChunkKeys == 0 {
		c.ChunkKeys = 250
	}
	if c.Workers == 0 {
		c.Workers = 2
	}
	orDefault := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	orDefault(&c.LockTimeout, 100*time.Millisecond)
	orDefault(&c.SettleTimeout, time.Minute)
	orDefault(&c.Lease, 15*time.Second)
	orDefault(&c.PollEvery, 500*time.Millisecond)
	orDefault(&c.ReconcileEvery, time.Second)
	if c.Tenants == nil {
		c.Tenants = func(context.Context) iter.Seq2[string, error] {
			return func(yield func(string, error) bool) { yield(repo.SoleTenant, nil) }
		}
	}
	w.log = c.Logger
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Run does jobs as they are requested, and repairs stale keys in between, until
// ctx ends; then it gives running jobs back, for other workers to go on with,
// and returns nil. It returns an error at once when the ledger does not fit or
// does not hold a migration. Later failures of the server are waited out.
func (w *Worker) Run(ctx context.Context) error {
	if err := w.prepare(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	var tasks sync.WaitGroup
	defer tasks.Wait()
	if w.cfg.ReconcileEvery > 0 {
		for _, name := range w.names {
			tasks.Go(func() { w.reconcileAlways(ctx, w.entities[name]) })
		}
	}
	for {
		for {
			job, ok, err := w.claim(ctx)
			if err != nil && ctx.Err() == nil {
				w.log.Warn("cannot look for jobs", "error", describe(err))
			}
			if err != nil || !ok {
				break
			}
			tasks.Go(func() {
				if err := w.do(ctx, job); err != nil && ctx.Err() == nil {
					w.log.Warn("job stopped", "job", job.ID, "error", describe(err))
				}
			})
		}
		if sleep(ctx, w.cfg.PollEvery) != nil {
			return nil
		}
	}
}

// RunPending does the jobs that are requested now, one after the other, and
// returns when none is left. A job that fails says so in the ledger and is no
// error here.
func (w *Worker) RunPending(ctx context.Context) error {
	if err := w.prepare(ctx); err != nil {
		return err
	}
	for {
		job, ok, err := w.claim(ctx)
		if err != nil || !ok {
			return err
		}
		if err := w.do(ctx, job); err != nil {
			return err
		}
	}
}

// prepare checks the ledger, the migrations and the server's settings.
func (w *Worker) prepare(ctx context.Context) error {
	if err := w.store.Check(ctx); err != nil {
		return err
	}
	for _, name := range w.names {
		if _, err := w.migration(ctx, name); err != nil {
			return err
		}
	}
	var deadlock int64
	err := w.pool.QueryRow(ctx, "select setting::bigint from pg_catalog.pg_settings where name = 'deadlock_timeout'").Scan(&deadlock)
	if err != nil {
		return fmt.Errorf("read deadlock_timeout: %w", err)
	}
	lockTimeout := w.cfg.LockTimeout
	if limit := time.Duration(deadlock) * time.Millisecond; lockTimeout >= limit {
		lockTimeout = max(limit/2, time.Millisecond)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.db == nil {
		w.db = postgres.New(w.pool, &postgres.Config{LockTimeout: lockTimeout})
	}
	return nil
}

// database opens the transactions of chunks, after prepare.
func (w *Worker) database() *postgres.DB {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.db
}

// migration returns the ledger's row of a migration, asked once: only its
// number, name and salt are used.
func (w *Worker) migration(ctx context.Context, name string) (ledger.Migration, error) {
	w.mu.Lock()
	m, ok := w.migrations[name]
	w.mu.Unlock()
	if ok {
		return m, nil
	}
	m, err := w.store.Migration(ctx, name)
	if err != nil {
		return m, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.migrations[name] = m
	return m, nil
}

func (w *Worker) claim(ctx context.Context) (ledger.JobDetail, bool, error) {
	w.mu.Lock()
	var busy []int64
	for id := range w.running {
		busy = append(busy, id)
	}
	w.mu.Unlock()
	job, ok, err := w.store.ClaimJob(ctx, w.process, w.cfg.Lease, w.names, busy)
	if ok {
		w.mu.Lock()
		w.running[job.ID] = true
		w.mu.Unlock()
	}
	return job, ok, err
}

// do runs a claimed job to its end and writes down how it ended.
func (w *Worker) do(ctx context.Context, detail ledger.JobDetail) error {
	defer func() {
		w.mu.Lock()
		delete(w.running, detail.ID)
		w.mu.Unlock()
	}()
	w.log.Info("job begins", "job", detail.ID, "kind", detail.Kind, "migration", detail.Migration)
	j := w.newJob(detail)
	err := j.run(ctx)
	// What follows must be written down although ctx ended.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	switch {
	case errors.Is(err, ledger.ErrJobLost):
		w.log.Info("job was cancelled or taken over", "job", detail.ID)
		return nil
	case ctx.Err() != nil:
		if rerr := w.store.ReleaseJob(last, j.claim); rerr != nil && !errors.Is(rerr, ledger.ErrJobLost) {
			return rerr
		}
		return ctx.Err()
	case err != nil && classify(ctx, err) == classServer:
		// The job stays claimed: this worker or another goes on from its checkpoints.
		return errors.Join(err, sleep(ctx, w.cfg.PollEvery))
	}
	if ferr := j.finish(last, describe(err)); ferr != nil && !errors.Is(ferr, ledger.ErrJobLost) {
		return ferr
	}
	w.log.Info("job ends", "job", detail.ID, "error", describe(err))
	return nil
}
