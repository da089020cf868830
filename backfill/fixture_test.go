package backfill_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

const (
	migrationName = "notes-v2"
	acme          = "acme"
)

// note is the entity of these tests: version 1 keeps its text in one column,
// version 2 splits it at the first space.
type note struct {
	ID   int64
	Text string
	Seen int64
}

var errNoNote = errors.New("no such note")

// side is one version: the statements differ by the columns alone.
type side struct {
	db    postgres.DBTX
	name  string
	text  string // expression that reads the text
	write string // columns that keep it
	parts string // expressions over $3 that fill them
	hooks *hooks
}

func v1(h *hooks) postgres.Factory[*side] {
	return func(db postgres.DBTX) *side {
		return &side{db: db, name: "notes_v1", text: "body", write: "body", parts: "$3::text", hooks: h}
	}
}

func v2(h *hooks) postgres.Factory[*side] {
	return func(db postgres.DBTX) *side {
		return &side{
			db: db, name: "notes_v2", text: "title || rest", write: "title, rest", hooks: h,
			parts: "split_part($3::text, ' ', 1), substr($3::text, length(split_part($3::text, ' ', 1)) + 1)",
		}
	}
}

// hooks let a test interfere with a side before one of its methods runs.
type hooks struct {
	mu     sync.Mutex
	before map[string]func(ctx context.Context, id int64) error
}

func (h *hooks) on(method string, fn func(ctx context.Context, id int64) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.before == nil {
		h.before = map[string]func(context.Context, int64) error{}
	}
	h.before[method] = fn
}

func (h *hooks) run(ctx context.Context, method string, id int64) error {
	h.mu.Lock()
	fn := h.before[method]
	h.mu.Unlock()
	if fn == nil {
		return nil
	}
	return fn(ctx, id)
}

func (s *side) Get(ctx context.Context, tenant string, id int64) (note, error) {
	if err := s.hooks.run(ctx, "Get", id); err != nil {
		return note{}, err
	}
	n := note{ID: id}
	err := s.db.QueryRow(ctx, "select "+s.text+", seen from "+s.name+" where tenant = $1 and id = $2", tenant, id).Scan(&n.Text, &n.Seen)
	if errors.Is(err, pgx.ErrNoRows) {
		return note{}, errNoNote
	}
	return n, err
}

func (s *side) Save(ctx context.Context, tenant string, n note) error {
	if err := s.hooks.run(ctx, "Save", n.ID); err != nil {
		return err
	}
	var sets []string
	for column := range strings.SplitSeq(s.write, ", ") {
		sets = append(sets, column+" = excluded."+column)
	}
	_, err := s.db.Exec(ctx, "insert into "+s.name+" (tenant, id, "+s.write+", seen) values ($1, $2, "+s.parts+", $4) "+
		"on conflict (tenant, id) do update set "+strings.Join(sets, ", ")+", seen = excluded.seen", tenant, n.ID, n.Text, n.Seen)
	return err
}

func (s *side) SeeAll(ctx context.Context, tenant string) error {
	if err := s.hooks.run(ctx, "SeeAll", 0); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, "update "+s.name+" set seen = seen + 1 where tenant = $1", tenant)
	return err
}

func (s *side) Delete(ctx context.Context, tenant string, id int64) error {
	if err := s.hooks.run(ctx, "Delete", id); err != nil {
		return err
	}
	tag, err := s.db.Exec(ctx, "delete from "+s.name+" where tenant = $1 and id = $2", tenant, id)
	if err == nil && tag.RowsAffected() == 0 {
		return errNoNote
	}
	return err
}

