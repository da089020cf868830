package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

const tenant = "acme"

// note is the entity of these tests: version 1 keeps its text in one column,
// version 2 splits it at the first space.
type note struct {
	ID   int64
	Text string
	Seen int64
}

var errNoNote = errors.New("no such note")

type notes interface {
	Get(ctx context.Context, tenant string, id int64) (note, error)
	All(ctx context.Context, tenant string) ([]note, error)
	Save(ctx context.Context, tenant string, n note) error
	See(ctx context.Context, tenant string, id int64) error
	Insert(ctx context.Context, tenant, text string) (int64, error)
	SeeAll(ctx context.Context, tenant string) error
	Delete(ctx context.Context, tenant string, id int64) error
	Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error)
}

// table is one side: the statements differ by the columns alone.
type table struct {
	db    postgres.DBTX
	name  string
	text  string // expression that reads the text
	write string // columns that keep it
	parts string // expressions over $3 that fill them
	hooks *hooks
}

func v1(h *hooks) postgres.Factory[notes] {
	return postgres.Queued(func(db postgres.DBTX) notes {
		return &table{db: db, name: "notes_v1", text: "body", write: "body", parts: "$3", hooks: h}
	})
}

func v2(h *hooks) postgres.Factory[notes] {
	return postgres.Queued(func(db postgres.DBTX) notes {
		return &table{
			db: db, name: "notes_v2", text: "title || rest", write: "title, rest", hooks: h,
			parts: "split_part($3, ' ', 1), substr($3, length(split_part($3, ' ', 1)) + 1)",
		}
	})
}

// hooks let a test interfere with a side before one of its methods runs.
type hooks struct {
	mu     sync.Mutex
	before map[string]func(ctx context.Context, db postgres.DBTX) error
	silent bool // no statement is sent before: the fence may come later
}

func (h *hooks) on(method string, fn func(ctx context.Context, db postgres.DBTX) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.before == nil {
		h.before = map[string]func(context.Context, postgres.DBTX) error{}
	}
	h.before[method] = fn
}

func (h *hooks) run(ctx context.Context, method string, db postgres.DBTX) error {
	h.mu.Lock()
	fn := h.before[method]
	h.mu.Unlock()
	if fn == nil {
		return nil
	}
	if h.silent {
		return fn(ctx, db)
	}
	if _, err := db.Exec(ctx, "select 1"); err != nil { // and what waited before: fn runs behind the fence
		return err
	}
	return fn(ctx, db)
}

func (t *table) Get(ctx context.Context, tenant string, id int64) (note, error) {
	if err := t.hooks.run(ctx, "Get", t.db); err != nil {
		return note{}, err
	}
	n := note{ID: id}
	err := t.db.QueryRow(ctx, "select "+t.text+", seen from "+t.name+" where tenant = $1 and id = $2", tenant, id).Scan(&n.Text, &n.Seen)
	if errors.Is(err, pgx.ErrNoRows) {
		return note{}, errNoNote
	}
	return n, err
}

func (t *table) All(ctx context.Context, tenant string) ([]note, error) {
	if err := t.hooks.run(ctx, "All", t.db); err != nil {
		return nil, err
	}
	rows, err := t.db.Query(ctx, "select id, "+t.text+", seen from "+t.name+" where tenant = $1 order by id", tenant)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[note])
}

// execComment is what sqlc writes before a statement of kind :exec, which can be queued.
const execComment = "-- name: Save :exec\n"

func (t *table) Save(ctx context.Context, tenant string, n note) error {
	if err := t.hooks.run(ctx, "Save", t.db); err != nil {
		return err
	}
	sets := make([]string, 0, 2)
	for _, column := range strings.Split(t.write, ", ") {
		sets = append(sets, column+" = excluded."+column)
	}
	_, err := t.db.Exec(ctx, execComment+"insert into "+t.name+" (tenant, id, "+t.write+", seen) values ($1, $2, "+strings.ReplaceAll(t.parts, "$3", "$3::text")+", $4) "+
		"on conflict (tenant, id) do update set "+strings.Join(sets, ", ")+", seen = excluded.seen", tenant, n.ID, n.Text, n.Seen)
	return err
}

