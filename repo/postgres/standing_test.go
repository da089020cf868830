package postgres_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// stand publishes a policy that has everybody at the stage and says that
// something holds, and has this process act on it.
func (w *world) stand(stage flags.Stage, standing flags.Standing) {
	w.t.Helper()
	w.publish(stage)
	p := flags.Policy{Migration: "notes-v2", Default: stage, Standing: standing}
	var id [16]byte
	require.NoError(w.t, w.pool.QueryRow(context.Background(), `select epoch, policy_id from crossfade.migrations`).Scan(&p.Epoch, &id))
	p.ID = id
	require.NoError(w.t, w.set.Apply(p))
}

func (w *world) exec(sql string) {
	w.t.Helper()
	_, err := w.pool.Exec(context.Background(), sql)
	require.NoError(w.t, err)
}

// differing has both sides hold note 7, each with another text, and says that
// the new side's is stale.
func (w *world) differing() {
	w.t.Helper()
	w.exec(`insert into notes_v1 (tenant, id, body) values ('acme', 7, 'of the old');
		insert into notes_v2 (tenant, id, title, rest) values ('acme', 7, 'of', ' the new');
		insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause) select id, 'acme', 'new', '7', 1, 'test' from crossfade.migrations`)
}

func TestReadsUnderACleanPolicyDoNotLookForStaleKeys(t *testing.T) {
	t.Parallel()
	for _, clean := range []bool{false, true} {
		w := newWorld(t, flags.Live, nil)
		w.differing()
		w.stand(flags.Live, flags.Standing{Clean: clean})
		want := "of the old"
		if clean {
			want = "of the new" // nothing can be stale where that is said: nobody looks
		}
		one, err := w.notes.Get(t.Context(), tenant, 7)
		require.NoError(t, err)
		assert.Equal(t, want, one.Text)
		all, err := w.notes.All(t.Context(), tenant)
		require.NoError(t, err)
		require.Len(t, all, 1)
		assert.Equal(t, want, all[0].Text)
		locked, err := w.notes.Lock(t.Context(), tenant, 7)
		require.NoError(t, err)
		assert.Equal(t, want, locked.Text)
		require.NoError(t, repo.Each(t.Context(), w.notes.route, op("Each", repo.KindStream), tenant, repo.NoArgs{},
			func(ctx context.Context, side notes, _ repo.NoArgs) error {
				all, err := side.All(ctx, tenant)
				require.NoError(t, err)
				assert.Equal(t, want, all[0].Text)
				return nil
			}))
		require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
			one, err := w.notes.in(tx).Get(ctx, tenant, 7)
			assert.Equal(t, want, one.Text)
			return err
		}))
	}
}

func TestTheFallbackOfACleanReadLooksNevertheless(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Live, nil)
	w.differing()
	w.exec(`delete from crossfade.stale_keys`)
	w.stand(flags.Live, flags.Standing{Clean: true})
	broken := errors.New("the new side is broken")
	w.new.on("Get", func(context.Context, postgres.DBTX) error { return broken })
	one, err := w.notes.Get(t.Context(), tenant, 7)
	require.NoError(t, err)
	assert.Equal(t, "of the old", one.Text)
	w.exec(`insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause) select id, 'acme', 'old', '7', 1, 'test' from crossfade.migrations`)
	_, err = w.notes.Get(t.Context(), tenant, 7)
	require.ErrorIs(t, err, broken, "the old side misses a write of this key")
}

func TestAtStrictShadowAFailingNewSideFailsTheWrite(t *testing.T) {
	t.Parallel()
	broken := errors.New("the new side is broken")
	for _, strict := range []bool{false, true} {
		w := newWorld(t, flags.Shadow, nil)
		w.stand(flags.Shadow, flags.Standing{StrictShadow: strict})
		for _, method := range []string{"Save", "SeeAll"} {
			w.new.on(method, func(context.Context, postgres.DBTX) error { return broken })
		}
		w.new.on("Get", func(context.Context, postgres.DBTX) error { return broken })
		writes := map[string]func(context.Context, routed) error{
			"a write by key":       func(ctx context.Context, n routed) error { return n.Save(ctx, tenant, note{ID: 1, Text: "a b"}) },
			"a write by predicate": func(ctx context.Context, n routed) error { return n.SeeAll(ctx, tenant) },
			"a made key":           func(ctx context.Context, n routed) error { _, err := n.Insert(ctx, tenant, "c d"); return err },
		}
		for name, write := range writes {
			err := write(t.Context(), w.notes)
			inTx := w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
				_ = write(ctx, w.notes.in(tx)) // who swallows the error commits nothing either
				return nil
			})
			if !strict {
				require.NoError(t, err, name)
				require.NoError(t, inTx, name)
				continue
			}
			var side *repo.SideError
			require.ErrorAs(t, err, &side, name)
			assert.Equal(t, flags.NewSide, side.Side)
			require.Error(t, inTx, name)
		}
		var rows int
		require.NoError(t, w.pool.QueryRow(t.Context(), `select count(*) from notes_v1`).Scan(&rows))
		assert.Equal(t, strict, rows == 0)
		assert.Equal(t, strict, len(w.stale()) == 0)
	}
}

