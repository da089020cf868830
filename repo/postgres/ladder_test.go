package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

var errBoom = errors.New("boom")

func TestWritesReachTheSidesOfTheirStage(t *testing.T) {
	for _, tc := range []struct {
		stage    flags.Stage
		old, new string
	}{
		{flags.Old, "hello world 0", ""},
		{flags.Dual, "hello world 0", "hello world 0"},
		{flags.Shadow, "hello world 0", "hello world 0"},
		{flags.Live, "hello world 0", "hello world 0"},
		{flags.RampDown, "hello world 0", "hello world 0"},
		{flags.New, "", "hello world 0"},
	} {
		t.Run(tc.stage.String(), func(t *testing.T) {
			w := newWorld(t, tc.stage, nil)
			require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "hello world"}))
			assert.Equal(t, tc.old, w.text("notes_v1", 1))
			assert.Equal(t, tc.new, w.text("notes_v2", 1))
			got, err := w.notes.Get(t.Context(), tenant, 1)
			require.NoError(t, err)
			assert.Equal(t, note{ID: 1, Text: "hello world"}, got)
			locked, err := w.notes.Lock(t.Context(), tenant, 1)
			require.NoError(t, err)
			assert.Equal(t, got, locked)
			list, err := w.notes.All(t.Context(), tenant)
			require.NoError(t, err)
			assert.Equal(t, []note{got}, list)
			assert.Empty(t, w.stale())
		})
	}
}

func TestKeysMadeByTheDatabaseAreTheSameOnBothSides(t *testing.T) {
	for _, stage := range flags.Stages() {
		t.Run(stage.String(), func(t *testing.T) {
			w := newWorld(t, stage, nil)
			id, err := w.notes.Insert(t.Context(), tenant, "made here")
			require.NoError(t, err)
			plan := stage.Plan()
			for i, table := range []string{"notes_v1", "notes_v2"} {
				if plan.WritesBoth || int(plan.Authority) == i {
					assert.Equal(t, "made here 0", w.text(table, id), table)
				} else {
					assert.Empty(t, w.text(table, id), table)
				}
			}
		})
	}
}

func TestFailureOfTheSideWithoutAuthority(t *testing.T) {
	breaks := map[string]func(ctx context.Context, db postgres.DBTX) error{
		"returns an error":   func(context.Context, postgres.DBTX) error { return errBoom },
		"panics":             func(context.Context, postgres.DBTX) error { panic("boom") },
		"breaks a statement": func(ctx context.Context, db postgres.DBTX) error { _, err := db.Exec(ctx, "select 1/0"); return err },
		"swallows a failure": func(ctx context.Context, db postgres.DBTX) error { _, _ = db.Exec(ctx, "select 1/0"); return nil },
		"hangs in a statement": func(ctx context.Context, db postgres.DBTX) error {
			_, err := db.Exec(ctx, "select pg_sleep(600)")
			return err
		},
	}
	for _, stage := range []flags.Stage{flags.Dual, flags.Shadow, flags.Live, flags.RampDown} {
		for name, fn := range breaks {
			t.Run(stage.String()+" "+name, func(t *testing.T) {
				w := newWorld(t, stage, &postgres.Config{OtherStatementTimeout: 100 * time.Millisecond})
				require.NoError(t, w.another().notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}), "by a process with more time")
				other, authority := w.new, "notes_v1"
				if stage >= flags.Live {
					other, authority = w.old, "notes_v2"
				}
				other.on("Save", fn)
				err := w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "two"})
				if stage == flags.Live {
					var side *repo.SideError
					require.ErrorAs(t, err, &side, "a strict stage fails the write")
					assert.Equal(t, "one 0", w.text("notes_v1", 1))
					assert.Equal(t, "one 0", w.text("notes_v2", 1))
					assert.Empty(t, w.stale())
					return
				}
				require.NoError(t, err, "the caller never sees it")
				assert.Equal(t, "two 0", w.text(authority, 1))
				missed := "new:1"
				if stage == flags.RampDown {
					missed = "old:1"
				}
				assert.Equal(t, []string{missed}, w.stale(), "recorded in the same transaction")
				got, err := w.notes.Get(t.Context(), tenant, 1)
				require.NoError(t, err)
				assert.Equal(t, "two", got.Text)
				require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "three"}))
				assert.Len(t, w.stale(), 1, "one record is enough for a key")
				assert.EqualValues(t, 2, w.notes.route.Stats().StaleRecorded)
			})
		}
	}
}

func TestErrorOfTheAuthorityWritesNothing(t *testing.T) {
	for _, stage := range flags.Stages() {
		t.Run(stage.String(), func(t *testing.T) {
			w := newWorld(t, stage, nil)
			authority := w.old
			if stage.Plan().Authority == flags.NewSide {
				authority = w.new
			}
			authority.on("Save", func(context.Context, postgres.DBTX) error { return errBoom })
			err := w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"})
			require.ErrorIs(t, err, errBoom)
			assert.Empty(t, w.text("notes_v1", 1))
			assert.Empty(t, w.text("notes_v2", 1))
			assert.Empty(t, w.stale())
		})
	}
}

