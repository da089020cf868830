package postgres_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// missing has another process step down to shadow, miss the new side of a
// write of key 1, and then write key 2 on both sides: in this order.
func (w *world) missing() func(context.Context, postgres.DBTX) error {
	var once sync.Once
	return func(context.Context, postgres.DBTX) error {
		once.Do(func() {
			w.publish(flags.Shadow)
			p := w.another()
			p.new.on("Save", func(context.Context, postgres.DBTX) error { return errBoom })
			assert.NoError(w.t, p.notes.Save(w.t.Context(), tenant, note{ID: 1, Text: "first"}))
			p.new.on("Save", nil)
			assert.NoError(w.t, p.notes.Save(w.t.Context(), tenant, note{ID: 2, Text: "second"}))
		})
		return nil
	}
}

func (w *world) twoNotes() {
	w.t.Helper()
	for id := range int64(2) {
		require.NoError(w.t, w.notes.Save(w.t.Context(), tenant, note{ID: id + 1, Text: "before"}))
	}
}

// Two statements would show the second write without the first.
func TestListAtLiveIsOfOneMoment(t *testing.T) {
	texts := func(list []note) (all []string) {
		for _, n := range list {
			all = append(all, n.Text)
		}
		return all
	}
	t.Run("outside of a transaction", func(t *testing.T) {
		w := newWorld(t, flags.Live, nil)
		w.twoNotes()
		w.new.on("All", w.missing())
		list, err := w.notes.All(t.Context(), tenant)
		require.NoError(t, err)
		assert.Equal(t, []string{"before", "before"}, texts(list))
	})
	t.Run("inside a transaction of the application", func(t *testing.T) {
		w := newWorld(t, flags.Live, nil)
		w.twoNotes()
		w.new.on("All", w.missing())
		var list []note
		require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) (err error) {
			list, err = w.notes.in(tx).All(ctx, tenant)
			return err
		}))
		assert.Equal(t, []string{"first", "second"}, texts(list), "read again, as a key went stale meanwhile")
	})
}

// A key that goes stale and is repaired between the look and the read leaves
// no record; the count of deletions tells.
func TestRecordThatCameAndWentIsNoticedInsideATransaction(t *testing.T) {
	w := newWorld(t, flags.Live, nil)
	w.twoNotes()
	reads := 0
	w.new.on("Get", func(ctx context.Context, _ postgres.DBTX) error {
		if reads++; reads == 1 {
			_, err := w.pool.Exec(ctx, `insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause) select id, 'acme', 'new', '1', 1, '' from crossfade.migrations`)
			assert.NoError(t, err)
			_, err = w.pool.Exec(ctx, "delete from crossfade.stale_keys")
			assert.NoError(t, err)
		}
		return nil
	})
	require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := w.notes.in(tx).Get(ctx, tenant, 1)
		return err
	}))
	assert.Equal(t, 2, reads)
}

// Where records change all the time, a read inside a transaction takes locks.
func TestReadInsideATransactionEndsAlthoughRecordsKeepChanging(t *testing.T) {
	w := newWorld(t, flags.Live, nil)
	w.twoNotes()
	reads := 0
	w.new.on("Get", func(ctx context.Context, _ postgres.DBTX) error {
		reads++
		_, err := w.pool.Exec(ctx, "delete from crossfade.stale_keys")
		return err
	})
	require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := w.notes.in(tx).Get(ctx, tenant, 1)
		return err
	}))
	assert.Equal(t, 6, reads)
}

// The writer comes between the two sides of the confirmation.
func TestConfirmationReadsBothSidesInOneSnapshot(t *testing.T) {
	w := newWorld(t, flags.Shadow, nil)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
	texts := []string{"two", "three"}
	var mu sync.Mutex
	w.new.on("Get", func(ctx context.Context, _ postgres.DBTX) error {
		mu.Lock()
		defer mu.Unlock()
		if len(texts) == 0 {
			return nil
		}
		text := texts[0]
		texts = texts[1:]
		return w.notes.Save(ctx, tenant, note{ID: 1, Text: text})
	})
	_, err := w.notes.Get(t.Context(), tenant, 1)
	require.NoError(t, err)
	stats := w.settled()
	assert.Empty(t, texts, "both looks met a writer")
	assert.EqualValues(t, 1, stats.Operations[0].Compared)
	assert.Zero(t, stats.Operations[0].Mismatched)
}

func TestKeyThatTheDatabaseMadeIsLockedBeforeItIsCopied(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	locks := 0
	w.new.on("Save", func(ctx context.Context, _ postgres.DBTX) error {
		return w.pool.QueryRow(ctx, `select count(*) from pg_locks l join pg_database d on d.oid = l.database
			where locktype = 'advisory' and mode = 'ExclusiveLock' and datname = current_database()`).Scan(&locks)
	})
	_, err := w.notes.Insert(t.Context(), tenant, "made here")
	require.NoError(t, err)
	assert.Equal(t, 1, locks)
}

// A process that is frozen in the middle of a transaction would hold up every
// step: the server ends its session.
func TestTransactionOfAFrozenProcessIsEndedByTheServer(t *testing.T) {
	w := newWorld(t, flags.Dual, &postgres.Config{MaxTxAge: 100 * time.Millisecond})
	w.new.on("Save", func(context.Context, postgres.DBTX) error {
		assert.Eventually(t, func() bool {
			var idle int
			err := w.pool.QueryRow(context.Background(),
				"select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'").Scan(&idle)
			return err == nil && idle == 0
		}, 20*time.Second, 10*time.Millisecond)
		return nil
	})
	require.Error(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
	assert.Empty(t, w.text("notes_v1", 1))
}
