package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/pgtest"
)

// execModes are the ways in which pgx sends statements.
var execModes = []pgx.QueryExecMode{
	pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
	pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
}

func poolOf(t *testing.T, mode pgx.QueryExecMode) *pgxpool.Pool {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(pgtest.New(t))
	require.NoError(t, err)
	cfg.ConnConfig.DefaultQueryExecMode = mode
	cfg.MaxConns = 4
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// Every shape of write, at every stage, in every way in which pgx can be told to
// send statements: each leaves both sides as they should be.
func TestWritesInEveryModeOfSending(t *testing.T) {
	for _, mode := range execModes {
		for _, stage := range flags.Stages() {
			for name, standing := range map[string]flags.Standing{"": none, " unfenced": unfenced, " clean": clean} {
				if name == " unfenced" && stage.Plan().WritesBoth || name == " clean" && stage != flags.Live {
					continue
				}
				t.Run(mode.String()+name+" at "+stage.String(), func(t *testing.T) {
					t.Parallel()
					w := newWorldOn(t, poolOf(t, mode), flags.Dual, nil)
					require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
					w.stand(stage, standing)
					for range 3 { // with and without what is prepared
						w.everyWrite(stage)
					}
				})
			}
		}
	}
}

func (w *world) everyWrite(stage flags.Stage) {
	t := w.t
	t.Helper()
	ctx := t.Context()
	authority, other := tables(stage)
	require.NoError(t, w.notes.Save(ctx, tenant, note{ID: 1, Text: "it's \\ \"quoted\" $1 %", Seen: 1}))
	require.NoError(t, w.notes.See(ctx, tenant, 1))
	require.NoError(t, w.notes.SeeAll(ctx, tenant))
	assert.Equal(t, "it's \\ \"quoted\" $1 % 3", w.text(authority, 1))
	require.ErrorIs(t, w.notes.See(ctx, tenant, 404), errNoNote)
	require.ErrorIs(t, w.notes.Delete(ctx, tenant, 404), errNoNote)
	id, err := w.notes.Insert(ctx, tenant, "made here")
	require.NoError(t, err)
	assert.Equal(t, "made here 0", w.text(authority, id))
	got, err := w.notes.Lock(ctx, tenant, id)
	require.NoError(t, err)
	assert.Equal(t, note{ID: id, Text: "made here"}, got)
	if stage.Plan().WritesBoth {
		w.sameOnBothSides()
		assert.Equal(t, "made here 0", w.text(other, id))
		w.exec("delete from " + other + " where id = " + keyText(id))
		require.NoError(t, w.notes.See(ctx, tenant, id), "a partial write of a key that the other side lacks copies it")
		assert.Equal(t, "made here 1", w.text(other, id))
	}
	require.NoError(t, w.notes.Delete(ctx, tenant, id))
	assert.Empty(t, w.text(authority, id))
	assert.Empty(t, w.text(other, id))
	require.NoError(t, saveTwiceInOne(ctx, w))
	assert.Equal(t, "hello world 0", w.text(authority, 1))
	assert.Empty(t, w.stale())
	assert.Zero(t, w.pool.Stat().AcquiredConns())
}

// What the other side cannot write is recorded in every mode.
func TestFailureOfTheOtherSideInEveryModeOfSending(t *testing.T) {
	for _, mode := range execModes {
		for _, stage := range lenient {
			t.Run(mode.String()+" at "+stage.String(), func(t *testing.T) {
				t.Parallel()
				w := newWorldOn(t, poolOf(t, mode), stage, nil)
				authority, other := tables(stage)
				w.exec("alter table " + other + " add check (seen < 13)")
				for i := range int64(3) {
					for _, seen := range []int64{i, 13 + i} {
						require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one", Seen: seen}))
						assert.Equal(t, "one "+keyText(seen), w.text(authority, 1))
					}
					assert.Equal(t, "one "+keyText(i), w.text(other, 1))
					assert.Equal(t, staleOnOther(stage), w.stale())
				}
			})
		}
	}
}
