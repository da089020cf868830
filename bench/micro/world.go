package micro

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/bench/workload/items"
	"github.com/crossfade-db/crossfade/bench/workload/items/v1"
	"github.com/crossfade-db/crossfade/bench/workload/items/v2"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

// connections are those of two workers, their ledger, and the foreground.
const connections = 16

// tenantsOfData is among how many tenants the rows are spread: a worker takes one at a time.
const tenantsOfData = 8

// world is a database with the workload's items on the old side of a migration whose tenants all stand at dual, and with
// an empty new side.
type world struct {
	pool  *pgxpool.Pool
	db    *postgres.DB
	store *ledger.Store
	set   *flags.Set
	items *items.RoutedItems
	rows  int
}

// openWorld makes it in an empty database. Close it, also after an error.
func openWorld(ctx context.Context, dsn string, rows int) (*world, error) {
	w := &world{rows: rows}
	if err := ledger.Migrate(ctx, dsn); err != nil {
		return w, err
	}
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return w, fmt.Errorf("read the database's address: %w", err)
	}
	config.MaxConns = connections
	if w.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return w, fmt.Errorf("connect to the database: %w", err)
	}
	if err := w.exec(ctx, v1.Schema+v2.Schema); err != nil {
		return w, err
	}
	if err := w.exec(ctx, `insert into bench.items
		select 'tenant-' || g % $1, g, 'an item on the shelf, number ' || g, g % 1000, 100 + g % 9900, '2026-01-01Z'
		from generate_series(0, $2::bigint - 1) g order by 1, 2`, tenantsOfData, rows); err != nil {
		return w, err
	}
	return w, errors.Join(w.wire(ctx), w.exec(ctx, "vacuum (analyze) bench.items"))
}

// wire registers the migration, puts everybody at dual, and makes the routed repository.
func (w *world) wire(ctx context.Context) error {
	registry, err := versions.New("items", "v1", "v2")
	if err != nil {
		return err
	}
	m, err := registry.Last()
	if err != nil {
		return err
	}
	w.db, w.store = postgres.New(w.pool, nil), ledger.New(w.pool, nil)
	registered, err := w.store.Register(ctx, m, "")
	if err != nil {
		return err
	}
	_, err = w.store.Change(ctx, m.Name, registered.Epoch, func(*ledger.State) (*ledger.Draft, error) {
		return &ledger.Draft{Next: flags.Policy{Default: flags.Dual}}, nil
	})
	if err != nil {
		return err
	}
	if err := w.settle(ctx, registered); err != nil {
		return err
	}
	w.set = flags.NewSet(func(ctx context.Context, name string) error {
		p, err := w.store.Policy(ctx, name)
		if err != nil {
			return err
		}
		return w.set.Apply(p)
	})
	sides, err := postgres.Sides(w.db, postgres.Queued(v1Side), postgres.Queued(v2Side))
	if err != nil {
		return err
	}
	w.items, err = items.NewRoutedItems(repo.Config[items.Items]{Migration: m, Flag: w.set.Flag(m.Name), Backend: sides})
	return err
}

// settle has the ledger know that nobody acts on the first policy any more, as nobody ever did.
func (w *world) settle(ctx context.Context, registered ledger.Migration) error {
	if _, err := w.store.MarkAcknowledged(ctx, registered); err != nil {
		return err
	}
	drained, err := w.store.Drain(ctx, registered, registered.Epoch, time.Second)
	if err == nil && !drained {
		err = errors.New("somebody acts on the first policy")
	}
	return err
}

func v1Side(db postgres.DBTX) items.Items { return v1.New(db) }
func v2Side(db postgres.DBTX) items.Items { return v2.New(db) }

func (w *world) close() {
	if w.pool != nil {
		w.pool.Close()
	}
}

func (w *world) exec(ctx context.Context, sql string, args ...any) error {
	if _, err := w.pool.Exec(ctx, sql, args...); err != nil {
		return fmt.Errorf("%.60s: %w", sql, err)
	}
	return nil
}

func (w *world) migration() string { return w.items.Route().Migration().Name }

// tenants yields all of them.
func (w *world) tenants(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for i := range tenantsOfData {
			if !yield(fmt.Sprintf("tenant-%d", i), nil) {
				return
			}
		}
	}
}

// row returns the tenant and id of a row drawn at random.
func (w *world) row() (tenant string, id int64) {
	id = rand.Int64N(int64(w.rows)) //nolint:gosec // a choice of rows needs no secret
	return fmt.Sprintf("tenant-%d", id%tenantsOfData), id
}

