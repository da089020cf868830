package postgres_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// heard is what the triggers of capture would be told by a statement now: the
// mark of an operation, and the migration that writes without a fence.
func heard(ctx context.Context, t *testing.T, db postgres.DBTX) (mark, unfenced string) {
	t.Helper()
	require.NoError(t, db.QueryRow(ctx, `select coalesce(current_setting('crossfade.mark', true), ''), coalesce(current_setting('crossfade.unfenced', true), '')`).
		Scan(&mark, &unfenced))
	return mark, unfenced
}

// unfencedWorld writes at old without fences, under capture, and notes what each
// write and each locking read tells its triggers.
func unfencedWorld(t *testing.T) (w *world, told map[string]string) {
	t.Helper()
	w = newWorld(t, flags.Old, nil)
	w.exec(`update crossfade.migrations set captured = true; insert into notes_v1 (tenant, id, body) values ('acme', 1, 'one')`)
	w.stand(flags.Old, flags.Standing{UnfencedOld: true})
	told = map[string]string{}
	for _, method := range []string{"Save", "Get"} {
		w.old.on(method, func(ctx context.Context, db postgres.DBTX) error {
			mark, unfenced := heard(ctx, t, db)
			told[method] = mark + "|" + unfenced
			return nil
		})
	}
	return w, told
}

const (
	lockedOne  = "{1,keys,acme,1}|"
	saidToRest = "|notes-v2"
	nothing    = "|"
)

func plainly(ctx context.Context, t *testing.T, db postgres.DBTX) string {
	t.Helper()
	mark, unfenced := heard(ctx, t, db)
	return mark + "|" + unfenced
}

// Its rows in tables of another migration would else count as marked, and those
// of its own, where it comes too late, as those of somebody else.
func TestUnfencedWriteInATransactionOfTheApplicationSaysWhatItIs(t *testing.T) {
	w, told := unfencedWorld(t)
	require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		n := w.notes.in(tx)
		for range 2 {
			_, err := n.Lock(ctx, tenant, 1)
			require.NoError(t, err)
			assert.Equal(t, lockedOne, told["Get"])
			for id := range int64(2) {
				require.NoError(t, n.Save(ctx, tenant, note{ID: 2 + id, Text: "two"}))
				assert.Equal(t, saidToRest, told["Save"], "and not the mark of the operation before")
			}
		}
		assert.Equal(t, nothing, plainly(ctx, t, tx), "the application's own statement is neither")
		return nil
	}))
}

func TestUnfencedWriteAfterASavepointSaysSoAgain(t *testing.T) {
	w, told := unfencedWorld(t)
	require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		for _, sql := range []string{"savepoint a", "select 1/0", "rollback to savepoint a"} {
			if _, err := tx.Exec(ctx, sql); sql != "select 1/0" {
				require.NoError(t, err)
			}
			if sql == "savepoint a" {
				require.NoError(t, w.notes.in(tx).Save(ctx, tenant, note{ID: 2, Text: "two"}))
			}
		}
		clear(told)
		require.NoError(t, w.notes.in(tx).Save(ctx, tenant, note{ID: 2, Text: "two"}))
		assert.Equal(t, saidToRest, told["Save"])
		return nil
	}))
}

func TestUnfencedWriteInAnAdoptedTransactionSaysWhatItIs(t *testing.T) {
	w, told := unfencedWorld(t)
	outer, err := w.pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = outer.Rollback(context.Background()) }()
	tx, err := w.db.Adopt(t.Context(), outer)
	require.NoError(t, err)
	n := w.notes.in(tx)
	for range 2 {
		_, err = n.Lock(t.Context(), tenant, 1)
		require.NoError(t, err)
		assert.Equal(t, lockedOne, told["Get"])
		require.NoError(t, n.Save(t.Context(), tenant, note{ID: 2, Text: "two"}))
		assert.Equal(t, saidToRest, told["Save"])
		assert.Equal(t, nothing, plainly(t.Context(), t, outer), "the application's own statement is neither")
	}
}

// The application recovers, and goes on with statements of its own.
func TestMarkEndsWithAnOperationThatPanicsOrWhoseContextEnds(t *testing.T) {
	for name, end := range map[string]func(context.CancelFunc){
		"panics":   func(context.CancelFunc) { panic("of the application's own") },
		"ctx ends": func(cancel context.CancelFunc) { cancel() },
	} {
		for _, unfenced := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				w, _ := unfencedWorld(t)
				w.stand(flags.Old, flags.Standing{UnfencedOld: unfenced})
				outer, err := w.pool.Begin(t.Context())
				require.NoError(t, err)
				defer func() { _ = outer.Rollback(context.Background()) }()
				tx, err := w.db.Adopt(t.Context(), outer)
				require.NoError(t, err)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				w.old.on("Save", func(ctx context.Context, db postgres.DBTX) error {
					assert.NotEqual(t, nothing, plainly(ctx, t, db))
					end(cancel)
					return ctx.Err()
				})
				func() {
					defer func() { _ = recover() }()
					_ = w.notes.in(tx).Save(ctx, tenant, note{ID: 1, Text: "two"})
				}()
				assert.Equal(t, nothing, plainly(t.Context(), t, outer))
			})
		}
	}
}
