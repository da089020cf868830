package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// It fails in the batch that carries COMMIT. One more round trip leaves the
// savepoint, records the key as stale and commits, so that the record and the
// authority's write are of one transaction.
// Both sides go without a savepoint until the side without authority fails; then
// a failure costs one round trip more, and no write a second batch.
func TestFailureOfAQueuedStatementOfTheOtherSideIsRecordedInOneMoreRoundTrip(t *testing.T) {
	for _, stage := range lenient {
		t.Run(stage.String(), func(t *testing.T) {
			t.Parallel()
			w, wire := wired(t, stage, none, queued)
			authority, other := tables(stage)
			w.exec("alter table " + other + " add check (seen < 13)")
			save := func(seen int64) {
				require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "hello world", Seen: seen}))
			}
			for range 3 {
				save(1)
			}
			assert.Equal(t, traffic{1, 4}, wire.during(func() { save(2) }))
			assert.Equal(t, 5, wire.during(func() { save(13) }).Trips, "one in vain, and two to prepare what follows a failure")
			w.exec("delete from crossfade.stale_keys")
			save(1) // prepares the rest
			assert.Equal(t, traffic{1, 9}, wire.during(func() { save(2) }))
			assert.Equal(t, 2, wire.during(func() { save(13) }).Trips)
			assert.Equal(t, "hello world 13", w.text(authority, 1))
			assert.Equal(t, "hello world 2", w.text(other, 1))
			assert.Equal(t, staleOnOther(stage), w.stale())
			assert.Equal(t, "SQLSTATE 23514, constraint "+other+"_seen_check, table public."+other, one[string](w, "select cause from crossfade.stale_keys"))
			assert.True(t, one[bool](w, "select s.xmin = n.xmin from crossfade.stale_keys s, "+authority+" n"), "of one transaction")
			save(14)
			assert.Equal(t, "hello world 14", w.text(authority, 1))
			assert.Equal(t, staleOnOther(stage), w.stale(), "one record is enough")
			assert.EqualValues(t, 3, w.notes.route.Stats().StaleRecorded)
		})
	}
}

// In one batch both sides have the shorter timeouts; the side with authority is
// not to fail for that.
func TestAuthorityWaitsAsLongAsItMayInAQueue(t *testing.T) {
	t.Parallel()
	w, wire := wiredWith(t, flags.Dual, none, queued, &postgres.Config{OtherLockTimeout: 10 * time.Millisecond, LockTimeout: time.Minute})
	holder, err := pgx.ConnectConfig(t.Context(), w.pool.Config().ConnConfig.Copy())
	require.NoError(t, err)
	defer func() { _ = holder.Close(context.Background()) }()
	exec := func(sql string) {
		_, err := holder.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	for range 3 {
		require.NoError(t, save(t.Context(), w))
	}
	exec("begin")
	exec("select from notes_v1 for update")
	before, end := wire.now().Trips, make(chan error, 1)
	go func() {
		end <- w.notes.Save(context.WithoutCancel(t.Context()), tenant, note{ID: 1, Text: "after the lock"})
	}()
	require.Eventually(t, func() bool { return wire.now().Trips > before }, time.Minute, time.Millisecond, "the first batch gives up")
	require.Eventually(t, func() bool {
		var waits bool
		err := holder.QueryRow(t.Context(), "select exists (select from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid)))").Scan(&waits)
		return err == nil && waits
	}, time.Minute, time.Millisecond, "and the second waits")
	exec("commit")
	require.NoError(t, <-end)
	assert.Equal(t, "after the lock 0", w.text("notes_v1", 1))
	assert.Equal(t, "after the lock 0", w.text("notes_v2", 1))
	assert.Empty(t, w.stale())
}

// The shorter timeouts are not for the locks of the fence either.
func TestWriteOfBothSidesWaitsForItsKeyAsLongAsItMay(t *testing.T) {
	for _, stage := range both {
		for name, standing := range map[string]flags.Standing{"of any": none, "of a clean": clean} {
			t.Run(name+" policy at "+stage.String(), func(t *testing.T) {
				t.Parallel()
				w, wire := wiredWith(t, stage, standing, queued, &postgres.Config{OtherLockTimeout: 10 * time.Millisecond, LockTimeout: time.Minute})
				for range 3 {
					require.NoError(t, save(t.Context(), w))
				}
				holder, err := pgx.ConnectConfig(t.Context(), w.pool.Config().ConnConfig.Copy())
				require.NoError(t, err)
				defer func() { _ = holder.Close(context.Background()) }()
				tx, err := holder.Begin(t.Context())
				require.NoError(t, err)
				_, err = tx.Exec(t.Context(), "select crossfade.lock_only(id, $1, '{1}', false) from crossfade.migrations", tenant)
				require.NoError(t, err)
				before, end := wire.now().Trips, make(chan error, 1)
				go func() { end <- save(context.WithoutCancel(t.Context()), w) }()
				waits := func() bool {
					var waits bool
					err := tx.QueryRow(t.Context(), "select exists (select from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid)))").Scan(&waits)
					return err == nil && waits
				}
				if stage != flags.Live || standing.Clean { // where the fence travels with the rest
					require.Eventually(t, func() bool { return wire.now().Trips > before }, time.Minute, time.Millisecond)
				}
				require.Eventually(t, waits, time.Minute, time.Millisecond)
				require.NoError(t, tx.Rollback(t.Context()))
				require.NoError(t, <-end)
				assert.Empty(t, w.stale())
			})
		}
	}
}

// No timeout bounds what a trigger does when a batch commits by itself.
func TestDeferredTriggerOfTheOtherSideThatHangsIsItsFailure(t *testing.T) {
	for _, stage := range lenient {
		t.Run(stage.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, stage, &postgres.Config{OtherStatementTimeout: 50 * time.Millisecond})
			authority, other := tables(stage)
			w.exec(replaceAll(`create function hang() returns trigger language plpgsql as $$ begin perform pg_sleep(3600); return null; end $$;
				create constraint trigger hang after insert or update on % deferrable initially deferred for each row execute function hang()`, other))
			require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "two"}))
			assert.Equal(t, "two 0", w.text(authority, 1))
			assert.Equal(t, staleOnOther(stage), w.stale())
		})
	}
}

