package gormtx_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

// notes is an entity whose old side is written with GORM, and whose new side with pgx.
type notes interface {
	Get(ctx context.Context, tenant, id string) (note, error)
	Save(ctx context.Context, tenant string, n note) error
}

type note struct{ ID, Text string }

var errNoNote = errors.New("no such note")

type notesV1 struct{ g *gorm.DB }

type noteV1 struct {
	Tenant string `gorm:"primaryKey"`
	ID     string `gorm:"primaryKey"`
	Text   string
}

func (noteV1) TableName() string { return "notes_v1" }

func (n notesV1) Get(ctx context.Context, tenant, id string) (note, error) {
	var row noteV1
	err := n.g.WithContext(ctx).First(&row, "tenant = ? and id = ?", tenant, id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return note{}, errNoNote
	}
	return note{ID: row.ID, Text: row.Text}, err
}

// Save opens a transaction of its own, as code written long before a migration does.
func (n notesV1) Save(ctx context.Context, tenant string, v note) error {
	err := n.g.WithContext(ctx).Transaction(func(g *gorm.DB) error {
		return g.Clauses(clause.OnConflict{UpdateAll: true}).Create(&noteV1{tenant, v.ID, v.Text}).Error
	})
	if v.Text == "keeps rows" {
		keptRows, err = n.g.WithContext(context.WithoutCancel(ctx)).Table("pg_class").Rows() //nolint:sqlclosecheck // that is the mistake
	}
	return err
}

type notesV2 struct{ q postgres.DBTX }

func (n notesV2) Get(ctx context.Context, tenant, id string) (v note, err error) {
	err = n.q.QueryRow(ctx, "select id, text from notes_v2 where tenant = $1 and id = $2", tenant, id).Scan(&v.ID, &v.Text)
	if errors.Is(err, pgx.ErrNoRows) {
		return note{}, errNoNote
	}
	return v, err
}

func (n notesV2) Save(ctx context.Context, tenant string, v note) error {
	if v.Text == "refused by the new side" {
		_, err := n.q.Exec(ctx, "select 1/0")
		return err
	}
	_, err := n.q.Exec(ctx, `insert into notes_v2 values ($1, $2, $3) on conflict (tenant, id) do update set text = excluded.text`, tenant, v.ID, v.Text)
	return err
}

type routedNotes struct{ route *repo.Route[notes] }

func (r routedNotes) Get(ctx context.Context, tenant, id string) (note, error) {
	op := repo.Op{Entity: "Notes", Method: "Get", Kind: repo.KindRead}
	return repo.Read(ctx, r.route, op, tenant, repo.Key(id), func(a, b note) []compare.Diff {
		var c compare.Collector
		compare.Equal(&c, "Text", a.Text, b.Text)
		return c.Diffs()
	}, id, func(ctx context.Context, side notes, id string) (note, error) { return side.Get(ctx, tenant, id) })
}

func (r routedNotes) Save(ctx context.Context, tenant string, v note) error {
	op := repo.Op{Entity: "Notes", Method: "Save", Kind: repo.KindWrite}
	return repo.Write(ctx, r.route, op, tenant, repo.Key(v.ID), v,
		func(ctx context.Context, side notes, v note) error { return side.Save(ctx, tenant, v) })
}

// routeNotes wires a route at the stage.
func routeNotes(w *world, stage flags.Stage) routedNotes {
	ctx := w.Context()
	_, err := w.pool.Exec(ctx, `
		insert into crossfade.migrations (name, entity, from_version, to_version, salt) values ('notes-v2', 'notes', 'v1', 'v2', 'notes');
		update crossfade.migrations set epoch = epoch + 1, policy_id = gen_random_uuid();`)
	require.NoError(w, err)
	p := flags.Policy{Migration: "notes-v2", Default: stage}
	var id [16]byte
	require.NoError(w, w.pool.QueryRow(ctx, `insert into crossfade.policies (migration_id, epoch, policy_id, default_stage)
		select id, epoch, policy_id, $1 from crossfade.migrations returning epoch, policy_id`, stage.String()).Scan(&p.Epoch, &id))
	p.ID = id
	set := flags.NewSet(nil)
	require.NoError(w, set.Apply(p))
	comparer := repo.NewComparer(nil)
	w.Cleanup(func() { require.NoError(w, comparer.Shutdown(context.Background())) })
	backend, err := postgres.Sides(w.db,
		func(q postgres.DBTX) notes { return notesV1{w.opener.DB(q)} },
		func(q postgres.DBTX) notes { return notesV2{q} })
	require.NoError(w, err)
	migration, err := versions.Must(versions.New("notes", "v1", "v2")).Last()
	require.NoError(w, err)
	route, err := repo.NewRoute(repo.Config[notes]{
		Migration: migration, Flag: set.Flag("notes-v2"), Backend: backend, Comparer: comparer,
		Copier: repo.CopyBy[notes, string, note]{
			KeyText: func(id string) string { return id }, ParseKey: func(id string) (string, error) { return id, nil },
			Get: func(ctx context.Context, side notes, tenant, id string) (note, error) {
				return side.Get(ctx, tenant, id)
			},
			Put:        func(ctx context.Context, side notes, tenant string, v note) error { return side.Save(ctx, tenant, v) },
			Delete:     func(context.Context, notes, string, string) error { return errBoom },
			KeysAfter:  func(context.Context, notes, string, *string, int) ([]string, error) { return nil, errBoom },
			IsNotFound: func(err error) bool { return errors.Is(err, errNoNote) },
		},
	})
	require.NoError(w, err)
	return routedNotes{route}
}

