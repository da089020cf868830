package postgres_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// The application goes on after a strict failure and tries to commit: the new
// side would hold a write that the old side misses, with no record of it.
func TestSwallowedFailureOfTheOldSideAtLiveNeverCommits(t *testing.T) {
	w := newWorld(t, flags.Live, nil)
	w.old.on("Save", func(context.Context, postgres.DBTX) error { return errBoom })
	save := func(ctx context.Context, tx *postgres.Tx) {
		var failed *repo.SideError
		require.ErrorAs(t, w.notes.in(tx).Save(ctx, tenant, note{ID: 1, Text: "one"}), &failed)
	}
	require.Error(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		save(ctx, tx)
		return nil
	}))
	assert.Empty(t, w.text("notes_v2", 1))

	outer, err := w.pool.Begin(t.Context())
	require.NoError(t, err)
	tx, err := w.db.Adopt(t.Context(), outer)
	require.NoError(t, err)
	save(t.Context(), tx)
	require.Error(t, outer.Commit(t.Context()), "PostgreSQL itself refuses it")
	assert.Empty(t, w.text("notes_v2", 1))
}

// The authority's method writes and then returns an error of its own, which the
// application swallows: what it wrote is committed, and the other side must not
// miss it in silence.
func TestSwallowedErrorOfTheAuthorityLeavesNoSilentDifference(t *testing.T) {
	for _, stage := range []flags.Stage{flags.Dual, flags.Shadow, flags.Live, flags.RampDown} {
		t.Run(stage.String(), func(t *testing.T) {
			w := newWorld(t, stage, nil)
			require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
			table, hooks := "notes_v1", w.old
			if stage.Plan().Authority == flags.NewSide {
				table, hooks = "notes_v2", w.new
			}
			hooks.on("See", func(ctx context.Context, db postgres.DBTX) error {
				_, err := db.Exec(ctx, "update "+table+" set seen = 7")
				return errors.Join(err, errBoom)
			})
			require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
				require.ErrorIs(t, w.notes.in(tx).See(ctx, tenant, 1), errBoom)
				return nil
			}))
			assert.Equal(t, w.text("notes_v1", 1), w.text("notes_v2", 1))
			assert.Equal(t, "one 7", w.text(table, 1))
		})
	}
}

// The same where the keys of what the authority wrote are not known: a write by
// predicate, and an insert whose key is in the answer of a call that failed. The
// whole tenant is recorded, or, where the stage is strict, nothing is committed.
func TestSwallowedErrorOfAnAuthorityWhoseKeysAreNotKnownLeavesNoSilentDifference(t *testing.T) {
	for shape, write := range map[string]func(context.Context, routed) error{
		"SeeAll": func(ctx context.Context, n routed) error { return n.SeeAll(ctx, tenant) },
		"Insert": func(ctx context.Context, n routed) error { _, err := n.Insert(ctx, tenant, "b"); return err },
	} {
		for _, stage := range []flags.Stage{flags.Dual, flags.Shadow, flags.Live, flags.RampDown} {
			for _, fail := range []error{errBoom, errNoNote, context.Canceled} {
				t.Run(shape+" at "+stage.String()+" fails with "+fail.Error(), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, stage, nil)
					require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
					table, hooks, record := "notes_v1", w.old, "new:*"
					if stage.Plan().Authority == flags.NewSide {
						table, hooks, record = "notes_v2", w.new, "old:*"
					}
					err := w.db.InTx(t.Context(), func(whole context.Context, tx *postgres.Tx) error {
						ctx, cancel := context.WithCancel(whole)
						defer cancel()
						hooks.on(shape, func(ctx context.Context, db postgres.DBTX) error {
							_, err := db.Exec(ctx, "update "+table+" set seen = 7")
							if errors.Is(fail, context.Canceled) {
								cancel() // of the operation alone: the transaction can still be committed
							}
							return errors.Join(err, fail)
						})
						require.ErrorIs(t, write(ctx, w.notes.in(tx)), fail)
						return nil
					})
					if stage.Plan().Strict {
						require.Error(t, err)
						assert.Equal(t, "one 0", w.text(table, 1))
						assert.Empty(t, w.stale())
						return
					}
					require.NoError(t, err)
					assert.Equal(t, "one 7", w.text(table, 1))
					assert.Equal(t, []string{record}, w.stale())
				})
			}
		}
	}
}

