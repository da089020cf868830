package postgres_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

// unnamed takes from statements the comment by which they can be queued.
type unnamed struct{ postgres.DBTX }

func (u unnamed) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return u.DBTX.Exec(ctx, strings.TrimPrefix(sql, execComment), args...)
}

// sort is how the writes of the two sides are written.
type sort int

const (
	raw    sort = iota // statements that run at once
	queued             // statements that can be queued, on both sides
	mixed              // raw on the old side, queueable on the new one
)

func (s sort) factories() (oldSide, newSide postgres.Factory[notes]) {
	atOnce := func(side postgres.Factory[notes]) postgres.Factory[notes] {
		return func(db postgres.DBTX) notes { return side(unnamed{db}) }
	}
	oldSide, newSide = v1(&hooks{}), v2(&hooks{})
	if s != queued {
		oldSide = atOnce(oldSide)
	}
	if s == raw {
		newSide = atOnce(newSide)
	}
	return oldSide, newSide
}

// wired is a world of which the traffic is counted, without a comparer, which
// would read after the caller has its answer.
func wired(t *testing.T, stage flags.Stage, standing flags.Standing, s sort) (*world, *wire) {
	t.Helper()
	return wiredWith(t, stage, standing, s, nil)
}

func wiredWith(
	t *testing.T, stage flags.Stage, standing flags.Standing, s sort, cfg *postgres.Config, options ...func(*pgxpool.Config),
) (*world, *wire) {
	t.Helper()
	pool, wire := counted(t, options...)
	w := newWorldOn(t, pool, flags.Dual, cfg)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "hello world"}))
	w.stand(stage, standing)
	backend, err := postgres.Sides(w.db, first(s.factories()), second(s.factories()))
	require.NoError(t, err)
	migration, err := versions.Must(versions.New("notes", "v1", "v2")).Last()
	require.NoError(t, err)
	route, err := repo.NewRoute(repo.Config[notes]{Migration: migration, Flag: w.set.Flag("notes-v2"), Backend: backend, Copier: copier})
	require.NoError(t, err)
	w.notes = routed{route}
	return w, wire
}

func first[A, B any](a A, _ B) A  { return a }
func second[A, B any](_ A, b B) B { return b }

// call is one operation of a routed repository.
type call func(ctx context.Context, w *world) error

func get(ctx context.Context, w *world) error  { _, err := w.notes.Get(ctx, tenant, 1); return err }
func list(ctx context.Context, w *world) error { _, err := w.notes.All(ctx, tenant); return err }
func lock(ctx context.Context, w *world) error { _, err := w.notes.Lock(ctx, tenant, 1); return err }

func save(ctx context.Context, w *world) error {
	return w.notes.Save(ctx, tenant, note{ID: 1, Text: "hello world"})
}

func insert(ctx context.Context, w *world) error {
	_, err := w.notes.Insert(ctx, tenant, "made here")
	return err
}

func saveTwiceInOne(ctx context.Context, w *world) error {
	return w.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		inTx := &world{notes: w.notes.in(tx)}
		if err := save(ctx, inTx); err != nil {
			return err
		}
		return save(ctx, inTx)
	})
}

var (
	none     = flags.Standing{}
	unfenced = flags.Standing{UnfencedOld: true, UnfencedNew: true}
	clean    = flags.Standing{Clean: true}
)