// locksHeld counts the ledger's locks that the session of a side holds.
func locksHeld(ctx context.Context, db postgres.DBTX) (n int, err error) {
	err = db.QueryRow(ctx, `select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()`).Scan(&n)
	return n, err
}

func TestUnfencedWritesTakeNoLockAndLockingReadsAreFenced(t *testing.T) {
	t.Parallel()
	for stage, standing := range map[flags.Stage]flags.Standing{
		flags.Old: {UnfencedOld: true}, flags.New: {UnfencedNew: true},
	} {
		w := newWorld(t, stage, nil)
		w.stand(stage, standing)
		hooks := w.old
		if stage == flags.New {
			hooks = w.new
		}
		locks := map[string]int{}
		for _, method := range []string{"Save", "Insert", "SeeAll", "Get"} {
			hooks.on(method, func(ctx context.Context, db postgres.DBTX) (err error) {
				locks[method], err = locksHeld(ctx, db)
				return err
			})
		}
		all := func(ctx context.Context, n routed) {
			require.NoError(t, n.Save(ctx, tenant, note{ID: 1, Text: "a b"}))
			require.NoError(t, n.SeeAll(ctx, tenant))
			_, err := n.Insert(ctx, tenant, "c d")
			require.NoError(t, err)
		}
		all(t.Context(), w.notes)
		_, err := w.notes.Lock(t.Context(), tenant, 1)
		require.NoError(t, err)
		assert.Equal(t, map[string]int{"Save": 0, "Insert": 0, "SeeAll": 0, "Get": 3}, locks, "epoch, tenant and key")
		clear(locks)
		require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
			all(ctx, w.notes.in(tx))
			return nil
		}))
		assert.Equal(t, map[string]int{"Save": 0, "Insert": 0, "SeeAll": 0}, locks)

		w.publish(stage.Toward(flags.Shadow)) // of which this process has not heard
		require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 2, Text: "e f"}), "capture records it, nobody refuses it")
		assert.Zero(t, w.notes.route.Stats().Refused)
		_, err = w.notes.Lock(t.Context(), tenant, 1)
		require.NoError(t, err)
		assert.EqualValues(t, 1, w.notes.route.Stats().Refused, "the locking read met the fence")
	}
}

// refusing has the old side refuse every write that no fence marked, as capture does.
func (w *world) refusing() {
	w.t.Helper()
	w.exec(`create function refuse() returns trigger language plpgsql as $$ begin
			if coalesce(current_setting('crossfade.mark', true), '') = '' then
				raise exception using errcode = 'XF006', message = 'crossfade: not past the application';
			end if;
			return null;
		end $$;
		create trigger refuse before insert or update or delete on notes_v1 for each statement execute function refuse();
		update crossfade.migrations set captured = true`)
}

func TestAWriteThatCaptureRefusesIsDecidedAnew(t *testing.T) {
	t.Parallel()
	save := func(ctx context.Context, n routed) error { return n.Save(ctx, tenant, note{ID: 1, Text: "a b"}) }
	inTx := func(w *world) error {
		return w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error { return save(ctx, w.notes.in(tx)) })
	}
	for name, run := range map[string]func(w *world) error{
		"alone":            func(w *world) error { return save(t.Context(), w.notes) },
		"in a transaction": inTx,
	} {
		w := newWorld(t, flags.Old, nil)
		w.stand(flags.Old, flags.Standing{UnfencedOld: true})
		w.refusing()
		w.publish(flags.Dual)
		require.NoError(t, run(w), name)
		assert.Equal(t, "a b 0", w.text("notes_v1", 1), name)
		assert.Equal(t, "a b 0", w.text("notes_v2", 1), "%s, by the policy in force", name)
		assert.EqualValues(t, 1, w.notes.route.Stats().Refused)

		still := newWorld(t, flags.Old, nil)
		still.stand(flags.Old, flags.Standing{UnfencedOld: true})
		still.refusing()
		require.NoError(t, run(still), "%s: the policy still says unfenced, so it is fenced", name)
		assert.Equal(t, "a b 0", still.text("notes_v1", 1), name)
		assert.EqualValues(t, 1, still.notes.route.Stats().Refused)
	}

	w := newWorld(t, flags.Old, nil)
	w.stand(flags.Old, flags.Standing{UnfencedOld: true})
	w.refusing()
	w.publish(flags.Dual)
	tx, err := w.pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	adopted, err := w.db.Adopt(t.Context(), tx)
	require.NoError(t, err)
	err = save(t.Context(), w.notes.in(adopted))
	assert.True(t, repo.Retryable(err), "who opened the transaction runs it again")
	var refused *repo.RefusedError
	require.ErrorAs(t, err, &refused)
	assert.True(t, refused.Captured)
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg)
}