func (s *side) Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error) {
	if err := s.hooks.run(ctx, "Keys", 0); err != nil {
		return nil, err
	}
	rows, err := s.db.Query(ctx, "select id from "+s.name+" where tenant = $1 and ($2::bigint is null or id > $2) order by id limit $3", tenant, after, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// notes is what the generator would write.
type notes struct{ route *repo.Route[*side] }

func op(method string, kind repo.Kind) repo.Op {
	return repo.Op{Entity: "Notes", Method: method, Kind: kind}
}

func text(id int64) string { return strconv.FormatInt(id, 10) }

func (r notes) Get(ctx context.Context, tenant string, id int64) (note, error) {
	return repo.Read(ctx, r.route, op("Get", repo.KindRead), tenant, repo.Key(text(id)), diffNote, id,
		func(ctx context.Context, s *side, id int64) (note, error) { return s.Get(ctx, tenant, id) })
}

func (r notes) Save(ctx context.Context, tenant string, n note) error {
	return repo.Write(ctx, r.route, op("Save", repo.KindWrite), tenant, repo.Key(text(n.ID)), n,
		func(ctx context.Context, s *side, n note) error { return s.Save(ctx, tenant, n) })
}

func (r notes) SeeAll(ctx context.Context, tenant string) error {
	return repo.Write(ctx, r.route, op("SeeAll", repo.KindWrite), tenant, repo.AllKeys(), repo.NoArgs{},
		func(ctx context.Context, s *side, _ repo.NoArgs) error { return s.SeeAll(ctx, tenant) })
}

func (r notes) Delete(ctx context.Context, tenant string, id int64) error {
	return repo.Write(ctx, r.route, op("Delete", repo.KindWrite), tenant, repo.Key(text(id)), id,
		func(ctx context.Context, s *side, id int64) error { return s.Delete(ctx, tenant, id) })
}

func diffNote(served, other note) []compare.Diff {
	var c compare.Collector
	compare.Equal(&c, "ID", served.ID, other.ID)
	compare.Equal(&c, "Text", served.Text, other.Text)
	compare.Equal(&c, "Seen", served.Seen, other.Seen)
	return c.Diffs()
}

var copier = repo.CopyBy[*side, int64, note]{
	KeyText:  text,
	ParseKey: func(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) },
	Get: func(ctx context.Context, s *side, tenant string, id int64) (note, error) {
		return s.Get(ctx, tenant, id)
	},
	Put: func(ctx context.Context, s *side, tenant string, n note) error { return s.Save(ctx, tenant, n) },
	Delete: func(ctx context.Context, s *side, tenant string, id int64) error {
		return s.Delete(ctx, tenant, id)
	},
	KeysAfter: func(ctx context.Context, s *side, tenant string, after *int64, limit int) ([]int64, error) {
		return s.Keys(ctx, tenant, after, limit)
	},
	IsNotFound: func(err error) bool { return errors.Is(err, errNoNote) },
	Compare:    diffNote,
}

// world is one database with one migration, as one process of the fleet sees it.
type world struct {
	t        testing.TB
	pool     *pgxpool.Pool
	db       *postgres.DB
	store    *ledger.Store
	set      *flags.Set
	old, new *hooks
	notes    notes
	tenants  []string
}

func newWorld(t testing.TB, stage flags.Stage) *world {
	t.Helper()
	w := openWorld(t, pgtest.Pool(t))
	if stage != flags.Old {
		w.step(stage)
	}
	return w
}

var migration = must(versions.Must(versions.New("notes", "v1", "v2")).Last())

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// openWorld joins the fleet over a database.
func openWorld(t testing.TB, pool *pgxpool.Pool) *world {
	t.Helper()
	w := &world{t: t, pool: pool, store: ledger.New(pool, nil), old: &hooks{}, new: &hooks{}, tenants: []string{acme}}
	w.db = postgres.New(pool, nil)
	_, err := w.store.Register(context.Background(), migration, "")
	require.NoError(t, err)
	w.set = flags.NewSet(func(ctx context.Context, name string) error {
		p, err := w.store.Policy(ctx, name)
		if err != nil {
			return err
		}
		return w.set.Apply(p)
	})
	w.notes = notes{w.routeWith(copier)}
	return w
}

func (w *world) routeWith(c repo.Copier[*side]) *repo.Route[*side] {
	w.t.Helper()
	backend, err := postgres.Sides(w.db, v1(w.old), v2(w.new))
	require.NoError(w.t, err)
	route, err := repo.NewRoute(repo.Config[*side]{Migration: migration, Flag: w.set.Flag(migrationName), Backend: backend, Copier: c})
	require.NoError(w.t, err)
	return route
}

// another is a second process over the same database.
func (w *world) another() *world { return openWorld(w.t, w.pool) }

// publish puts a policy into force with the given effects, without any
// interlock and without waiting for anybody.
func (w *world) publish(next flags.Policy, effects ledger.Effects) {
	w.t.Helper()
	ctx := context.Background()
	m, err := w.store.Migration(ctx, migrationName)
	require.NoError(w.t, err)
	_, err = w.store.Change(ctx, migrationName, m.Epoch, func(*ledger.State) (*ledger.Draft, error) {
		return &ledger.Draft{Next: next, Effects: effects}, nil
	})
	require.NoError(w.t, err)
}

// step has everybody at the stage, as the control plane would once it found no
// objection, and nobody acting on older policies.
func (w *world) step(stage flags.Stage) {
	w.t.Helper()
	var effects ledger.Effects
	if !stage.Plan().WritesBoth {
		effects = ledger.Effects{NotCopied: append([]string{""}, w.tenants...), Forget: w.tenants}
		if stage == flags.New {
			effects.OldIncomplete = effects.NotCopied
		}
	}
	w.publish(flags.Policy{Default: stage}, effects)
	w.settle()
}

// settle writes down that nobody acts on older policies.
func (w *world) settle() {
	w.t.Helper()
	w.exec("update crossfade.policies p set acknowledged_at = now(), drained_at = now() from crossfade.migrations m where m.id = p.migration_id and p.epoch < m.epoch")
	require.NoError(w.t, w.set.Flag(migrationName).Refused(context.Background(), flags.Subject{}, flags.Decision{}))
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	_, err := w.pool.Exec(context.Background(), sql, args...)
	require.NoError(w.t, err)
}

// list is one column of a query as text.
func (w *world) list(sql string, args ...any) []string {
	w.t.Helper()
	rows, err := w.pool.Query(context.Background(), sql, args...)
	require.NoError(w.t, err)
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(w.t, err)
	return list
}

func (w *world) one(sql string, args ...any) string {
	w.t.Helper()
	list := w.list(sql, args...)
	require.Len(w.t, list, 1)
	return list[0]
}

// fill puts notes on the old side alone, as before the migration.
func (w *world) fill(tenant string, n int) {
	w.t.Helper()
	w.exec("insert into notes_v1 (tenant, id, body) select $1, i, 'note ' || i || ' of ' || $1 from generate_series(1, $2::bigint) i", tenant, n)
}

// equal requires that both sides hold the same, read in plain SQL.
func (w *world) equal() {
	w.t.Helper()
	require.Empty(w.t, w.list(`select coalesce(o.tenant || '/' || o.id, n.tenant || '/' || n.id) || ': ' || coalesce(o.body, 'absent') || ' / ' || coalesce(n.title || n.rest, 'absent')
		from notes_v1 o full join notes_v2 n using (tenant, id)
		where (o.body, o.seen) is distinct from (n.title || n.rest, n.seen) order by 1 limit 10`))
}

func (w *world) stale() []string {
	w.t.Helper()
	return w.list("select side || ':' || key from crossfade.stale_keys order by id")
}

// text reads one side in plain SQL; "absent" when it has no such row.
func (w *world) text(table string, id int64) string {
	w.t.Helper()
	column := "body"
	if table == "notes_v2" {
		column = "title || rest"
	}
	list := w.list("select "+column+" from "+table+" where tenant = $1 and id = $2", acme, id)
	if len(list) == 0 {
		return "absent"
	}
	return list[0]
}

func (w *world) iterate(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, tenant := range w.tenants {
			if !yield(tenant, nil) {
				return
			}
		}
	}
}

