package postgres_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
)

// capture installs capture of the old side's table.
func (w *world) capture() {
	w.t.Helper()
	_, err := backfill.NewCapture(w.pool, nil).Install(w.t.Context(), "notes-v2", flags.OldSide, false,
		backfill.CaptureTable{Schema: "public", Table: "notes_v1", Tenant: "tenant", Key: []string{"id"}})
	require.NoError(w.t, err)
}

// writers are the shapes of what a side sends, of which some are one statement
// and need neither BEGIN nor COMMIT.
var writers = map[string]func(ctx context.Context, side *table, n note) error{
	"one that waits": func(ctx context.Context, side *table, n note) error { return side.Save(ctx, tenant, n) },
	"two that wait": func(ctx context.Context, side *table, n note) error {
		if err := seeLater(ctx, side, n); err != nil {
			return err
		}
		return side.Save(ctx, tenant, n)
	},
	"one at once": unnamedSave,
	"one at once behind one that waits": func(ctx context.Context, side *table, n note) error {
		if err := seeLater(ctx, side, n); err != nil {
			return err
		}
		return unnamedSave(ctx, side, n)
	},
}

func unnamedSave(ctx context.Context, side *table, n note) error {
	at := *side
	at.db = unnamed{side.db}
	return at.Save(ctx, tenant, n)
}

// Triggers must know a write of the application from one that bypasses it, also
// where its transaction is one batch without BEGIN.
func TestCaptureKnowsTheApplicationsWritesInAQueue(t *testing.T) {
	for shape, write := range writers {
		for _, stage := range []flags.Stage{flags.Old, flags.Dual, flags.Shadow} {
			for name, standing := range map[string]flags.Standing{"fenced": none, "unfenced": unfenced} {
				t.Run(shape+" "+name+" at "+stage.String(), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, stage, nil)
					w.capture()
					w.stand(stage, standing)
					w.route(saves(plainV1, write), saves(plainV2, write), nil)
					for _, uniform := range []string{stage.String(), ""} {
						w.exec("update crossfade.migrations set uniform_stage = '" + uniform + "'")
						require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
						if late := uniform == "" && name == "unfenced" && !stage.Plan().WritesBoth; late {
							assert.Equal(t, staleOnOther(stage), slices.Compact(w.stale()), "a write without a fence that comes after a step is recorded")
						} else {
							assert.Empty(t, w.stale())
						}
						assert.Zero(t, one[int](w, "select count(*) from crossfade.captures"), "nobody bypassed the application")
					}
					w.exec("delete from crossfade.stale_keys; update notes_v1 set seen = 9")
					assert.Equal(t, staleOnOther(stage), w.stale(), "and one that does is recorded")
					assert.Positive(t, one[int](w, "select count(*) from crossfade.captures"))
				})
			}
		}
	}
}

func TestUnfencedWriteOfSeveralStatementsIsWholeOrNothing(t *testing.T) {
	for _, stage := range []flags.Stage{flags.Old, flags.New} {
		for what, fail := range map[string]func(ctx context.Context, side *table) error{
			"waits": func(ctx context.Context, side *table) error { return later(ctx, side.db, "select 1 / $1::int", 0) },
			"asked": func(ctx context.Context, side *table) error {
				_, err := side.db.Exec(ctx, "select 1 / $1::int", 0)
				return err
			},
			"swallowed": func(ctx context.Context, side *table) error {
				_, _ = side.db.Exec(ctx, "select 1 / $1::int", 0)
				return nil
			},
			"its own": func(context.Context, *table) error { return errBoom },
		} {
			for order, write := range map[string]func(ctx context.Context, side *table, n note) error{
				"last": func(ctx context.Context, side *table, n note) error {
					if err := side.Save(ctx, tenant, n); err != nil {
						return err
					}
					return fail(ctx, side)
				},
				"between": func(ctx context.Context, side *table, n note) error {
					if err := side.Save(ctx, tenant, n); err != nil {
						return err
					}
					if err := fail(ctx, side); err != nil {
						return err
					}
					return side.Save(ctx, tenant, n)
				},
			} {
				t.Run(what+" "+order+" at "+stage.String(), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, stage, nil)
					w.stand(stage, unfenced)
					w.routeAuthority(stage, write)
					require.Error(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
					authority, _ := tables(stage)
					assert.Empty(t, w.text(authority, 1))
				})
			}
		}
	}
}