// Whatever ends a connection's prepared statements, writes go on.
func TestQueuedWriteWhosePreparedStatementsAreGoneRunsAgain(t *testing.T) {
	for _, stage := range []flags.Stage{flags.Old, flags.Dual, flags.Shadow, flags.RampDown, flags.New} {
		t.Run(stage.String(), func(t *testing.T) {
			t.Parallel()
			w, _ := wired(t, stage, none, queued)
			for range 3 {
				require.NoError(t, save(t.Context(), w))
			}
			w.exec("deallocate all")
			require.NoError(t, save(t.Context(), w))
			assert.Empty(t, w.stale())
		})
	}
}

// After a write that needed a savepoint some have one, and then none again.
func TestWritesGoWithoutASavepointAgainOnceTheOtherSideWorks(t *testing.T) {
	t.Parallel()
	w, wire := wired(t, flags.Dual, none, queued)
	w.exec("alter table notes_v2 add check (seen < 13)")
	for _, seen := range []int64{1, 1, 1, 13, 1} {
		require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "hello world", Seen: seen}))
	}
	w.exec("delete from crossfade.stale_keys")
	careful := 1 // the last of the above
	for wire.during(func() { require.NoError(t, save(t.Context(), w)) }) == (traffic{1, 9}) {
		careful++
		require.LessOrEqual(t, careful, 257)
	}
	assert.Equal(t, 256, careful)
	assert.Equal(t, traffic{1, 4}, wire.during(func() { require.NoError(t, save(t.Context(), w)) }))
}

// failures are ways in which the side without authority can fail in a queue.
var failures = map[string]struct {
	schema string // done to the table of the side, whose name is %
	save   func(ctx context.Context, side *table, n note) error
}{
	"a constraint": {schema: "alter table % add check (seen < 0) not valid"},
	"a deferred constraint": {schema: `create function no_such_note() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
		create constraint trigger no after insert or update on % deferrable initially deferred for each row execute function no_such_note()`},
	"a table that is gone":  {schema: "alter table % rename to elsewhere"},
	"a column that is gone": {schema: "alter table % rename seen to watched"},
	"a syntax error":        {save: func(ctx context.Context, side *table, _ note) error { return later(ctx, side.db, "insert nothing") }},
	"a statement that takes too long": {save: func(ctx context.Context, side *table, _ note) error {
		return later(ctx, side.db, "select pg_sleep(60)")
	}},
	"an error of its own": {save: func(ctx context.Context, side *table, n note) error {
		if err := side.Save(ctx, tenant, n); err != nil {
			return err
		}
		return errBoom
	}},
	"a panic": {save: func(ctx context.Context, side *table, n note) error {
		if err := side.Save(ctx, tenant, n); err != nil {
			return err
		}
		panic("boom")
	}},
	"the second of two": {save: func(ctx context.Context, side *table, n note) error {
		if err := side.Save(ctx, tenant, n); err != nil {
			return err
		}
		return later(ctx, side.db, "select 1 / $1::int", 0)
	}},
	"one after an answer": {save: func(ctx context.Context, side *table, n note) error {
		if err := side.Save(ctx, tenant, n); err != nil {
			return err
		}
		if _, err := side.Get(ctx, tenant, n.ID); err != nil {
			return err
		}
		return later(ctx, side.db, "select 1 / $1::int", 0)
	}},
	"an end of the transaction": {save: func(ctx context.Context, side *table, _ note) error {
		return later(ctx, side.db, "commit")
	}},
	"a table that is gone, after an answer": {save: func(ctx context.Context, side *table, n note) error {
		if _, err := side.db.Exec(ctx, "select 1"); err != nil {
			return err
		}
		if err := side.Save(ctx, tenant, n); err != nil {
			return err
		}
		return later(ctx, side.db, "insert into nowhere values (1)")
	}},
}

