package micro

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/bench/micro/wide"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

func testWorld(t *testing.T, rows int) *world {
	t.Helper()
	w, err := openWorld(t.Context(), pgtest.New(t), rows)
	t.Cleanup(w.close)
	require.NoError(t, err)
	return w
}

func (w *world) differing(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, w.pool.QueryRow(t.Context(), `select count(*) from bench.items o full join bench.articles n using (tenant, id)
		where (o.name, o.stock, o.price_cents, o.updated_at) is distinct from (n.title, n.on_hand, n.price_cents, n.changed_at)`).Scan(&n))
	return n
}

func TestBackfillsAndInsertSelectCopyTheSame(t *testing.T) {
	w := testWorld(t, 1000)
	require.Equal(t, 1000, w.differing(t))
	require.NoError(t, w.exec(t.Context(), insertSelect))
	assert.Zero(t, w.differing(t))
	for how, entity := range w.entities() {
		require.NoError(t, w.emptied(t.Context()))
		r, err := w.job(t.Context(), entity, ledger.JobBackfill, time.Minute)
		require.NoError(t, err)
		assert.Zero(t, w.differing(t), how)
		assert.True(t, r.done)
		assert.EqualValues(t, 1000, r.keys)
		assert.Positive(t, r.perSecond())
	}
}

func TestAJobThatTakesLongerIsSampled(t *testing.T) {
	w := testWorld(t, 20_000)
	r, err := w.job(t.Context(), w.entities()[throughGo], ledger.JobBackfill, 300*time.Millisecond)
	require.NoError(t, err)
	if !r.done {
		assert.Less(t, r.keys, int64(20_000))
	}
	jobs, err := w.store.JobsOf(t.Context(), w.migration(), 10)
	require.NoError(t, err)
	require.Len(t, jobs, 1)
	assert.False(t, jobs[0].Open(), "nobody goes on with it")
}

func TestAVerificationThatFindsDifferencesIsAnError(t *testing.T) {
	w := testWorld(t, 1000)
	require.NoError(t, w.backfilled(t.Context()))
	require.Zero(t, w.differing(t))
	require.NoError(t, w.exec(t.Context(), "update bench.articles set on_hand = -1 where id = 7"))
	for how, entity := range w.entities() {
		_, err := w.job(t.Context(), entity, ledger.JobVerify, time.Minute)
		assert.ErrorContains(t, err, "1 keys that differ", how)
	}
}

func TestTheForegroundIsRoutedAtDual(t *testing.T) {
	w := testWorld(t, 1000)
	require.NoError(t, w.backfilled(t.Context()))
	latencies, err := w.beside(t.Context(), w.entities()[inSQL], 100*time.Millisecond)
	require.NoError(t, err)
	assert.Len(t, latencies, callers*callsEach/10)
	assert.Zero(t, w.differing(t), "both sides were written")
	var written int
	require.NoError(t, w.pool.QueryRow(t.Context(), "select count(*) from bench.articles where changed_at <> '2026-01-01Z'").Scan(&written))
	assert.Positive(t, written)
}

func TestLoopsTakeTurns(t *testing.T) {
	calls := map[string]int{}
	var order []string
	count := func(name string) loop {
		return loop{name, func(n int) { calls[name] += n; order = append(order, name) }}
	}
	allocating := loop{"allocating", func(n int) {
		for range n {
			sink = new(int64)
		}
	}}
	costs, err := timed(t.Context(), pace{rounds: 9, turn: time.Microsecond}, []loop{count("a"), count("b"), allocating})
	require.NoError(t, err)
	assert.Len(t, costs, 3)
	assert.Positive(t, calls["a"])
	assert.Positive(t, calls["b"])
	joined := strings.Join(order, "")
	assert.Contains(t, joined, "ab")
	assert.Contains(t, joined, "ba")
	assert.InDelta(t, 1, costs["allocating"].allocs, 0.01)
	assert.Zero(t, costs["a"].allocs)
}

var sink *int64

func TestMiddle(t *testing.T) {
	assert.Equal(t, figure{value: 3, noise: 1}, middle([]float64{5, 1, 3, 2, 4}))
	assert.Equal(t, figure{}, middle(nil))
}

func TestTheGeneratedComparatorLooksAtEachOfTwentyFields(t *testing.T) {
	require.Empty(t, wide.DiffAccount(account(), account()))
	fields := reflect.TypeFor[wide.Account]().NumField()
	require.Equal(t, 20, fields)
	for i := range fields {
		other := account()
		field := reflect.ValueOf(&other).Elem().Field(i)
		switch v := field.Addr().Interface().(type) {
		case *uuid.UUID:
			v[15]++
		case *string:
			*v += "!"
		case *bool:
			*v = !*v
		case *float64:
			*v++
		case *time.Time:
			*v = v.Add(time.Second)
		default:
			field.SetInt(field.Int() + 1)
		}
		diffs := wide.DiffAccount(account(), other)
		require.Len(t, diffs, 1)
		assert.Equal(t, reflect.TypeFor[wide.Account]().Field(i).Name, diffs[0].Path)
	}
}

func TestAnEntityHasTenMethods(t *testing.T) {
	assert.Equal(t, 1+10, strings.Count(entity, "//crossfade:"))
	assert.Equal(t, 10, strings.Count(entity, "(ctx context.Context,"))
}

func TestRunsAtTheSameTimeGenerateInFoldersOfTheirOwn(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	one, releaseOne, err := ownFolder()
	require.NoError(t, err)
	two, releaseTwo, err := ownFolder()
	require.NoError(t, err)
	assert.NotEqual(t, one, two)
	require.NoError(t, releaseOne())
	again, releaseAgain, err := ownFolder()
	require.NoError(t, err)
	assert.Equal(t, one, again)
	require.NoError(t, releaseAgain())
	require.NoError(t, releaseTwo())
}
