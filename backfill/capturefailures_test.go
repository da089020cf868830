package backfill_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// opened begins a transaction that writes and is left open.
func (w *world) opened(level pgx.TxIsoLevel, statements ...string) pgx.Tx {
	w.t.Helper()
	tx, err := w.pool.BeginTx(context.Background(), pgx.TxOptions{IsoLevel: level})
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	for _, statement := range statements {
		_, err := tx.Exec(context.Background(), statement)
		require.NoError(w.t, err)
	}
	return tx
}

// Failure 9 of the ladder: a bypass at live.
func TestBypassAtLiveIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Live)
	require.NoError(t, w.notes.Save(t.Context(), acme, note{ID: 1, Text: "before"}))
	w.capture(flags.OldSide, flags.NewSide)
	require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		w.old.on("Save", func(ctx context.Context, _ int64) error {
			for _, sql := range []string{"update notes_v1 set body = 'bypassed' where id = 1", "insert into notes_v1 values ('acme', 9, 'bypassed')"} {
				_, err := w.pool.Exec(ctx, sql)
				assert.Equal(t, "XF006", sqlState(err), sql)
			}
			return nil
		})
		return w.notes.in(tx).Save(ctx, acme, note{ID: 1, Text: "after"})
	}))
	w.equal()
	assert.Equal(t, "after", w.text("notes_v1", 1))
	_, err := w.pool.Exec(t.Context(), "update notes_v2 set rest = 'bypassed' where id = 1")
	assert.Equal(t, "XF006", sqlState(err), "the new side refuses until nobody reads the old one any more")
}

// Failure 10: capture that is installed without waiting.
func TestInstallWaitsForAnUncommittedWriter(t *testing.T) {
	t.Parallel()
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		require.NoError(t, w.notes.Save(t.Context(), acme, note{ID: 1, Text: "before"}))
		straggler := w.opened(pgx.ReadCommitted, "set local application_name to 'straggler'", "update notes_v1 set body = 'late' where id = 1")
		waits := make(chan backfill.CaptureWait, 100)
		c := backfill.NewCapture(w.pool, &backfill.CaptureConfig{
			LockTimeout: 20 * time.Millisecond, Pause: time.Millisecond, Report: func(wait backfill.CaptureWait) {
				select {
				case waits <- wait:
				default:
				}
			},
		})
		done := make(chan error, 1)
		go func() {
			_, err := c.Install(context.Background(), migrationName, flags.OldSide, false, captured[flags.OldSide])
			done <- err
		}()
		for range 3 {
			select {
			case wait := <-waits:
				require.Len(t, wait.Holders, 1)
				assert.Equal(t, "straggler", wait.Holders[0].Application)
				assert.Equal(t, []string{`"public"."notes_v1"`}, wait.Tables)
			case err := <-done:
				t.Fatal("installed beside an open write", err)
			}
		}
		select {
		case err := <-done:
			t.Fatal("installed beside an open write", err)
		default:
		}
		assert.False(t, w.captureState()[flags.OldSide].Installed)
		_, err := w.pool.Exec(t.Context(), "update notes_v1 set seen = seen where id = 2")
		require.NoError(t, err, "in between, others go on writing")
		require.NoError(t, straggler.Commit(t.Context()))
		require.NoError(t, <-done)
		assert.Equal(t, ledger.JobDone, w.do(w.workerOf(e), ledger.JobBackfill).State)
		w.equal()
		assert.Equal(t, "late", w.text("notes_v2", 1))
	})
}

func TestInstallThatIsNotLetInSaysWhoIsInTheWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Dual)
	w.opened(pgx.ReadCommitted, "set local application_name to 'straggler'", "insert into notes_v1 values ('acme', 1, 'a')")
	ctx, cancel := context.WithCancel(t.Context())
	c := backfill.NewCapture(w.pool, &backfill.CaptureConfig{
		LockTimeout: 10 * time.Millisecond, Pause: time.Millisecond, Report: func(backfill.CaptureWait) { cancel() },
	})
	_, err := c.Install(ctx, migrationName, flags.OldSide, false, captured[flags.OldSide])
	var busy *backfill.CaptureBusyError
	require.ErrorAs(t, err, &busy)
	require.Len(t, busy.Holders, 1)
	assert.ErrorContains(t, err, `"straggler"`)
	assert.Empty(t, w.list("select table_name from crossfade.capture_tables"))
	assert.Equal(t, []string{"false"}, w.list("select captured::text from crossfade.migrations"))
}