// quick are settings under which nothing waits for long.
func (w *world) quick() backfill.Config {
	return backfill.Config{
		Tenants: w.iterate, ChunkKeys: 10, PollEvery: 5 * time.Millisecond, ReconcileEvery: -1, SettleTimeout: 20 * time.Second,
	}
}

func (w *world) worker(change ...func(*backfill.Config)) *backfill.Worker {
	w.t.Helper()
	return w.workerOf(backfill.ByRoute(w.notes.route), change...)
}

func (w *world) workerOf(e backfill.Entity, change ...func(*backfill.Config)) *backfill.Worker {
	w.t.Helper()
	cfg := w.quick()
	for _, c := range change {
		c(&cfg)
	}
	worker, err := backfill.New(w.db, &cfg, e)
	require.NoError(w.t, err)
	return worker
}

func (w *world) request(kind string, tenants ...string) int64 {
	w.t.Helper()
	id, err := w.store.RequestJob(context.Background(), ledger.JobRequest{Migration: migrationName, Kind: kind, Tenants: tenants, Actor: "test"})
	require.NoError(w.t, err)
	return id
}

// do requests a job, has the worker do it, and returns what became of it.
func (w *world) do(worker *backfill.Worker, kind string, tenants ...string) ledger.JobDetail {
	w.t.Helper()
	id := w.request(kind, tenants...)
	require.NoError(w.t, worker.RunPending(context.Background()))
	return w.job(id)
}