// A refusal before the first statement has written nothing.
func TestRefusalOfTheAuthorityWithoutAStatementCostsNothing(t *testing.T) {
	for _, stage := range []flags.Stage{flags.Dual, flags.Live} {
		w := newWorld(t, stage, nil)
		for _, hooks := range []*hooks{w.old, w.new} {
			hooks.silent = true
			for _, method := range []string{"See", "SeeAll", "Insert"} {
				hooks.on(method, func(context.Context, postgres.DBTX) error { return errBoom })
			}
		}
		require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
			n := w.notes.in(tx)
			require.ErrorIs(t, n.SeeAll(ctx, tenant), errBoom)
			_, err := n.Insert(ctx, tenant, "b")
			require.ErrorIs(t, err, errBoom)
			require.ErrorIs(t, n.See(ctx, tenant, 1), errBoom)
			return nil
		}))
		assert.Empty(t, w.stale())
	}
}

// A statement of the authority that failed has aborted the transaction: nothing
// of it is ever committed, and the error is the caller's.
func TestSwallowedFailureOfAStatementOfTheAuthorityCommitsNothing(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	require.Error(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		n := w.notes.in(tx)
		require.NoError(t, n.Save(ctx, tenant, note{ID: 1, Text: "one"}))
		w.old.on("Insert", func(ctx context.Context, db postgres.DBTX) error {
			_, err := db.Exec(ctx, "select 1/0")
			return err
		})
		_, err := n.Insert(ctx, tenant, "b")
		require.ErrorContains(t, err, "division by zero")
		return nil
	}))
	assert.Empty(t, w.text("notes_v1", 1))
	assert.Empty(t, w.stale())
}

func TestRefusalReplacedByAnotherErrorRunsAgain(t *testing.T) {
	w := newWorld(t, flags.Old, nil)
	runs := 0
	require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		if runs++; runs == 1 {
			w.publish(flags.Dual)
		}
		if w.notes.in(tx).Save(ctx, tenant, note{ID: 1, Text: "one"}) != nil {
			return errBoom
		}
		return nil
	}))
	assert.Equal(t, 2, runs)
}

// COMMIT was never sent: nothing about the outcome is unknown.
func TestCommitThatWasNotSentIsNoUnknownOutcome(t *testing.T) {
	w := newWorld(t, flags.Old, nil)
	ctx, cancel := context.WithCancel(t.Context())
	for what, err := range map[string]error{
		"rows left open": w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Query(ctx, "select generate_series(1, 100)") //nolint:sqlclosecheck // left open on purpose
			return err
		}),
		"ctx ended": w.db.InTx(ctx, func(context.Context, *postgres.Tx) error {
			cancel()
			return nil
		}),
	} {
		require.Error(t, err, what)
		var unknown *repo.UnknownOutcomeError
		assert.NotErrorAs(t, err, &unknown, what)
	}
}

// A candidate that forgets to close its rows blocks the connection for whatever follows.
func TestOpenRowsOfTheOtherSideNeverFailTheWrite(t *testing.T) {
	for name, fail := range map[string]error{"and fails": errBoom, "and succeeds": nil} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, flags.Dual, nil)
			w.new.on("Save", func(ctx context.Context, db postgres.DBTX) error {
				rows, err := db.Query(ctx, "select generate_series(1, 100)")
				if err != nil {
					return err
				}
				rows.Next()
				return fail
			})
			require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
			assert.Equal(t, "one 0", w.text("notes_v1", 1))
		})
	}
}