func TestPartialWriteOfAKeyThatTheOtherSideLacksCopiesIt(t *testing.T) {
	w := newWorld(t, flags.Old, nil)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "before the backfill"}))
	w.step(flags.Dual)
	require.NoError(t, w.notes.See(t.Context(), tenant, 1))
	assert.Equal(t, "before the backfill 1", w.text("notes_v2", 1))
	assert.Empty(t, w.stale())
	require.ErrorIs(t, w.notes.See(t.Context(), tenant, 2), errNoNote, "not found is the authority's answer")
}

func TestLiveReadsThroughStaleKeys(t *testing.T) {
	w := newWorld(t, flags.Shadow, nil)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 2, Text: "other"}))
	w.new.on("Save", func(context.Context, postgres.DBTX) error { return errBoom })
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "two"}))
	w.new.on("Save", nil)
	w.step(flags.Live)

	got, err := w.notes.Get(t.Context(), tenant, 1)
	require.NoError(t, err)
	assert.Equal(t, "two", got.Text, "failure 3: the write would be gone")
	locked, err := w.notes.Lock(t.Context(), tenant, 1)
	require.NoError(t, err)
	assert.Equal(t, "two", locked.Text)
	list, err := w.notes.All(t.Context(), tenant)
	require.NoError(t, err)
	assert.Equal(t, "two", list[0].Text, "a list comes from the old side while any key is stale")
	assert.EqualValues(t, 3, w.notes.route.Stats().StaleReads)

	require.NoError(t, w.notes.See(t.Context(), tenant, 1), "a partial write first takes the key from the old side")
	assert.Equal(t, "two 1", w.text("notes_v2", 1))
	assert.Equal(t, "two 1", w.text("notes_v1", 1))
	assert.Empty(t, w.stale(), "and clears its record")
}

func TestWriteByPredicateAtLiveFirstCopiesStaleKeys(t *testing.T) {
	w := newWorld(t, flags.Shadow, nil)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
	w.new.on("Save", func(context.Context, postgres.DBTX) error { return errBoom })
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "two"}))
	w.new.on("Save", nil)
	w.step(flags.Live)
	require.NoError(t, w.notes.SeeAll(t.Context(), tenant))
	assert.Equal(t, "two 1", w.text("notes_v2", 1))
	assert.Empty(t, w.stale())
}

func TestMissedWriteByPredicateMakesTheWholeTenantStale(t *testing.T) {
	w := newWorld(t, flags.Shadow, nil)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
	w.new.on("SeeAll", func(context.Context, postgres.DBTX) error { return errBoom })
	require.NoError(t, w.notes.SeeAll(t.Context(), tenant))
	assert.Equal(t, []string{"new:*"}, w.stale())
	w.step(flags.Live)
	got, err := w.notes.Get(t.Context(), tenant, 1)
	require.NoError(t, err)
	assert.EqualValues(t, 1, got.Seen)
	require.NoError(t, w.notes.See(t.Context(), tenant, 1))
	assert.Equal(t, "one 2", w.text("notes_v2", 1))
	assert.Equal(t, []string{"new:*"}, w.stale(), "a copy of one key does not clear the tenant's record")
	require.ErrorContains(t, w.notes.SeeAll(t.Context(), tenant), "reconciler")
}

func TestFallbackAtLive(t *testing.T) {
	w := newWorld(t, flags.Live, nil)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))

	_, err := w.notes.Get(t.Context(), tenant, 2)
	require.ErrorIs(t, err, errNoNote, "not found is an answer")
	assert.EqualValues(t, 0, w.notes.route.Stats().Fallbacks)

	broken := func(ctx context.Context, db postgres.DBTX) error { _, err := db.Exec(ctx, "select 1/0"); return err }
	w.new.on("Get", broken)
	got, err := w.notes.Get(t.Context(), tenant, 1)
	require.NoError(t, err)
	assert.Equal(t, "one", got.Text)
	assert.EqualValues(t, 1, w.notes.route.Stats().Fallbacks)

	require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		got, err := w.notes.in(tx).Get(ctx, tenant, 1)
		assert.Equal(t, "one", got.Text)
		return err
	}), "also inside a transaction")

	_, err = w.pool.Exec(t.Context(), "insert into crossfade.tenant_states (migration_id, tenant, old_complete) select id, '', false from crossfade.migrations")
	require.NoError(t, err)
	_, err = w.notes.Get(t.Context(), tenant, 1)
	require.Error(t, err, "failure 8: an old side that is not complete answers nothing")
	assert.Contains(t, err.Error(), "division by zero")
}