// The table is exact: it holds on any machine, under any load. Where a change
// lowers a figure, lower it here; where one raises it, the operation waits for
// the network once more, and the reason belongs into this table.
func TestRoundTripsAndStatementsOfEachOperation(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		stage    flags.Stage
		standing flags.Standing
		sort     sort
		call     call
		want     traffic
	}{
		{"a read by key", flags.Old, none, raw, get, traffic{1, 1}},
		{"a read by key", flags.Dual, none, raw, get, traffic{1, 1}},
		{"a read by key", flags.Shadow, none, raw, get, traffic{1, 1}},
		{"a read by key", flags.Live, none, raw, get, traffic{3, 5}},
		{"a read by key", flags.RampDown, none, raw, get, traffic{1, 1}},
		{"a read by key", flags.New, none, raw, get, traffic{1, 1}},
		{"a read by key of a clean policy", flags.Live, clean, raw, get, traffic{1, 1}},
		{"a list", flags.Old, none, raw, list, traffic{1, 1}},
		{"a list", flags.Dual, none, raw, list, traffic{1, 1}},
		{"a list", flags.Shadow, none, raw, list, traffic{1, 1}},
		{"a list", flags.Live, none, raw, list, traffic{3, 5}},
		{"a list", flags.RampDown, none, raw, list, traffic{1, 1}},
		{"a list", flags.New, none, raw, list, traffic{1, 1}},
		{"a list of a clean policy", flags.Live, clean, raw, list, traffic{1, 1}},
		{"a locking read", flags.Old, none, raw, lock, traffic{2, 5}},
		{"a locking read", flags.Dual, none, raw, lock, traffic{2, 5}},
		{"a locking read", flags.Shadow, none, raw, lock, traffic{2, 5}},
		{"a locking read", flags.Live, none, raw, lock, traffic{3, 5}},
		{"a locking read", flags.RampDown, none, raw, lock, traffic{2, 5}},
		{"a locking read", flags.New, none, raw, lock, traffic{2, 5}},
		{"a write that runs at once", flags.Old, none, raw, save, traffic{2, 5}},
		{"a write that runs at once", flags.Dual, none, raw, save, traffic{3, 9}},
		{"a write that runs at once", flags.Shadow, none, raw, save, traffic{3, 9}},
		{"a write that runs at once", flags.Live, none, raw, save, traffic{4, 9}},
		{"a write that runs at once", flags.RampDown, none, raw, save, traffic{3, 9}},
		{"a write that runs at once", flags.New, none, raw, save, traffic{2, 5}},
		{"an unfenced write that runs at once", flags.Old, unfenced, raw, save, traffic{2, 4}},
		{"an unfenced write that runs at once", flags.New, unfenced, raw, save, traffic{2, 4}},
		{"a write that runs at once of a clean policy", flags.Live, clean, raw, save, traffic{3, 9}},
		{"a write that can be queued", flags.Old, none, queued, save, traffic{1, 3}},
		{"a write that can be queued", flags.Dual, none, queued, save, traffic{1, 4}},
		{"a write that can be queued", flags.Shadow, none, queued, save, traffic{1, 4}},
		{"a write that can be queued", flags.Live, none, queued, save, traffic{2, 9}},
		{"a write that can be queued", flags.RampDown, none, queued, save, traffic{1, 4}},
		{"a write that can be queued", flags.New, none, queued, save, traffic{1, 3}},
		{"an unfenced write that can be queued", flags.Old, unfenced, queued, save, traffic{1, 2}},
		{"an unfenced write that can be queued", flags.New, unfenced, queued, save, traffic{1, 2}},
		{"a write that can be queued of a clean policy", flags.Live, clean, queued, save, traffic{1, 4}},
		{"a write that can be queued on the new side", flags.Dual, none, mixed, save, traffic{2, 9}},
		{"a write that can be queued on the new side", flags.Shadow, none, mixed, save, traffic{2, 9}},
		{"a write that can be queued on the new side", flags.Live, none, mixed, save, traffic{3, 9}},
		{"a write that can be queued on the new side", flags.RampDown, none, mixed, save, traffic{2, 9}},
		{"an insert whose key the database makes", flags.Old, none, raw, insert, traffic{2, 5}},
		{"an insert whose key the database makes", flags.Dual, none, raw, insert, traffic{4, 11}},
		{"an insert whose key the database makes", flags.Shadow, none, raw, insert, traffic{4, 11}},
		{"an insert whose key the database makes", flags.Live, none, raw, insert, traffic{4, 11}},
		{"an insert whose key the database makes", flags.RampDown, none, raw, insert, traffic{4, 11}},
		{"an insert whose key the database makes", flags.New, none, raw, insert, traffic{2, 5}},
		{"two writes in one transaction", flags.Old, none, raw, saveTwiceInOne, traffic{6, 9}},
		{"two writes in one transaction", flags.Dual, none, raw, saveTwiceInOne, traffic{12, 21}},
		{"two writes in one transaction", flags.Live, none, raw, saveTwiceInOne, traffic{12, 21}},
		{"two writes in one transaction", flags.New, none, raw, saveTwiceInOne, traffic{6, 9}},
		{"two writes that can be queued in one transaction", flags.Old, none, queued, saveTwiceInOne, traffic{6, 9}},
		{"two writes that can be queued in one transaction", flags.Dual, none, queued, saveTwiceInOne, traffic{12, 21}},
		{"two writes that can be queued in one transaction", flags.Live, none, queued, saveTwiceInOne, traffic{12, 21}},
		{"two writes that can be queued in one transaction", flags.New, none, queued, saveTwiceInOne, traffic{6, 9}},
	} {
		t.Run(tc.name+" at "+tc.stage.String(), func(t *testing.T) {
			t.Parallel()
			w, wire := wired(t, tc.stage, tc.standing, tc.sort)
			run := func() { require.NoError(t, tc.call(t.Context(), w)) }
			for range 3 { // until every statement is prepared, and the migration's number is known
				run()
			}
			assert.Equal(t, tc.want, wire.during(run))
			assert.Equal(t, tc.want, wire.during(run), "and the same again")
		})
	}
}

// What nobody routes is the measure of what routing adds.
func TestRoundTripsOfDirectCalls(t *testing.T) {
	t.Parallel()
	pool, wire := counted(t)
	side := v1(&hooks{})(pool)
	ctx := t.Context()
	require.NoError(t, side.Save(ctx, tenant, note{ID: 1, Text: "hello world"}))
	read := func() { _, err := side.Get(ctx, tenant, 1); require.NoError(t, err) }
	write := func() { require.NoError(t, side.Save(ctx, tenant, note{ID: 1, Text: "hello world"})) }
	read()
	assert.Equal(t, traffic{1, 1}, wire.during(read))
	assert.Equal(t, traffic{1, 1}, wire.during(write))
}