func (t *table) See(ctx context.Context, tenant string, id int64) error {
	if err := t.hooks.run(ctx, "See", t.db); err != nil {
		return err
	}
	tag, err := t.db.Exec(ctx, "update "+t.name+" set seen = seen + 1 where tenant = $1 and id = $2", tenant, id)
	if err == nil && tag.RowsAffected() == 0 {
		return errNoNote
	}
	return err
}

func (t *table) Insert(ctx context.Context, tenant, text string) (id int64, err error) {
	if err := t.hooks.run(ctx, "Insert", t.db); err != nil {
		return 0, err
	}
	err = t.db.QueryRow(ctx, "insert into "+t.name+" (tenant, id, "+t.write+") select $1, nextval('note_ids'), "+
		strings.ReplaceAll(strings.ReplaceAll(t.parts, "$3", "$2"), "$2", "$2::text")+" returning id", tenant, text).Scan(&id)
	return id, err
}

func (t *table) SeeAll(ctx context.Context, tenant string) error {
	if err := t.hooks.run(ctx, "SeeAll", t.db); err != nil {
		return err
	}
	_, err := t.db.Exec(ctx, "update "+t.name+" set seen = seen + 1 where tenant = $1", tenant)
	return err
}

func (t *table) Delete(ctx context.Context, tenant string, id int64) error {
	if err := t.hooks.run(ctx, "Delete", t.db); err != nil {
		return err
	}
	tag, err := t.db.Exec(ctx, "delete from "+t.name+" where tenant = $1 and id = $2", tenant, id)
	if err == nil && tag.RowsAffected() == 0 {
		return errNoNote
	}
	return err
}