func (w *world) job(id int64) ledger.JobDetail {
	w.t.Helper()
	job, err := w.store.JobByID(context.Background(), id)
	require.NoError(w.t, err)
	return job
}

// state returns what the ledger knows of a tenant, as words.
func (w *world) state(tenant string) string {
	w.t.Helper()
	s, err := w.store.Load(context.Background(), migrationName)
	require.NoError(w.t, err)
	own := s.Tenant(tenant)
	return fmt.Sprintf("backfilled %t, verified %t, old complete %t", own.BackfilledAt != nil, own.VerifiedAt != nil, own.OldComplete)
}

// until waits for a condition, as long as it takes.
func until(t testing.TB, condition func() bool) {
	t.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-t.Context().Done():
			t.Fatal("the test ended while it waited")
		case <-ticker.C:
		}
	}
}

// statements of the notes in SQL.
var statements = backfill.SQL{
	OldKeys: "select id from notes_v1 where tenant = $1",
	NewKeys: "select id from notes_v2 where tenant = $1",
	Copy: []string{`insert into notes_v2 (tenant, id, title, rest, seen)
		select tenant, id, split_part(body, ' ', 1), substr(body, length(split_part(body, ' ', 1)) + 1), seen
		from notes_v1 where tenant = $1 and id = any($2::bigint[])
		on conflict (tenant, id) do update set title = excluded.title, rest = excluded.rest, seen = excluded.seen`},
	Delete: []string{`delete from notes_v2 n where tenant = $1 and id = any($2::bigint[])
		and not exists (select from notes_v1 o where o.tenant = n.tenant and o.id = n.id)`},
	CopyBack: []string{`insert into notes_v1 (tenant, id, body, seen)
		select tenant, id, title || rest, seen from notes_v2 where tenant = $1 and id = any($2::bigint[])
		on conflict (tenant, id) do update set body = excluded.body, seen = excluded.seen`},
	DeleteBack: []string{`delete from notes_v1 o where tenant = $1 and id = any($2::bigint[])
		and not exists (select from notes_v2 n where o.tenant = n.tenant and o.id = n.id)`},
	OldRows: "select id, body, seen from notes_v1 where tenant = $1",
	NewRows: "select id, title || rest as body, seen from notes_v2 where tenant = $1",
}

// entities are both ways to copy, for tests that hold for both.
func (w *world) entities() map[string]backfill.Entity {
	return map[string]backfill.Entity{
		"through the repositories": backfill.ByRoute(w.notes.route),
		"in SQL":                   backfill.BySQL(w.db, w.set.Flag(migrationName), statements),
	}
}

// bothWays runs a test once for each way to copy.
func bothWays(t *testing.T, stage flags.Stage, test func(t *testing.T, w *world, e backfill.Entity)) {
	t.Helper()
	for _, name := range []string{"through the repositories", "in SQL"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, stage)
			test(t, w, w.entities()[name])
		})
	}
}
