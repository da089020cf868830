package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
)

// seeLater counts by a statement that may wait, and is not to run twice.
func seeLater(ctx context.Context, side *table, n note) error {
	return later(ctx, side.db, "update "+side.name+" set seen = seen + 1 where tenant = $1 and id = $2", tenant, n.ID)
}

// seeAtOnce counts by a statement whose row count is seen.
func seeAtOnce(ctx context.Context, side *table, n note) error { return side.See(ctx, tenant, n.ID) }

// lostWorld is one where note 1 exists and each save counts, over the pool.
func lostWorld(t *testing.T, pool *pgxpool.Pool, stage flags.Stage, standing flags.Standing, see func(context.Context, *table, note) error) *world {
	t.Helper()
	w := newWorldOn(t, pool, flags.Dual, nil)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
	w.stand(stage, standing)
	w.route(saves(plainV1, see), saves(plainV2, see), nil)
	return w
}

// counts are the counts of the side with authority and of the other one.
func (w *world) counts(stage flags.Stage) (authority, other int) {
	w.t.Helper()
	a, o := tables(stage)
	return one[int](w, "select seen from "+a), one[int](w, "select seen from "+o)
}

// The network breaks at each point of a write in turn. A write that says that it
// failed has written nothing, one that says that it went well has written once,
// and only where nobody can know may it be either; it never runs again then.
func TestNetworkThatBreaksAnywhereNeverWritesTwice(t *testing.T) {
	for _, stage := range flags.Stages() {
		for shape, see := range map[string]func(context.Context, *table, note) error{"queued": seeLater, "at once": seeAtOnce} {
			for name, standing := range map[string]flags.Standing{"": none, " unfenced": unfenced, " clean": clean} {
				if name == " unfenced" && stage.Plan().WritesBoth || name == " clean" && stage != flags.Live {
					continue
				}
				t.Run(shape+name+" at "+stage.String(), func(t *testing.T) {
					t.Parallel()
					pool, network := cuttable(t)
					w := lostWorld(t, pool, stage, standing, see)
					for _, how := range []breakage{beforeSending, whileSending, afterAnswering} {
						for n := range 1000 {
							if !w.breakAt(network, stage, how, n) {
								assert.Positive(t, n, "it broke at least once %s", how)
								break
							}
						}
					}
				})
			}
		}
	}
}

// breakAt writes while the network breaks at event n, and reports whether it did.
func (w *world) breakAt(network *cutter, stage flags.Stage, how breakage, n int) bool {
	w.t.Helper()
	what := fmt.Sprintf("%s, event %d", how, n)
	if n%2 == 1 { // every other time the connection is new, and nothing is prepared
		require.NoError(w.t, w.notes.Save(w.t.Context(), tenant, note{ID: 1}), what)
	}
	before, beforeOther := w.counts(stage)
	network.arm(how, n)
	err := w.notes.Save(w.t.Context(), tenant, note{ID: 1})
	broke := network.disarm()
	w.quiet()
	after, other := w.counts(stage)
	var unknown *repo.UnknownOutcomeError
	switch {
	case err == nil:
		assert.Equal(w.t, before+1, after, what)
	case errors.As(err, &unknown):
		assert.GreaterOrEqual(w.t, before+1, after, what)
	default:
		assert.Equal(w.t, before, after, "%s: %v", what, err)
	}
	if stage.Plan().WritesBoth {
		assert.Equal(w.t, after-before, other-beforeOther, "%s: both sides or none", what)
	}
	assert.Empty(w.t, w.stale(), what)
	return broke
}

// quiet waits until no backend of this database is in the middle of something.
func (w *world) quiet() {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		var busy int
		err := w.pool.QueryRow(context.Background(), `select count(*) from pg_stat_activity
			where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`).Scan(&busy)
		return err == nil && busy == 0
	}, 30*time.Second, time.Millisecond)
}

// ends are points of a write at which the server ends the session.
var ends = map[string]struct{ table, timing string }{
	"at a statement of the authority":      {"authority", "after insert or update on % "},
	"at a statement of the other side":     {"other", "after insert or update on % "},
	"as the authority's write is checked":  {"authority", "after insert or update on % deferrable initially deferred "},
	"as the other side's write is checked": {"other", "after insert or update on % deferrable initially deferred "},
}

func TestSessionThatTheServerEndsInAQueueIsNeverRedone(t *testing.T) {
	for point, end := range ends {
		for _, stage := range flags.Stages() {
			for shape, see := range map[string]func(context.Context, *table, note) error{"queued": seeLater, "at once": seeAtOnce} {
				if end.table == "other" && !stage.Plan().WritesBoth {
					continue
				}
				t.Run(shape+" "+point+" at "+stage.String(), func(t *testing.T) {
					t.Parallel()
					runs := 0
					w := lostWorld(t, poolOf(t, execModes[0]), stage, none, func(ctx context.Context, side *table, n note) error {
						if authority, _ := tables(stage); side.name == authority {
							runs++
						}
						return see(ctx, side, n)
					})
					authority, other := tables(stage)
					on := map[string]string{"authority": authority, "other": other}[end.table]
					w.exec(replaceAll(`create function die() returns trigger language plpgsql as $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
						create constraint trigger die `+end.timing+`for each row execute function die()`, on))
					err := w.notes.Save(t.Context(), tenant, note{ID: 1})
					require.Error(t, err)
					assert.Equal(t, 1, runs, "%v", err)
					w.exec("drop trigger die on " + on)
					a, o := w.counts(stage)
					assert.Zero(t, a)
					assert.Zero(t, o)
					assert.Empty(t, w.stale())
					require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1}), "and it recovers")
				})
			}
		}
	}
}

// The caller gives up, at a time that nobody chose.
func TestCallerWhoGivesUpAtAnyTimeGetsWhatTheErrorSays(t *testing.T) {
	for _, stage := range flags.Stages() {
		t.Run(stage.String(), func(t *testing.T) {
			t.Parallel()
			w := lostWorld(t, poolOf(t, execModes[0]), stage, none, seeLater)
			before, _ := w.counts(stage)
			committed, open := 0, 0 // what was sent may reach the server later than anybody can wait for
			for i := range 60 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*50*time.Microsecond)
				err := w.notes.Save(ctx, tenant, note{ID: 1})
				cancel()
				var unknown *repo.UnknownOutcomeError
				switch {
				case err == nil:
					committed++
				case errors.As(err, &unknown):
					open++
				}
			}
			w.idle()
			after, _ := w.counts(stage)
			assert.GreaterOrEqual(t, after-before, committed)
			assert.LessOrEqual(t, after-before, committed+open)
			authority, other := w.counts(stage)
			if stage.Plan().WritesBoth {
				assert.Equal(t, authority, other)
			}
			assert.Empty(t, w.stale())
		})
	}
}

// idle waits until no session of this database is in a transaction.
func (w *world) idle() {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		var busy int
		err := w.pool.QueryRow(context.Background(), `select count(*) from pg_stat_activity
			where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend' and state <> 'idle'`).Scan(&busy)
		return err == nil && busy == 0
	}, 30*time.Second, time.Millisecond)
}