func (t *table) Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error) {
	rows, err := t.db.Query(ctx, "select id from "+t.name+" where tenant = $1 and ($2::bigint is null or id > $2) order by id limit $3", tenant, after, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// routed is what the generator would write for notes.
type routed struct{ route *repo.Route[notes] }

func op(method string, kind repo.Kind) repo.Op {
	return repo.Op{Entity: "Notes", Method: method, Kind: kind, Queue: kind == repo.KindWrite}
}

func keyText(id int64) string { return strconv.FormatInt(id, 10) }

func diffNote(served, other note) []compare.Diff {
	var c compare.Collector
	compare.Equal(&c, "ID", served.ID, other.ID)
	compare.Equal(&c, "Text", served.Text, other.Text)
	compare.Equal(&c, "Seen", served.Seen, other.Seen)
	return c.Diffs()
}

func diffNotes(served, other []note) []compare.Diff {
	var c compare.Collector
	compare.Slice(&c, "", served, other, diffNote)
	return c.Diffs()
}

func (r routed) Get(ctx context.Context, tenant string, id int64) (note, error) {
	return repo.Read(ctx, r.route, op("Get", repo.KindRead), tenant, repo.Key(keyText(id)), diffNote, id,
		func(ctx context.Context, side notes, id int64) (note, error) { return side.Get(ctx, tenant, id) })
}

func (r routed) Lock(ctx context.Context, tenant string, id int64) (note, error) {
	return repo.Lock(ctx, r.route, op("Lock", repo.KindLock), tenant, repo.Key(keyText(id)), id,
		func(ctx context.Context, side notes, id int64) (note, error) { return side.Get(ctx, tenant, id) })
}

func (r routed) All(ctx context.Context, tenant string) ([]note, error) {
	return repo.Read(ctx, r.route, op("All", repo.KindList), tenant, repo.AllKeys(), diffNotes, repo.NoArgs{},
		func(ctx context.Context, side notes, _ repo.NoArgs) ([]note, error) { return side.All(ctx, tenant) })
}

func (r routed) Save(ctx context.Context, tenant string, n note) error {
	return repo.Write(ctx, r.route, op("Save", repo.KindWrite), tenant, repo.Key(keyText(n.ID)), n,
		func(ctx context.Context, side notes, n note) error { return side.Save(ctx, tenant, n) })
}

func (r routed) See(ctx context.Context, tenant string, id int64) error {
	return repo.Write(ctx, r.route, op("See", repo.KindWrite), tenant, repo.Key(keyText(id)), id,
		func(ctx context.Context, side notes, id int64) error { return side.See(ctx, tenant, id) })
}

func (r routed) Insert(ctx context.Context, tenant, text string) (int64, error) {
	return repo.Create(ctx, r.route, op("Insert", repo.KindCreate), tenant, text,
		func(_ string, id int64) []string { return []string{keyText(id)} },
		func(ctx context.Context, side notes, text string) (int64, error) {
			return side.Insert(ctx, tenant, text)
		})
}

func (r routed) SeeAll(ctx context.Context, tenant string) error {
	return repo.Write(ctx, r.route, op("SeeAll", repo.KindWrite), tenant, repo.AllKeys(), repo.NoArgs{},
		func(ctx context.Context, side notes, _ repo.NoArgs) error { return side.SeeAll(ctx, tenant) })
}

func (r routed) Delete(ctx context.Context, tenant string, id int64) error {
	return repo.Write(ctx, r.route, op("Delete", repo.KindWrite), tenant, repo.Key(keyText(id)), id,
		func(ctx context.Context, side notes, id int64) error { return side.Delete(ctx, tenant, id) })
}

func (r routed) in(tx repo.Tx) routed { return routed{r.route.InTx(tx)} }

var copier = repo.CopyBy[notes, int64, note]{
	KeyText:  keyText,
	ParseKey: func(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) },
	KeyOf:    func(n note) int64 { return n.ID },
	Get: func(ctx context.Context, side notes, tenant string, id int64) (note, error) {
		return side.Get(ctx, tenant, id)
	},
	Put: func(ctx context.Context, side notes, tenant string, n note) error { return side.Save(ctx, tenant, n) },
	Delete: func(ctx context.Context, side notes, tenant string, id int64) error {
		return side.Delete(ctx, tenant, id)
	},
	KeysAfter: func(ctx context.Context, side notes, tenant string, after *int64, limit int) ([]int64, error) {
		return side.Keys(ctx, tenant, after, limit)
	},
	IsNotFound: func(err error) bool { return errors.Is(err, errNoNote) },
	Compare:    diffNote,
}

// world is one database with one migration, and one process of the fleet.
type world struct {
	t        *testing.T
	pool     *pgxpool.Pool
	db       *postgres.DB
	set      *flags.Set
	old, new *hooks
	comparer *repo.Comparer
	records  *recorder
	notes    routed
}

type recorder struct {
	mu   sync.Mutex
	seen []compare.Record
}

func (r *recorder) Record(_ context.Context, records []compare.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, records...)
	return nil
}

// newWorld starts at the given stage.
func newWorld(t *testing.T, stage flags.Stage, cfg *postgres.Config) *world {
	t.Helper()
	return newWorldOn(t, pgtest.Pool(t), stage, cfg)
}

func newWorldOn(t *testing.T, pool *pgxpool.Pool, stage flags.Stage, cfg *postgres.Config) *world {
	t.Helper()
	_, err := pool.Exec(t.Context(), `insert into crossfade.migrations (name, entity, from_version, to_version, salt) values ('notes-v2', 'notes', 'v1', 'v2', 'notes')`)
	require.NoError(t, err)
	w := &world{t: t, pool: pool}
	w.publish(stage)
	w.join(cfg)
	return w
}

// another is a second process over the same database.
func (w *world) another() *world {
	w.t.Helper()
	o := &world{t: w.t, pool: w.pool}
	o.join(nil)
	return o
}

