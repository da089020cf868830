package postgres_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

func TestFenceRefusesAnOldDecisionAndTheRouterDecidesAgain(t *testing.T) {
	w := newWorld(t, flags.Old, nil)
	w.publish(flags.Dual) // this process has not heard of it
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
	assert.Equal(t, "one 0", w.text("notes_v2", 1), "written at dual, not at old")
	assert.EqualValues(t, 1, w.notes.route.Stats().Refused)
}

func TestFenceRefusesTheSameEpochOfAnotherPolicy(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	// A promoted standby that lost the last policy hands out its number again.
	_, err := w.pool.Exec(t.Context(), "update crossfade.migrations set policy_id = gen_random_uuid()")
	require.NoError(t, err)
	_, err = w.pool.Exec(t.Context(), "update crossfade.policies p set policy_id = m.policy_id, default_stage = 'old' from crossfade.migrations m where m.epoch = p.epoch")
	require.NoError(t, err)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
	assert.Empty(t, w.text("notes_v2", 1), "decided again, at old")
}

func TestRefusalReplacesThePinnedDecision(t *testing.T) {
	w := newWorld(t, flags.Old, nil)
	ctx, release := flags.Pin(t.Context(), 0)
	defer release()
	_, err := w.notes.Get(ctx, tenant, 1)
	require.ErrorIs(t, err, errNoNote)
	w.publish(flags.Dual)
	require.NoError(t, w.notes.Save(ctx, tenant, note{ID: 1, Text: "one"}))
	require.NoError(t, w.notes.Save(ctx, tenant, note{ID: 1, Text: "two"}))
	assert.Equal(t, "two 0", w.text("notes_v2", 1))
	assert.EqualValues(t, 1, w.notes.route.Stats().Refused, "the pin holds the new decision")
}

// Failure 1 of the ladder. P2 at shadow has written O and not yet N, while P1,
// already at live, wants to write N and then O. Without the key lock each
// waits for the other's row.
func TestSwitchFromShadowToLiveDoesNotDeadlock(t *testing.T) {
	p2 := newWorld(t, flags.Shadow, nil)
	require.NoError(t, p2.notes.Save(t.Context(), tenant, note{ID: 1, Text: "start"}))
	wroteOld, mayWriteNew := make(chan struct{}), make(chan struct{})
	p2.new.on("Save", func(context.Context, postgres.DBTX) error {
		close(wroteOld)
		<-mayWriteNew
		return nil
	})
	var tasks sync.WaitGroup
	tasks.Go(func() { assert.NoError(t, p2.notes.Save(t.Context(), tenant, note{ID: 1, Text: "by p2"})) })
	<-wroteOld

	p2.publish(flags.Live)
	p1 := p2.another()
	started := make(chan struct{})
	p1.old.on("Save", func(context.Context, postgres.DBTX) error { return nil })
	tasks.Go(func() {
		close(started)
		assert.NoError(t, p1.notes.Save(t.Context(), tenant, note{ID: 1, Text: "by p1"}))
	})
	<-started
	p2.waitBlocked(1)
	assert.Equal(t, "advisory", one[string](p2, `select string_agg(distinct l.locktype, ',') from pg_locks l join pg_stat_activity a using (pid)
		where not l.granted and a.datname = current_database()`), "for the key, before it holds any row")
	close(mayWriteNew)
	tasks.Wait()
	assert.Equal(t, "by p1 0", p1.text("notes_v1", 1))
	assert.Equal(t, "by p1 0", p1.text("notes_v2", 1))
	assert.Empty(t, p1.stale(), "neither side failed")
}