// sides lists what is committed, as "v1 id text".
func sides(w *world) []string {
	w.Helper()
	rows, err := w.pool.Query(context.Background(), `select 'v1 ' || id || ' ' || text from notes_v1 union all
		select 'v2 ' || id || ' ' || text from notes_v2 union all select 'stale ' || side || ' ' || key from crossfade.stale_keys order by 1`)
	require.NoError(w, err)
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(w, err)
	return out
}

func TestRoutedRepositoryWithAGORMSide(t *testing.T) {
	for _, stage := range []flags.Stage{flags.Old, flags.Dual, flags.Shadow, flags.Live, flags.RampDown, flags.New} {
		t.Run(stage.String(), func(t *testing.T) {
			w := newWorld(t)
			r := routeNotes(w, stage)
			require.NoError(t, r.Save(t.Context(), "acme", note{"1", "one"}))
			require.NoError(t, r.Save(t.Context(), "acme", note{"1", "won"}))
			got, err := r.Get(t.Context(), "acme", "1")
			require.NoError(t, err)
			assert.Equal(t, note{"1", "won"}, got)
			_, err = r.Get(t.Context(), "acme", "2")
			require.ErrorIs(t, err, errNoNote)
			want := map[bool][]string{true: {"v1 1 won", "v2 1 won"}, false: {"v1 1 won"}}[stage.Plan().WritesBoth]
			if stage == flags.New {
				want = []string{"v2 1 won"}
			}
			assert.Equal(t, want, sides(w))
		})
	}
}

func TestRoutedRepositoryInTheApplicationsGORMTransaction(t *testing.T) {
	for name := range waysToBegin(newWorld(t)) {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := routeNotes(w, flags.Dual)
			work := func() began {
				app := waysToBegin(w)[name](t.Context())
				require.NoError(t, app.g.Create(&author{Name: "application"}).Error)
				tx, err := app.adopt(t.Context())
				require.NoError(t, err)
				joined := routedNotes{r.route.InTx(tx)}
				require.NoError(t, joined.Save(t.Context(), "acme", note{"1", "one"}))
				require.NoError(t, joined.Save(t.Context(), "acme", note{"2", "refused by the new side"}))
				got, err := joined.Get(t.Context(), "acme", "1")
				require.NoError(t, err)
				assert.Equal(t, "one", got.Text, "it sees its own write")
				var old noteV1
				require.NoError(t, app.g.First(&old, "id = ?", "2").Error, "and the application sees it")
				return app
			}
			require.NoError(t, work().undo())
			assert.Empty(t, append(sides(w), w.names()...), "one rollback undoes both sides, the record and the application's row")
			require.NoError(t, work().commit())
			assert.Equal(t, []string{"stale new 2", "v1 1 one", "v1 2 refused by the new side", "v2 1 one"}, sides(w))
			assert.Equal(t, []string{"application"}, w.names())
		})
	}
}

func TestFenceTellsAnAdoptedTransactionToRunAgain(t *testing.T) {
	w := newWorld(t)
	r := routeNotes(w, flags.Dual)
	app := waysToBegin(w)["GORM"](t.Context())
	tx, err := app.adopt(t.Context())
	require.NoError(t, err)
	_, err = w.pool.Exec(t.Context(), "update crossfade.migrations set epoch = epoch + 1, policy_id = gen_random_uuid()")
	require.NoError(t, err)
	err = routedNotes{r.route.InTx(tx)}.Save(t.Context(), "acme", note{"1", "one"})
	require.True(t, repo.Retryable(err), fmt.Sprint(err))
	require.NoError(t, app.undo())
	assert.Empty(t, sides(w))
}

// Rows that a side keeps beyond its operation, where it was only along for the
// ride, are closed, and do not hand out half a row.
func TestRowsKeptBeyondAnOperation(t *testing.T) {
	w := newWorld(t)
	r := routeNotes(w, flags.Live) // the old side, on GORM, is the one that is protected
	keptRows = nil
	require.NoError(t, r.Save(t.Context(), "acme", note{"1", "keeps rows"}))
	require.NotNil(t, keptRows)
	require.False(t, keptRows.Next())
	require.Error(t, keptRows.Err())
	keptRows.Close()
	assert.Equal(t, []string{"v1 1 keeps rows", "v2 1 keeps rows"}, sides(w))
}

var keptRows *sql.Rows
