package control_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

// names is an entity of two tables of the same form.
type names struct {
	db    postgres.DBTX
	table string
}

var errNoName = errors.New("no such name")

func (n names) get(ctx context.Context, tenant, id string) (v [2]string, err error) {
	v[0] = id
	err = n.db.QueryRow(ctx, "select name from "+n.table+" where tenant = $1 and id = $2", tenant, id).Scan(&v[1])
	if errors.Is(err, pgx.ErrNoRows) {
		err = errNoName
	}
	return v, err
}

func (n names) put(ctx context.Context, tenant string, v [2]string) error {
	_, err := n.db.Exec(ctx, "insert into "+n.table+" values ($1, $2, $3) on conflict (tenant, id) do update set name = excluded.name", tenant, v[0], v[1])
	return err
}

func (n names) remove(ctx context.Context, tenant, id string) error {
	_, err := n.db.Exec(ctx, "delete from "+n.table+" where tenant = $1 and id = $2", tenant, id)
	return err
}

// customers are the repositories of one process.
type customers struct{ route *repo.Route[names] }

// process is a program of the fleet with repositories of its own.
func (w *world) process() customers {
	w.t.Helper()
	m := w.join(control.MemberConfig{})
	side := func(table string) postgres.Factory[names] {
		return func(db postgres.DBTX) names { return names{db, table} }
	}
	backend, err := postgres.Sides(postgres.New(w.pool, nil), side("names_old"), side("names_new"))
	require.NoError(w.t, err)
	route, err := repo.NewRoute(repo.Config[names]{
		Migration: versions.Migration{Name: name, Entity: "customers", From: "v1", To: "v2"}, Flag: m.Flag(name), Backend: backend,
		Copier: repo.CopyBy[names, string, [2]string]{
			KeyText: func(k string) string { return k }, ParseKey: func(k string) (string, error) { return k, nil },
			Get: func(ctx context.Context, side names, tenant, id string) ([2]string, error) {
				return side.get(ctx, tenant, id)
			},
			Put: func(ctx context.Context, side names, tenant string, v [2]string) error {
				return side.put(ctx, tenant, v)
			},
			Delete: func(ctx context.Context, side names, tenant, id string) error {
				return side.remove(ctx, tenant, id)
			},
			KeysAfter:  func(context.Context, names, string, *string, int) ([]string, error) { return nil, nil },
			IsNotFound: func(err error) bool { return errors.Is(err, errNoName) },
			Compare:    func(served, other [2]string) []compare.Diff { return nil },
		},
	})
	require.NoError(w.t, err)
	return customers{route}
}

func (c customers) get(ctx context.Context, id string) (string, error) {
	v, err := repo.Read(ctx, c.route, repo.Op{Entity: "Customers", Method: "Get", Kind: repo.KindRead}, "acme", repo.Key(id), nil, id,
		func(ctx context.Context, side names, id string) ([2]string, error) { return side.get(ctx, "acme", id) })
	return v[1], err
}

func (c customers) put(ctx context.Context, id, value string) error {
	return repo.Write(ctx, c.route, repo.Op{Entity: "Customers", Method: "Put", Kind: repo.KindWrite}, "acme", repo.Key(id), [2]string{id, value},
		func(ctx context.Context, side names, v [2]string) error { return side.put(ctx, "acme", v) })
}

// Failure 12 of ladder.md: live is clean; one process steps to shadow, writes
// the old side while the new one fails, and another, still clean, reads the new
// one. Strict until the last clean reader is gone, the write fails instead.
func TestAWriteAtShadowIsNotMissedByAReaderWhoIsStillClean(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`create table names_old (tenant text, id text, name text, primary key (tenant, id));
		create table names_new (tenant text, id text, name text check (name <> 'bad'), primary key (tenant, id))`)
	writer, reader := w.process(), w.process()
	w.climb(flags.Live)
	require.NoError(t, writer.put(t.Context(), "1", "first"))
	eventually(t, func() bool {
		d, err := reader.route.Flag().(*flags.Flag).Peek(flags.Subject{Tenant: "acme"})
		return err == nil && d.Clean
	}, "readers need not look")

	slow, release := flags.Pin(t.Context(), 0)
	seen, err := reader.get(slow, "1")
	require.NoError(t, err)
	assert.Equal(t, "first", seen)

	var notes diary
	down := toDefault(flags.Shadow)
	down.Report = notes.note
	done := w.applyInBackground(down)
	eventually(t, func() bool {
		d, err := writer.route.Flag().(*flags.Flag).Peek(flags.Subject{Tenant: "acme"})
		return err == nil && d.Stage == flags.Shadow
	}, "the writer has followed")
	var strict *repo.SideError
	require.ErrorAs(t, writer.put(t.Context(), "1", "bad"), &strict, "the new side fails, and a reader would not look")
	require.NoError(t, writer.put(t.Context(), "1", "second"))
	seen, err = reader.get(slow, "1")
	require.NoError(t, err)
	assert.Equal(t, "second", seen, "the reader is still clean, and missed nothing")
	fresh, err := writer.get(t.Context(), "1")
	require.NoError(t, err)
	assert.Equal(t, "second", fresh, "both see the same")
	assert.True(t, w.inForce().StrictShadow)

	release()
	got := <-done
	require.NoError(t, got.err)
	assert.False(t, w.inForce().StrictShadow, "the last clean reader is gone")
	_, err = w.plane.Settle(t.Context(), name, nil)
	require.NoError(t, err)
	require.NoError(t, writer.put(t.Context(), "1", "bad"), "and the old side alone is enough again")
	stale, err := w.store.StaleCounts(t.Context(), name)
	require.NoError(t, err)
	require.Len(t, stale, 1)
	assert.Equal(t, flags.NewSide, stale[0].Side)
}
