package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

func TestServerGoneInTheMiddle(t *testing.T) {
	server, err := pgtest.Start(t.Context(), &pgtest.Config{Own: true, InMemory: true, Settings: map[string]string{"synchronous_commit": "on"}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close(context.Background())) })
	require.NoError(t, migrate(t.Context(), server.URL()))
	pool, err := pgxpool.New(t.Context(), server.URL())
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	w := newWorldOn(t, pool, flags.Dual, nil)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))

	w.new.on("Save", func(ctx context.Context, _ postgres.DBTX) error { return server.Restart(ctx, "immediate") })
	err = w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "two"})
	require.Error(t, err, "the connection is lost, and with it the transaction")
	w.new.on("Save", nil)
	assert.Eventually(t, func() bool { // pooled connections that the crash broke are thrown away one by one
		return w.notes.Save(t.Context(), tenant, note{ID: 2, Text: "three"}) == nil
	}, 30*time.Second, 10*time.Millisecond, "it recovers by itself")
	assert.Equal(t, "one 0", w.text("notes_v1", 1))
	assert.Equal(t, "one 0", w.text("notes_v2", 1))
	assert.Empty(t, w.stale())
}

func TestLostCommitIsAnUnknownOutcome(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	_, err := w.pool.Exec(t.Context(), `
		create function die() returns trigger language plpgsql as $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
		create constraint trigger die after insert on notes_v1 deferrable initially deferred for each row execute function die()`)
	require.NoError(t, err)
	err = w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, "insert into notes_v1 (tenant, id, body) values ('acme', 1, 'one')")
		return err
	})
	var unknown *repo.UnknownOutcomeError
	require.ErrorAs(t, err, &unknown)
	assert.Contains(t, err.Error(), "unknown")
}

func TestReadOnlyServerIsAnErrorAndNothingHangs(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	_, err := w.pool.Exec(t.Context(), "do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$")
	require.NoError(t, err)
	w.pool.Reset()
	err = w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"})
	require.ErrorContains(t, err, "read-only transaction")
	_, err = w.notes.Get(t.Context(), tenant, 1)
	require.ErrorIs(t, err, errNoNote, "reads go on")
}

func TestExhaustedPoolEndsWithTheCallersContext(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	config := w.pool.Config()
	config.MaxConns = 1
	small, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(small.Close)
	s := &world{t: t, pool: small}
	s.join(nil)
	held, err := small.Acquire(t.Context())
	require.NoError(t, err)
	defer held.Release()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = s.notes.Save(ctx, tenant, note{ID: 1, Text: "one"})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "raise the pool's MaxConns")
}

// One connection is enough for everything that a call does: nothing takes a
// second one while it holds the first.
func TestOneConnectionIsEnough(t *testing.T) {
	w := newWorld(t, flags.Live, nil)
	config := w.pool.Config()
	config.MaxConns = 1
	one, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(one.Close)
	s := &world{t: t, pool: one}
	s.join(nil)
	s.publish(flags.Shadow) // the fence will refuse, and the policy is fetched anew
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, s.notes.Save(ctx, tenant, note{ID: 1, Text: "one"}))
	require.NoError(t, s.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := s.notes.in(tx).Insert(ctx, tenant, "made here")
		return err
	}))
	_, err = s.notes.All(ctx, tenant)
	require.NoError(t, err)
	_, err = s.notes.Lock(ctx, tenant, 1)
	require.NoError(t, err)
	stats := s.settled()
	assert.EqualValues(t, 1, stats.Operations[0].Compared)
}

// Version 2 forgot the tenant in its key, so that two tenants' notes collide.
func TestCollidingKeysOfTheNewVersionAreNamedAndNothingIsLost(t *testing.T) {
	for _, stage := range []flags.Stage{flags.Dual, flags.Live} {
		t.Run(stage.String(), func(t *testing.T) {
			w := newWorld(t, stage, nil)
			_, err := w.pool.Exec(t.Context(), "create unique index notes_v2_collide on notes_v2 (id)")
			require.NoError(t, err)
			require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "mine"}))
			err = w.notes.Save(t.Context(), "zenith", note{ID: 1, Text: "theirs"})
			if stage == flags.Live {
				require.ErrorContains(t, err, "notes_v2_collide")
				var theirs int
				require.NoError(t, w.pool.QueryRow(t.Context(), "select count(*) from notes_v1 where tenant = 'zenith'").Scan(&theirs))
				assert.Zero(t, theirs, "nothing was written on either side")
				assert.Equal(t, "mine 0", w.text("notes_v2", 1))
				assert.Empty(t, w.stale())
				return
			}
			require.NoError(t, err)
			var cause string
			require.NoError(t, w.pool.QueryRow(t.Context(), "select cause from crossfade.stale_keys where tenant = 'zenith'").Scan(&cause))
			assert.Equal(t, "SQLSTATE 23505, constraint notes_v2_collide, table public.notes_v2", cause)
			assert.Equal(t, "mine 0", w.text("notes_v2", 1))
			got, err := w.notes.Get(t.Context(), "zenith", 1)
			require.NoError(t, err)
			assert.Equal(t, "theirs", got.Text)
		})
	}
}

func TestCancelledCallLeavesNothingBehind(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	ctx, cancel := context.WithCancel(t.Context())
	w.new.on("Save", func(ctx context.Context, db postgres.DBTX) error {
		cancel()
		_, err := db.Exec(ctx, "select pg_sleep(60)")
		return err
	})
	require.ErrorIs(t, w.notes.Save(ctx, tenant, note{ID: 1, Text: "one"}), context.Canceled)
	assert.Empty(t, w.text("notes_v1", 1))
	assert.Eventually(t, func() bool {
		var locks int
		err := w.pool.QueryRow(context.Background(), "select count(*) from pg_locks l join pg_database d on d.oid = l.database where locktype = 'advisory' and datname = current_database()").Scan(&locks)
		return err == nil && locks == 0
	}, 30*time.Second, 10*time.Millisecond, "no lock stays")
	w.new.on("Save", nil)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "two"}))
}
