package postgres_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// The error comes with COMMIT, long after the side's method has returned. The
// write runs again, so that the side itself can say what the error means.
func TestErrorOfAQueuedStatementOfTheAuthorityIsTranslatedByTheSide(t *testing.T) {
	for _, stage := range flags.Stages() {
		t.Run(stage.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, stage, nil)
			authority, other := tables(stage)
			w.exec("create unique index on " + authority + " (seen)")
			runs := 0
			w.routeAuthority(stage, func(ctx context.Context, side *table, n note) error {
				runs++
				return taken(side.Save(ctx, tenant, n))
			})
			require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one", Seen: 7}))
			assert.Equal(t, 1, runs)
			require.ErrorIs(t, w.notes.Save(t.Context(), tenant, note{ID: 2, Text: "two", Seen: 7}), errTaken)
			assert.Equal(t, 3, runs)
			assert.Empty(t, w.text(authority, 2))
			assert.Empty(t, w.text(other, 2))
			assert.Empty(t, w.stale())
		})
	}
}

// The same where the statement travels with another one of the side.
func TestErrorOfAQueuedStatementThatTravelsWithAnotherIsTranslatedByTheSide(t *testing.T) {
	for _, stage := range flags.Stages() {
		t.Run(stage.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, stage, nil)
			authority, other := tables(stage)
			w.exec("create unique index on " + authority + " (seen)")
			w.routeAuthority(stage, func(ctx context.Context, side *table, n note) error {
				if err := side.Save(ctx, tenant, n); err != nil {
					return taken(err)
				}
				_, err := side.Get(ctx, tenant, n.ID)
				return err
			})
			require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one", Seen: 7}))
			require.ErrorIs(t, w.notes.Save(t.Context(), tenant, note{ID: 2, Text: "two", Seen: 7}), errTaken)
			assert.Empty(t, w.text(authority, 2))
			assert.Empty(t, w.text(other, 2))
		})
	}
}

// It says that all went well, although one of its statements failed.
func TestErrorThatTheSideWithoutAuthoritySwallowsIsNoSilentDifference(t *testing.T) {
	for _, stage := range both {
		for what, save := range map[string]func(ctx context.Context, side *table, n note) error{
			"queued, then asked": func(ctx context.Context, side *table, n note) error {
				_ = later(ctx, side.db, "select 1 / $1::int", 0)
				_, _ = side.Get(ctx, tenant, n.ID)
				return nil
			},
			"queued": func(ctx context.Context, side *table, _ note) error {
				_ = later(ctx, side.db, "select 1 / $1::int", 0)
				return nil
			},
			"asked": func(ctx context.Context, side *table, _ note) error {
				_, _ = side.db.Exec(ctx, "select 1 / $1::int", 0)
				return nil
			},
			"asked, then queued": func(ctx context.Context, side *table, n note) error {
				_, _ = side.db.Exec(ctx, "select 1 / $1::int", 0)
				_ = side.Save(ctx, tenant, n)
				return nil
			},
		} {
			t.Run(what+" at "+stage.String(), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, stage, nil)
				authority, other := tables(stage)
				w.routeOther(stage, save)
				err := w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"})
				assert.Empty(t, w.text(other, 1))
				if stage.Plan().Strict {
					var failed *repo.SideError
					require.ErrorAs(t, err, &failed)
					assert.Empty(t, w.text(authority, 1))
					return
				}
				require.NoError(t, err)
				assert.Equal(t, "one 0", w.text(authority, 1))
				assert.Equal(t, staleOnOther(stage), w.stale())
			})
		}
	}
}

// The authority says that all went well, although a statement failed: nothing is
// committed, and the caller is told.
func TestErrorThatTheAuthoritySwallowsCommitsNothing(t *testing.T) {
	for _, stage := range flags.Stages() {
		for what, fail := range map[string]func(ctx context.Context, db postgres.DBTX){
			"queued": func(ctx context.Context, db postgres.DBTX) { _ = later(ctx, db, "select 1 / $1::int", 0) },
			"asked":  func(ctx context.Context, db postgres.DBTX) { _, _ = db.Exec(ctx, "select 1 / $1::int", 0) },
			"both": func(ctx context.Context, db postgres.DBTX) {
				_ = later(ctx, db, "select 1 / $1::int", 0)
				_, _ = db.Exec(ctx, "select 1 / $1::int", 0)
			},
		} {
			t.Run(what+" at "+stage.String(), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, stage, nil)
				w.routeAuthority(stage, func(ctx context.Context, side *table, n note) error {
					_ = side.Save(ctx, tenant, n)
					fail(ctx, side.db)
					return nil
				})
				require.Error(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
				assert.Empty(t, w.text("notes_v1", 1))
				w.sameOnBothSides()
			})
		}
	}
}

func TestArgumentThatCannotBeEncodedIsTheFailureOfItsSide(t *testing.T) {
	for _, mode := range execModes {
		for _, stage := range both {
			for what, save := range map[string]func(ctx context.Context, side *table, n note) error{
				"queued": func(ctx context.Context, side *table, _ note) error {
					return later(ctx, side.db, "update "+side.name+" set seen = $1", struct{ A, B int }{1, 2})
				},
				"asked": func(ctx context.Context, side *table, _ note) error {
					_, err := side.db.Exec(ctx, "update "+side.name+" set seen = $1", struct{ A, B int }{1, 2})
					return err
				},
				"asked, then queued": func(ctx context.Context, side *table, n note) error {
					if _, err := side.db.Exec(ctx, "select 1"); err != nil {
						return err
					}
					if err := side.Save(ctx, tenant, n); err != nil {
						return err
					}
					return later(ctx, side.db, "update "+side.name+" set seen = $1", struct{ A, B int }{1, 2})
				},
			} {
				t.Run(what+" at "+stage.String()+" by "+mode.String(), func(t *testing.T) {
					t.Parallel()
					w := newWorldOn(t, poolOf(t, mode), stage, nil)
					authority, other := tables(stage)
					w.routeOther(stage, save)
					err := w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"})
					assert.Empty(t, w.text(other, 1))
					if stage.Plan().Strict {
						var failed *repo.SideError
						require.ErrorAs(t, err, &failed)
						assert.Empty(t, w.text(authority, 1))
						assert.Empty(t, w.stale())
						return
					}
					require.NoError(t, err)
					assert.Equal(t, "one 0", w.text(authority, 1))
					assert.Equal(t, staleOnOther(stage), w.stale())
				})
			}
		}
	}
}