// Failure 11: recorders that are not drained before live.
func TestRefusalWaitsForRecorders(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, level := range []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.RepeatableRead} {
		t.Run(string(level), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, flags.Shadow)
			require.NoError(t, w.notes.Save(ctx, acme, note{ID: 1, Text: "before"}))
			w.capture(flags.OldSide)
			recorder := w.opened(level, "set local application_name to 'recorder'", "update notes_v1 set body = 'bypassed' where id = 1")
			early := w.opened(pgx.RepeatableRead, "select count(*) from notes_v1") // has its snapshot, has written nothing
			m := w.migration()
			require.NoError(t, w.store.SwitchCapture(ctx, m, flags.OldSide, ledger.CaptureRefuses))
			drained, err := w.store.DrainCapture(ctx, m, flags.OldSide, 10*time.Millisecond)
			require.NoError(t, err)
			assert.False(t, drained)
			state := w.captureState()[flags.OldSide]
			assert.True(t, state.Refusing() && !state.Drained)
			holders, err := w.store.CaptureHolders(ctx, m, flags.OldSide)
			require.NoError(t, err)
			require.Len(t, holders, 1)
			assert.Equal(t, "recorder", holders[0].Application)
			_, err = early.Exec(ctx, "update notes_v1 set seen = 1 where false")
			assert.Equal(t, "XF006", sqlState(err), "also by a snapshot from before the switch")
			_, err = w.pool.Exec(ctx, "update notes_v1 set body = 'x'")
			assert.Equal(t, "XF006", sqlState(err))

			require.NoError(t, recorder.Commit(ctx))
			require.NoError(t, w.store.SettleCapture(ctx, m, flags.OldSide, -1, nil))
			assert.True(t, w.captureState()[flags.OldSide].Drained)
			w.step(flags.Live)
			got, err := w.notes.Get(ctx, acme, 1)
			require.NoError(t, err)
			assert.Equal(t, "bypassed", got.Text, "whoever steps up now finds its record")
			require.NoError(t, w.notes.Save(ctx, acme, note{ID: 1, Text: "after"}))
			assert.Empty(t, w.stale())
			w.equal()
		})
	}
}

func TestRefusalTerminatesRecordersThatStay(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t, flags.Shadow)
	w.capture(flags.OldSide)
	recorder := w.opened(pgx.ReadCommitted, "insert into notes_v1 values ('acme', 1, 'bypassed')")
	m := w.migration()
	require.NoError(t, w.store.SwitchCapture(ctx, m, flags.OldSide, ledger.CaptureRefuses))
	var ended []ledger.Holder
	require.NoError(t, w.store.SettleCapture(ctx, m, flags.OldSide, 0, func(holders []ledger.Holder, terminated bool) {
		if terminated {
			ended = append(ended, holders...)
		}
	}))
	assert.NotEmpty(t, ended)
	assert.Error(t, recorder.Commit(ctx))
	assert.Equal(t, "absent", w.text("notes_v1", 1))
	require.NoError(t, w.store.SwitchCapture(ctx, m, flags.OldSide, ledger.CaptureRecords))
	require.NoError(t, w.store.SwitchCapture(ctx, m, flags.OldSide, ledger.CaptureRecords), "twice is no error")
	assert.EqualValues(t, 3, w.captureState()[flags.OldSide].Mode)
}

// A plain write that recorded nothing, since nobody wrote the new side, is
// waited for before a backfill relies on records.
func TestStepToDualWaitsForPlainWritersThatRecordedNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Old)
	w.fill(acme, 1)
	w.capture(flags.OldSide)
	m := w.migration()
	straggler := w.opened(pgx.ReadCommitted, "update notes_v1 set body = 'late' where id = 1")
	w.publish(flags.Policy{Default: flags.Dual}, noEffects)
	drained, err := w.store.Drain(t.Context(), m, m.Epoch, 10*time.Millisecond)
	require.NoError(t, err)
	assert.False(t, drained)
	_, err = straggler.Exec(t.Context(), "insert into notes_v1 values ('acme', 2, 'later')")
	require.NoError(t, err)
	require.NoError(t, straggler.Commit(t.Context()))
	assert.Equal(t, []string{"acme:new:2"}, w.recorded(), "what it wrote after the step is recorded")
	drained, err = w.store.Drain(t.Context(), m, m.Epoch, time.Minute)
	require.NoError(t, err)
	assert.True(t, drained)
}