// Failure 2. P1 at dual inserts on both sides, uncommitted; a copy that reads
// the old side meanwhile finds nothing there, and would delete the new row.
func TestCopyWaitsForARowThatIsBeingCreated(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	wroteBoth, mayCommit := make(chan struct{}), make(chan struct{})
	w.new.on("Save", func(context.Context, postgres.DBTX) error {
		close(wroteBoth)
		<-mayCommit
		return nil
	})
	var tasks sync.WaitGroup
	tasks.Go(func() { assert.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"})) })
	<-wroteBoth

	p := w.another()
	tasks.Go(func() { assert.NoError(t, p.copy(1)) })
	w.waitBlocked(1)
	close(mayCommit)
	tasks.Wait()
	assert.Equal(t, "one 0", w.text("notes_v2", 1))
}

// copy copies one key as backfill does: behind the fence, under the key's lock.
func (w *world) copy(id int64) error {
	ctx := context.Background()
	use, err := w.notes.route.Flag().Enter(ctx, flags.Subject{Tenant: tenant})
	if err != nil {
		return err
	}
	defer use.Done()
	scope := repo.Scope{Op: op("copy", repo.KindWrite), Decision: use.Decision, Tenant: tenant, Keys: repo.Key(keyText(id))}
	return w.notes.route.Backend().Write(ctx, scope, false, func(ctx context.Context, s repo.Session[notes]) error {
		return copier.Copy(ctx, s.Side(flags.OldSide), s.Side(flags.NewSide), tenant, keyText(id))
	})
}

// waitBlocked waits until so many sessions of this database wait for a lock.
func (w *world) waitBlocked(sessions int) {
	w.t.Helper()
	assert.Eventually(w.t, func() bool {
		var n int
		err := w.pool.QueryRow(context.Background(),
			"select count(distinct l.pid) from pg_locks l join pg_stat_activity a using (pid) where not l.granted and a.datname = current_database()").Scan(&n)
		return err == nil && n >= sessions
	}, 20*time.Second, 5*time.Millisecond)
}

func TestLockingReadExcludesWritersAcrossTheSwitch(t *testing.T) {
	w := newWorld(t, flags.Shadow, nil)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "start"}))
	locked, mayWrite := make(chan struct{}), make(chan struct{})
	var tasks sync.WaitGroup
	tasks.Go(func() {
		assert.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
			n, err := w.notes.in(tx).Lock(ctx, tenant, 1)
			if err != nil {
				return err
			}
			if w.notes.route.Stats().Refused == 0 {
				close(locked)
				<-mayWrite
			}
			n.Seen += 10
			return w.notes.in(tx).Save(ctx, tenant, n)
		}))
	})
	<-locked
	w.publish(flags.Live)
	p := w.another()
	tasks.Go(func() {
		assert.NoError(t, p.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
			n, err := p.notes.in(tx).Lock(ctx, tenant, 1)
			if err != nil {
				return err
			}
			n.Seen++
			return p.notes.in(tx).Save(ctx, tenant, n)
		}))
	})
	w.waitBlocked(1)
	close(mayWrite)
	tasks.Wait()
	assert.Equal(t, "start 11", w.text("notes_v2", 1), "neither increment is lost")
	assert.Equal(t, "start 11", w.text("notes_v1", 1))
}

func TestBatchesOfKeysInOppositeOrderDoNotDeadlock(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	scope := func(keys ...string) repo.Scope {
		d, err := w.set.Flag("notes-v2").Peek(flags.Subject{Tenant: tenant})
		require.NoError(t, err)
		return repo.Scope{Decision: d, Tenant: tenant, Keys: repo.KeyList(keys)}
	}
	there, back := scope("1", "2", "3", "4", "5"), scope("5", "4", "3", "2", "1", "1")
	var tasks sync.WaitGroup
	for _, s := range []repo.Scope{there, back, there, back} {
		tasks.Go(func() {
			for range 200 {
				if !assert.NoError(t, w.notes.route.Backend().Write(t.Context(), s, false, func(context.Context, repo.Session[notes]) error { return nil })) {
					return
				}
			}
		})
	}
	tasks.Wait()
}

func TestManyKeysTakeTheTenantsLock(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	keys := make([]string, 20_000)
	for i := range keys {
		keys[i] = keyText(int64(i))
	}
	d, err := w.set.Flag("notes-v2").Peek(flags.Subject{Tenant: tenant})
	require.NoError(t, err)
	scope := repo.Scope{Decision: d, Tenant: tenant, Keys: repo.KeyList(keys)}
	require.NoError(t, w.notes.route.Backend().Write(t.Context(), scope, true, func(ctx context.Context, s repo.Session[notes]) error {
		var locks int
		require.NoError(t, w.pool.QueryRow(ctx, "select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())").Scan(&locks))
		assert.Equal(t, 2, locks, "the epoch and the tenant")
		return nil
	}))
}

func TestUnknownMigrationAndMissingLedgerAreNamed(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	_, err := w.pool.Exec(t.Context(), "update crossfade.migrations set name = 'renamed-v2'")
	require.NoError(t, err)
	err = w.notes.Save(t.Context(), tenant, note{ID: 1})
	var unknown *postgres.UnknownMigrationError
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, "notes-v2", unknown.Migration)
	_, err = w.pool.Exec(t.Context(), "drop schema crossfade cascade")
	require.NoError(t, err)
	var ledger *postgres.LedgerError
	require.ErrorAs(t, w.notes.Save(t.Context(), tenant, note{ID: 1}), &ledger)
	assert.Contains(t, ledger.Error(), "crossfade init")
}
