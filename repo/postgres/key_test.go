package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

const mixedNotes = 20

// mixedWorld has half of the keys at one stage and half at the next, and twenty
// notes that both sides tell in words of their own.
func mixedWorld(t *testing.T, from, to flags.Stage) *world {
	t.Helper()
	w := newWorld(t, flags.Dual, nil)
	for id := range int64(mixedNotes) {
		require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: id + 1, Text: "from v1"}))
	}
	w.publishShare(from, flags.Step{To: to, Share: flags.Buckets / 2, Of: flags.OfKeys})
	require.NoError(t, w.fetch(t.Context(), "notes-v2"))
	return w
}

// tellApart has the new side say where its rows come from.
func (w *world) tellApart() {
	w.t.Helper()
	_, err := w.pool.Exec(context.Background(), "update notes_v2 set rest = ' v2'")
	require.NoError(w.t, err)
}

// at returns the stage of a key.
func (w *world) at(id int64) flags.Stage {
	stage, _ := w.set.Flag("notes-v2").Current().KeyStage(tenant, keyText(id))
	return stage
}

// keyAt returns a key that stands at the stage, other than those excepted.
func (w *world) keyAt(stage flags.Stage, except ...int64) int64 {
	w.t.Helper()
next:
	for id := int64(1); id <= mixedNotes; id++ {
		for _, other := range except {
			if id == other {
				continue next
			}
		}
		if w.at(id) == stage {
			return id
		}
	}
	require.FailNow(w.t, "no key is at "+stage.String())
	return 0
}

// sides lists the notes as "1:v1".
func sides(list []note) (all []string) {
	for _, n := range list {
		all = append(all, fmt.Sprintf("%d:%s", n.ID, n.Text[len("from "):]))
	}
	return all
}

// expected is what sides shows when these keys come from the new side.
func expected(fromNew func(id int64) bool) (all []string) {
	for id := int64(1); id <= mixedNotes; id++ {
		side := "v1"
		if fromNew(id) {
			side = "v2"
		}
		all = append(all, fmt.Sprintf("%d:%s", id, side))
	}
	return all
}

// inBoth runs a list outside of a transaction, and inside one of the application.
func (w *world) inBoth(check func(list []note, err error)) {
	w.t.Helper()
	check(w.notes.All(w.t.Context(), tenant))
	require.NoError(w.t, w.db.InTx(w.t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		check(w.notes.in(tx).All(ctx, tenant))
		_, err := w.notes.in(tx).Get(ctx, tenant, 1)
		return err // the transaction goes on
	}))
}

func TestAListTakesEachRowsSideUnderAShareOfKeys(t *testing.T) {
	for _, step := range [][2]flags.Stage{{flags.Shadow, flags.Live}, {flags.Live, flags.Shadow}} {
		t.Run(step[0].String()+" to "+step[1].String(), func(t *testing.T) {
			w := mixedWorld(t, step[0], step[1])
			w.tellApart()
			live := func(id int64) bool { return w.at(id) == flags.Live }
			w.inBoth(func(list []note, err error) {
				require.NoError(t, err)
				assert.Equal(t, expected(live), sides(list))
			})
			for id := int64(1); id <= mixedNotes; id++ {
				n, err := w.notes.Get(t.Context(), tenant, id)
				require.NoError(t, err)
				assert.Equal(t, map[bool]string{false: "from v1", true: "from v2"}[live(id)], n.Text, "a read of one key agrees with the list")
			}
			assert.Zero(t, w.notes.route.Stats().Fallbacks)
		})
	}
}

func TestRowsThatMissedAWriteComeFromTheOldSide(t *testing.T) {
	w := mixedWorld(t, flags.Shadow, flags.Live)
	w.tellApart()
	behind := w.keyAt(flags.Live)
	gone := w.keyAt(flags.Live, behind)
	_, err := w.pool.Exec(t.Context(), `insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause)
		select id, 'acme', 'new', $1, 1, '' from crossfade.migrations`, keyText(behind))
	require.NoError(t, err)
	_, err = w.pool.Exec(t.Context(), "delete from notes_v2 where id = $1", gone)
	require.NoError(t, err)
	w.inBoth(func(list []note, err error) {
		require.NoError(t, err)
		assert.Equal(t, expected(func(id int64) bool { return w.at(id) == flags.Live && id != behind && id != gone }), sides(list))
	})

	_, err = w.pool.Exec(t.Context(), `update crossfade.stale_keys set key = '*'`)
	require.NoError(t, err)
	w.inBoth(func(list []note, err error) {
		require.NoError(t, err)
		assert.Equal(t, expected(func(int64) bool { return false }), sides(list), "a record of the whole tenant")
	})
}