// A database or a role can have another isolation than READ COMMITTED by
// default. Where a batch is a transaction by itself, it has that one.
func TestDefaultIsolationOfTheDatabaseChangesNothing(t *testing.T) {
	for _, level := range []string{"read uncommitted", "repeatable read", "serializable"} {
		for _, stage := range flags.Stages() {
			for name, standing := range map[string]flags.Standing{"": none, " unfenced": unfenced, " clean": clean} {
				if name == " unfenced" && stage.Plan().WritesBoth || name == " clean" && stage != flags.Live {
					continue
				}
				t.Run(level+name+" at "+stage.String(), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, flags.Dual, nil)
					require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
					w.stand(stage, standing)
					w.exec("do $$ begin execute format('alter database %I set default_transaction_isolation = ''" + level + "''', current_database()); end $$")
					w.pool.Reset()
					require.Equal(t, level, one[string](w, "select current_setting('transaction_isolation')"))
					w.everyWrite(stage)
					w.publish(stage) // and a fence that refuses still does
					require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "two"}))
					if standing.UnfencedOld {
						return
					}
					assert.Positive(t, w.notes.route.Stats().Refused)
				})
			}
		}
	}
}

// In a snapshot of its beginning a trigger would take every write that has no
// fence for one that came too late.
func TestUnfencedWriteUnderAnotherDefaultIsolationIsReadCommitted(t *testing.T) {
	for _, level := range []string{"repeatable read", "serializable"} {
		for shape, write := range writers {
			t.Run(shape+" by "+level, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, flags.Old, nil)
				w.capture()
				w.stand(flags.Old, unfenced)
				w.exec("update crossfade.migrations set uniform_stage = 'old'")
				w.exec("do $$ begin execute format('alter database %I set default_transaction_isolation = ''" + level + "''', current_database()); end $$")
				w.pool.Reset()
				w.routeAuthority(flags.Old, write)
				for range 2 {
					require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
				}
				assert.Equal(t, "one 0", w.text("notes_v1", 1))
				assert.Empty(t, w.stale())
			})
		}
	}
}

// A procedure may commit, where it is not inside a transaction: the fence's locks
// would be gone with that, and what follows would be of nobody's epoch.
func TestProcedureThatCommitsIsRefusedInAQueue(t *testing.T) {
	for _, stage := range flags.Stages() {
		for name, standing := range map[string]flags.Standing{"fenced": none, "unfenced": unfenced} {
			for what, sql := range map[string]string{
				"call": "call seen_in_parts()",
				"do":   "do $$ begin update % set seen = seen + 1; commit; update % set seen = seen + 1; end $$",
			} {
				t.Run(what+" "+name+" at "+stage.String(), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, flags.Dual, nil)
					require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
					w.stand(stage, standing)
					authority, _ := tables(stage)
					w.exec(replaceAll(`create procedure seen_in_parts() language plpgsql as $$ begin
						update % set seen = seen + 1; commit; update % set seen = seen + 1; end $$`, authority))
					w.routeAuthority(stage, func(ctx context.Context, side *table, _ note) error {
						return later(ctx, side.db, replaceAll(sql, authority))
					})
					require.ErrorContains(t, w.notes.Save(t.Context(), tenant, note{ID: 1}), "invalid transaction termination")
					assert.Equal(t, "one 0", w.text(authority, 1))
				})
			}
		}
	}
}