func (w *world) join(cfg *postgres.Config) {
	w.t.Helper()
	w.db = postgres.New(w.pool, cfg)
	w.set = flags.NewSet(nil)
	w.set = flags.NewSet(w.fetch)
	require.NoError(w.t, w.fetch(w.t.Context(), "notes-v2"))
	w.old, w.new, w.records = &hooks{}, &hooks{}, &recorder{}
	w.comparer = repo.NewComparer(&repo.ComparerConfig{Sink: w.records})
	w.t.Cleanup(func() { require.NoError(w.t, w.comparer.Shutdown(context.Background())) })
	backend, err := postgres.Sides(w.db, v1(w.old), v2(w.new))
	require.NoError(w.t, err)
	migration, err := versions.Must(versions.New("notes", "v1", "v2")).Last()
	require.NoError(w.t, err)
	route, err := repo.NewRoute(repo.Config[notes]{
		Migration: migration, Flag: w.set.Flag("notes-v2"), Backend: backend, Copier: copier, Comparer: w.comparer,
	})
	require.NoError(w.t, err)
	w.notes = routed{route}
}

// publish puts a policy into force that has everybody at the stage, as the
// control plane would, without its interlocks.
func (w *world) publish(stage flags.Stage) {
	w.t.Helper()
	w.publishShare(stage, flags.Step{})
}

// publishShare does the same with a percentage step.
func (w *world) publishShare(stage flags.Stage, step flags.Step) {
	w.t.Helper()
	var to *string
	if step.Share > 0 {
		name := step.To.String()
		to = &name
	}
	_, err := w.pool.Exec(context.Background(), `
		with next as (update crossfade.migrations set epoch = epoch + 1, policy_id = gen_random_uuid() returning id, epoch, policy_id)
		insert into crossfade.policies (migration_id, epoch, policy_id, default_stage, step_to, step_share, step_of)
		select id, epoch, policy_id, $1, $2, $3, $4 from next`, stage.String(), to, int(step.Share), step.Of.String())
	require.NoError(w.t, err)
}

// step publishes a policy and has this process act on it.
func (w *world) step(stage flags.Stage) {
	w.t.Helper()
	w.publish(stage)
	require.NoError(w.t, w.fetch(w.t.Context(), "notes-v2"))
}

func (w *world) fetch(ctx context.Context, migration string) error {
	p := flags.Policy{Migration: migration}
	var stage, to, of string
	var id [16]byte
	err := w.pool.QueryRow(ctx, `select p.epoch, p.policy_id, p.default_stage, coalesce(p.step_to, ''), p.step_share, p.step_of from crossfade.migrations m
		join crossfade.policies p on p.migration_id = m.id and p.epoch = m.epoch where m.name = $1`, migration).
		Scan(&p.Epoch, &id, &stage, &to, &p.Step.Share, &of)
	if err != nil {
		return fmt.Errorf("load the policy: %w", err)
	}
	p.ID = id
	if p.Step.Share > 0 {
		if p.Step.To, err = flags.ParseStage(to); err != nil {
			return err
		}
		if p.Step.Of, err = flags.ParseShareOf(of); err != nil {
			return err
		}
	}
	if p.Default, err = flags.ParseStage(stage); err != nil {
		return err
	}
	return w.set.Apply(p)
}

// text reads one side in plain SQL; "" when it has no such row.
func (w *world) text(table string, id int64) string {
	w.t.Helper()
	column := "body"
	if table == "notes_v2" {
		column = "title || rest"
	}
	var text string
	err := w.pool.QueryRow(context.Background(), "select "+column+" || ' ' || seen from "+table+" where tenant = $1 and id = $2", tenant, id).Scan(&text)
	if errors.Is(err, pgx.ErrNoRows) {
		return ""
	}
	require.NoError(w.t, err)
	return text
}

// stale lists the stale records as "side:key".
func (w *world) stale() []string {
	w.t.Helper()
	rows, err := w.pool.Query(context.Background(), "select side || ':' || key from crossfade.stale_keys order by id")
	require.NoError(w.t, err)
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(w.t, err)
	return list
}

// settled waits until everything that was served is compared.
func (w *world) settled() repo.ComparerStats {
	w.t.Helper()
	require.NoError(w.t, w.comparer.Shutdown(context.Background()))
	return w.comparer.Stats()
}