// Between the lists of both sides, another process writes a key at shadow and
// then one at live: two statements would show the second write without the first.
func TestAMixedListIsOfOneMoment(t *testing.T) {
	between := func(w *world) (first, second int64) {
		first, second = w.keyAt(flags.Shadow), w.keyAt(flags.Live)
		p := w.another()
		var once sync.Once
		w.new.on("All", func(ctx context.Context, _ postgres.DBTX) error {
			once.Do(func() {
				for _, id := range []int64{first, second} {
					assert.NoError(t, p.notes.Save(context.WithoutCancel(ctx), tenant, note{ID: id, Text: "from later"}))
				}
			})
			return nil
		})
		return first, second
	}
	seen := func(list []note, first, second int64) (a, b bool) {
		for _, n := range list {
			a = a || n.ID == first && n.Text == "from later"
			b = b || n.ID == second && n.Text == "from later"
		}
		return a, b
	}
	t.Run("outside of a transaction", func(t *testing.T) {
		w := mixedWorld(t, flags.Shadow, flags.Live)
		first, second := between(w)
		list, err := w.notes.All(t.Context(), tenant)
		require.NoError(t, err)
		a, b := seen(list, first, second)
		assert.Equal(t, []bool{false, false}, []bool{a, b})
	})
	t.Run("inside a transaction of the application", func(t *testing.T) {
		w := mixedWorld(t, flags.Shadow, flags.Live)
		first, second := between(w)
		require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
			list, err := w.notes.in(tx).All(ctx, tenant)
			require.NoError(t, err)
			a, b := seen(list, first, second)
			assert.Equal(t, []bool{true, true}, []bool{a, b}, "read again")
			return nil
		}))
		assert.Zero(t, w.notes.route.Stats().Fallbacks)
	})
}

func TestAListInsideATransactionEndsAlthoughOthersKeepWriting(t *testing.T) {
	w := mixedWorld(t, flags.Shadow, flags.Live)
	first, second := w.keyAt(flags.Shadow), w.keyAt(flags.Live)
	w.tellApart()
	p, writes := w.another(), 0
	w.new.on("All", func(ctx context.Context, _ postgres.DBTX) error {
		writes++
		for _, id := range []int64{first, second} {
			assert.NoError(t, p.notes.Save(context.WithoutCancel(ctx), tenant, note{ID: id, Text: fmt.Sprintf("from %d", writes)}))
		}
		return nil
	})
	require.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		list, err := w.notes.in(tx).All(ctx, tenant)
		require.NoError(t, err)
		want := expected(func(int64) bool { return false })
		want[first-1], want[second-1] = fmt.Sprintf("%d:2", first), fmt.Sprintf("%d:2", second)
		assert.Equal(t, want, sides(list), "the old side knows every write")
		return nil
	}))
	assert.Equal(t, 3, writes)
	assert.EqualValues(t, 1, w.notes.route.Stats().Fallbacks)
}

func TestTheNewSidesFailureNeverReachesTheReaderOfAMixedList(t *testing.T) {
	for name, fail := range map[string]func(ctx context.Context, db postgres.DBTX) error{
		"an error":  func(context.Context, postgres.DBTX) error { return errBoom },
		"not found": func(context.Context, postgres.DBTX) error { return errNoNote },
		"a panic":   func(context.Context, postgres.DBTX) error { panic("boom") },
		"SQL that errs": func(ctx context.Context, db postgres.DBTX) error {
			_, err := db.Exec(ctx, "select 1/0")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := mixedWorld(t, flags.Shadow, flags.Live)
			w.tellApart()
			w.new.on("All", fail)
			w.inBoth(func(list []note, err error) {
				require.NoError(t, err)
				assert.Equal(t, expected(func(int64) bool { return false }), sides(list))
			})
			assert.EqualValues(t, 2, w.notes.route.Stats().Fallbacks)
		})
	}
	t.Run("a lost connection", func(t *testing.T) {
		w := mixedWorld(t, flags.Shadow, flags.Live)
		w.tellApart()
		w.new.on("All", func(ctx context.Context, db postgres.DBTX) error {
			_, err := db.Exec(ctx, "select pg_terminate_backend(pg_backend_pid())")
			return err
		})
		list, err := w.notes.All(t.Context(), tenant)
		require.NoError(t, err)
		assert.Equal(t, expected(func(int64) bool { return false }), sides(list))
	})
	t.Run("the old side's does", func(t *testing.T) {
		w := mixedWorld(t, flags.Shadow, flags.Live)
		w.old.on("All", func(context.Context, postgres.DBTX) error { return errBoom })
		_, err := w.notes.All(t.Context(), tenant)
		require.ErrorIs(t, err, errBoom)
	})
}