// entities are the items in both ways.
func (w *world) entities() map[way]backfill.Entity {
	return map[way]backfill.Entity{
		inSQL:     backfill.BySQL(w.db, w.set.Flag(w.migration()), statements),
		throughGo: backfill.ByRoute(w.items.Route()),
	}
}

// way is how keys are copied and compared.
type way string

const (
	inSQL     way = "in SQL"
	throughGo way = "through Go"
)

var ways = []way{inSQL, throughGo}

// statements of items in SQL.
var statements = backfill.SQL{
	OldKeys: "select id from bench.items where tenant = $1",
	NewKeys: "select id from bench.articles where tenant = $1",
	Copy: []string{`insert into bench.articles (tenant, id, title, on_hand, price_cents, changed_at)
		select tenant, id, name, stock, price_cents, updated_at from bench.items where tenant = $1 and id = any($2::bigint[])
		on conflict (tenant, id) do update set title = excluded.title, on_hand = excluded.on_hand,
		price_cents = excluded.price_cents, changed_at = excluded.changed_at`},
	Delete: []string{`delete from bench.articles n where tenant = $1 and id = any($2::bigint[])
		and not exists (select from bench.items o where o.tenant = n.tenant and o.id = n.id)`},
	OldRows: "select id, name, stock, price_cents, updated_at from bench.items where tenant = $1",
	NewRows: "select id, title as name, on_hand as stock, price_cents, changed_at as updated_at from bench.articles where tenant = $1",
}

// insertSelect is the ceiling of a backfill: one statement that copies everything.
const insertSelect = `insert into bench.articles (tenant, id, title, on_hand, price_cents, changed_at)
	select tenant, id, name, stock, price_cents, updated_at from bench.items`

// scan reads what a verification compares.
const scan = `select (select count(hashtext(name) # stock # price_cents # hashtextextended(tenant, id) # extract(epoch from updated_at)::bigint) from bench.items),
	(select count(hashtext(title) # on_hand # price_cents # hashtextextended(tenant, id) # extract(epoch from changed_at)::bigint) from bench.articles)`

// rate is how fast keys were worked on.
type rate struct {
	keys int64
	took time.Duration
	done bool // and not ended by the clock
}

func (r rate) perSecond() float64 { return float64(r.keys) / r.took.Seconds() }

// job has a worker of two do a job over all tenants, or as much of it as it can within the time.
func (w *world) job(ctx context.Context, entity backfill.Entity, kind string, within time.Duration) (r rate, err error) {
	worker, err := backfill.New(w.db, &backfill.Config{Tenants: w.tenants, Workers: 2, ReconcileEvery: -1}, entity)
	if err != nil {
		return r, err
	}
	last := context.WithoutCancel(ctx) // no job stays open
	id, err := w.store.RequestJob(last, ledger.JobRequest{Migration: w.migration(), Kind: kind, Actor: "bench"})
	if err != nil {
		return r, err
	}
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	began := time.Now()
	err = worker.RunPending(limited)
	r.took = time.Since(began)
	job, jobErr := w.store.JobByID(last, id)
	if limited.Err() != nil && jobErr == nil && job.Open() {
		r.keys, err = w.keysDone(last, id)
		return r, errors.Join(ctx.Err(), err, w.store.CancelJob(last, id, "bench", "sampled"))
	}
	if limited.Err() != nil {
		err = ctx.Err() // the job was done just in time
	}
	switch err = errors.Join(err, jobErr); {
	case err != nil:
		return r, err
	case job.State != ledger.JobDone:
		return r, fmt.Errorf("a job to %s ended as %s: %s", kind, job.State, job.Error)
	case job.Differing > 0 || job.Inconclusive > 0:
		return r, fmt.Errorf("a job to %s found %d keys that differ and %d inconclusive ones", kind, job.Differing, job.Inconclusive)
	}
	r.keys, r.done = int64(w.rows), true
	return r, nil
}

// keysDone sums the checkpoints of a job that was ended.
func (w *world) keysDone(ctx context.Context, job int64) (sum int64, err error) {
	checkpoints, err := w.store.Checkpoints(ctx, job)
	for _, c := range checkpoints {
		sum += c.KeysDone
	}
	return sum, err
}

// timed executes a statement over all rows.
func (w *world) timed(ctx context.Context, sql string) (rate, error) {
	began := time.Now()
	err := w.exec(ctx, sql)
	return rate{keys: int64(w.rows), took: time.Since(began), done: true}, err
}