// Plain writers and routed ones against steps between old and shadow: whenever
// the dust settles at shadow, both sides are equal.
func TestCaptureLosesNoWriteWhileStagesChange(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"through the repositories", "in SQL"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, flags.Old)
			w.capture(flags.OldSide)
			worker := w.workerOf(w.entities()[way])
			for cycle := range 3 {
				h := w.hammer(uint64(cycle))
				for _, stage := range []flags.Stage{flags.Dual, flags.Old, flags.Dual} {
					w.advance(stage)
				}
				require.Equal(t, ledger.JobDone, w.do(worker, ledger.JobBackfill).State)
				w.advance(flags.Shadow)
				h.stop()
				require.Equal(t, ledger.JobDone, w.do(worker, ledger.JobReconcile).State)
				require.Empty(t, w.stale())
				w.equal()
				require.NotZero(t, h.plain.count, "nothing was tried")
				w.advance(flags.Dual)
				w.advance(flags.Old)
			}
		})
	}
}

// advance publishes a stage. Who acts on the one before is waited for by
// those who depend on it.
func (w *world) advance(stage flags.Stage) {
	w.t.Helper()
	var effects ledger.Effects
	if !stage.Plan().WritesBoth {
		effects = ledger.Effects{NotCopied: append([]string{""}, w.tenants...), Forget: w.tenants}
	}
	w.publish(flags.Policy{Default: stage}, effects)
	require.NoError(w.t, w.set.Flag(migrationName).Refused(context.Background(), flags.Subject{}, flags.Decision{}))
	w.exec("update crossfade.policies p set acknowledged_at = now() from crossfade.migrations m where m.id = p.migration_id and p.epoch < m.epoch")
}

type counter struct {
	sync.Mutex
	count int
}

func (c *counter) add() { c.Lock(); c.count++; c.Unlock() }

type hammering struct {
	cancel context.CancelFunc
	group  sync.WaitGroup
	plain  counter
}

func (h *hammering) stop() { h.cancel(); h.group.Wait() }

// hammer has plain and routed writers at work on few keys.
func (w *world) hammer(seed uint64) *hammering {
	ctx, cancel := context.WithCancel(context.Background())
	h := &hammering{cancel: cancel}
	w.t.Cleanup(h.stop)
	const keys = 12
	for i := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, i))
		h.group.Go(func() {
			for ctx.Err() == nil {
				err := w.plainly(context.WithoutCancel(ctx), random, keys)
				if err == nil {
					h.plain.add()
				} else if code := sqlState(err); code != "40001" && code != "40P01" {
					assert.NoError(w.t, err)
					return
				}
			}
		})
	}
	for i := range uint64(2) {
		random := rand.New(rand.NewPCG(seed, 100+i))
		h.group.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := random.Int64N(keys)
				var err error
				switch random.IntN(4) {
				case 0:
					err = w.notes.Delete(context.WithoutCancel(ctx), acme, id)
				case 1:
					err = w.notes.SeeAll(context.WithoutCancel(ctx), acme)
				default:
					err = w.notes.Save(context.WithoutCancel(ctx), acme, note{ID: id, Text: fmt.Sprintf("routed %d %d", i, n)})
				}
				var pg *pgconn.PgError
				if err != nil && !errors.Is(err, errNoNote) && !(errors.As(err, &pg) && pg.Code == "40P01") {
					assert.NoError(w.t, err)
				}
			}
		})
	}
	return h
}

// plainly is one transaction of plain SQL.
func (w *world) plainly(ctx context.Context, random *rand.Rand, keys int64) error {
	level := []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.ReadCommitted, pgx.RepeatableRead, pgx.Serializable}[random.IntN(4)]
	return pgx.BeginTxFunc(ctx, w.pool, pgx.TxOptions{IsoLevel: level}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "set local deadlock_timeout = '10ms'"); err != nil { // they meet in any order
			return err
		}
		for range 1 + random.IntN(3) {
			id := random.Int64N(keys)
			sql := []string{
				"update notes_v1 set body = 'plain ' || %[2]d where id = %[1]d",
				"delete from notes_v1 where id = %[1]d",
				"insert into notes_v1 values ('acme', %[1]d, 'plain ' || %[2]d) on conflict (tenant, id) do update set body = excluded.body",
				"update notes_v1 set seen = seen + 1 where id between %[1]d and %[1]d + 2",
			}[random.IntN(4)]
			if _, err := tx.Exec(ctx, fmt.Sprintf(sql, id, random.Int64N(1000))); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "select pg_sleep($1)", random.Float64()/100); err != nil {
				return err
			}
		}
		return nil
	})
}