func TestWhatIsNoListIsTheLowerStages(t *testing.T) {
	w := mixedWorld(t, flags.Shadow, flags.Live)
	w.tellApart()
	texts, err := repo.Read(t.Context(), w.notes.route, op("Texts", repo.KindList), tenant, repo.AllKeys(), compare.Deep[string], repo.NoArgs{},
		func(ctx context.Context, side notes, _ repo.NoArgs) (all string, err error) {
			list, err := side.All(ctx, tenant)
			for _, n := range list {
				all += n.Text + ";"
			}
			return all, err
		})
	require.NoError(t, err)
	assert.NotContains(t, texts, "v2")
	assert.Contains(t, texts, "v1")
}

func TestAMixedListIsComparedAsAtShadow(t *testing.T) {
	w := mixedWorld(t, flags.Shadow, flags.Live)
	_, err := w.pool.Exec(t.Context(), "update notes_v2 set rest = ' v2' where id = $1", w.keyAt(flags.Live))
	require.NoError(t, err)
	_, err = w.notes.All(t.Context(), tenant)
	require.NoError(t, err)
	stats := w.settled()
	require.Len(t, stats.Operations, 1)
	assert.EqualValues(t, 1, stats.Operations[0].Mismatched, "although the caller got the new side's row")
	require.Len(t, w.records.seen, 1)
	assert.Equal(t, "shadow", w.records.seen[0].Stage)
}

func TestAWriteOfOneKeyFollowsItsKeyAndOneOfSeveralTheLowerStage(t *testing.T) {
	boom := func(context.Context, postgres.DBTX) error { return errBoom }
	w := mixedWorld(t, flags.Shadow, flags.Live)
	at, above := w.keyAt(flags.Shadow), w.keyAt(flags.Live)

	w.new.on("Save", boom)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: at, Text: "from v1 alone"}), "shadow is lenient")
	assert.Equal(t, []string{"new:" + keyText(at)}, w.stale())
	require.ErrorIs(t, w.notes.Save(t.Context(), tenant, note{ID: above, Text: "lost"}), errBoom, "live has the new side's authority")
	w.new.on("Save", nil)
	w.old.on("Save", boom)
	var strict *repo.SideError
	require.ErrorAs(t, w.notes.Save(t.Context(), tenant, note{ID: above, Text: "lost"}), &strict)
	assert.Equal(t, flags.OldSide, strict.Side, "and is strict")
	w.old.on("Save", nil)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: above, Text: "from both"}))

	w.new.on("SeeAll", boom)
	require.NoError(t, w.notes.SeeAll(t.Context(), tenant), "a write of all keys is shadow's")
	assert.Contains(t, w.stale(), "new:*")
	n, err := w.notes.Get(t.Context(), tenant, above)
	require.NoError(t, err)
	assert.EqualValues(t, 1, n.Seen, "a read at live looks at what that left behind")
	locked, err := repo.Lock(t.Context(), w.notes.route, op("LockAll", repo.KindLock), tenant, repo.AllKeys(), repo.NoArgs{},
		func(ctx context.Context, side notes, _ repo.NoArgs) ([]note, error) { return side.All(ctx, tenant) })
	require.NoError(t, err)
	for _, n := range locked {
		assert.EqualValues(t, 1, n.Seen)
	}

	w.new.on("Save", boom)
	id, err := w.notes.Insert(t.Context(), tenant, "made by the database")
	require.NoError(t, err, "its key is not known before")
	assert.Contains(t, w.stale(), "new:"+keyText(id))
	n, err = w.notes.Get(t.Context(), tenant, id)
	require.NoError(t, err)
	assert.Equal(t, "made by the database", n.Text, "wherever its bucket is")
}

func TestOneKeyInAListOfKeysIsDecidedByItself(t *testing.T) {
	w := mixedWorld(t, flags.Shadow, flags.Live)
	w.tellApart()
	get := func(ids ...int64) []note {
		texts := make([]string, len(ids))
		for i, id := range ids {
			texts[i] = keyText(id)
		}
		list, err := repo.Read(t.Context(), w.notes.route, op("Some", repo.KindRead), tenant, repo.KeyList(texts), diffNotes, ids,
			func(ctx context.Context, side notes, ids []int64) (list []note, err error) {
				for _, id := range ids {
					n, gerr := side.Get(ctx, tenant, id)
					list, err = append(list, n), errors.Join(err, gerr)
				}
				return list, err
			})
		require.NoError(t, err)
		return list
	}
	at, above := w.keyAt(flags.Shadow), w.keyAt(flags.Live)
	assert.Equal(t, "from v2", get(above)[0].Text)
	assert.Equal(t, "from v1", get(at)[0].Text)
	both := get(above, at)
	assert.Equal(t, []string{"from v2", "from v1"}, []string{both[0].Text, both[1].Text})
}