func TestFailureOfTheOtherSideInAQueue(t *testing.T) {
	stages := map[string]struct {
		stage    flags.Stage
		standing flags.Standing
	}{
		"dual": {flags.Dual, none}, "shadow": {flags.Shadow, none}, "strict shadow": {flags.Shadow, flags.Standing{StrictShadow: true}},
		"live": {flags.Live, none}, "clean live": {flags.Live, clean}, "rampdown": {flags.RampDown, none},
	}
	for what, failure := range failures {
		for name, at := range stages {
			t.Run(what+" at "+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, at.stage, &postgres.Config{OtherStatementTimeout: 50 * time.Millisecond})
				w.stand(at.stage, at.standing)
				authority, other := tables(at.stage)
				require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
				w.schema(failure.schema, other)
				save := failure.save
				if save == nil {
					save = func(ctx context.Context, side *table, n note) error { return side.Save(ctx, tenant, n) }
				}
				w.routeOther(at.stage, save)
				err := w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "two"})
				strict := at.standing.StrictShadow || at.stage.Plan().Strict
				if strict {
					var failed *repo.SideError
					require.ErrorAs(t, err, &failed)
					assert.Equal(t, at.stage.Plan().Authority.Other(), failed.Side)
					assert.NotContains(t, err.Error(), "nothing was sent")
					assert.Equal(t, "one 0", w.text(authority, 1))
					assert.Empty(t, w.stale())
				} else {
					require.NoError(t, err)
					assert.Equal(t, "two 0", w.text(authority, 1))
					assert.Equal(t, staleOnOther(at.stage), w.stale())
				}
				assert.Equal(t, "one", one[string](w, "select "+textOf(other)+" from "+here(w, other)), "as it was")
				assert.Zero(t, w.pool.Stat().AcquiredConns(), "no connection is kept")
			})
		}
	}
}

// schema changes the table of a side, and all connections that know it as it was.
func (w *world) schema(sql, table string) {
	w.t.Helper()
	if sql == "" {
		return
	}
	w.exec(replaceAll(sql, table))
}

// A deferred constraint of the authority's own fails the write whoever checks it.
func TestDeferredConstraintOfTheAuthorityFailsAQueuedWrite(t *testing.T) {
	for _, stage := range flags.Stages() {
		for name, standing := range map[string]flags.Standing{"fenced": none, "unfenced": unfenced} {
			t.Run(name+" at "+stage.String(), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, stage, nil)
				w.stand(stage, standing)
				authority, other := tables(stage)
				w.exec(replaceAll(failures["a deferred constraint"].schema, authority))
				err := w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"})
				require.Error(t, err)
				var unknown *repo.UnknownOutcomeError
				require.NotErrorAs(t, err, &unknown, "the server said so")
				assert.Empty(t, w.text(authority, 1))
				assert.Empty(t, w.text(other, 1))
				assert.Empty(t, w.stale())
			})
		}
	}
}

// The timeouts of the side without authority hold for its statements in the
// batch, and not for those of the authority.
func TestTimeoutsOfTheOtherSideHoldInTheBatch(t *testing.T) {
	for _, stage := range lenient {
		t.Run(stage.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, stage, &postgres.Config{OtherLockTimeout: 50 * time.Millisecond})
			authority, other := tables(stage)
			require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
			held, err := w.pool.Begin(t.Context())
			require.NoError(t, err)
			_, err = held.Exec(t.Context(), "select from "+other+" for update")
			require.NoError(t, err)
			require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "two"}))
			assert.Equal(t, "two 0", w.text(authority, 1))
			assert.Equal(t, staleOnOther(stage), w.stale())
			assert.Equal(t, "SQLSTATE 55P03", one[string](w, "select cause from crossfade.stale_keys"))
			require.NoError(t, held.Rollback(t.Context()))

			told := map[string][2]string{}
			tell := func(ctx context.Context, side *table, _ note) error {
				if err := later(ctx, side.db, "select 1"); err != nil {
					return err
				}
				var statement, lock string
				err := side.db.QueryRow(ctx, "select current_setting('statement_timeout'), current_setting('lock_timeout')").Scan(&statement, &lock)
				told[side.name] = [2]string{statement, lock}
				return err
			}
			w.route(saves(plainV1, tell), saves(plainV2, tell), nil)
			require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "three"}))
			assert.Equal(t, map[string][2]string{authority: {"30s", "10s"}, other: {"5s", "50ms"}}, told)
			assert.Equal(t, "0", one[string](w, "select current_setting('statement_timeout')"), "of the transaction alone")
		})
	}
}
