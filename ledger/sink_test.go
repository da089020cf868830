package ledger_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// records returns records of n keys.
func records(migration string, n int) []compare.Record {
	all := make([]compare.Record, n)
	for i := range all {
		all[i] = compare.Record{
			Migration: migration, Tenant: "acme", Operation: "Customers.Get", Key: fmt.Sprint(i), Field: "name", Stage: "shadow",
			Epoch: 3, Kind: compare.KindValue, Served: "a", Other: "b", RequestID: "r1", At: noon,
		}
	}
	return all
}

func TestSinkCountsOneDifferenceInOneRow(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t)
	sink := store.Sink()
	r := records(customers.Name, 1)[0]
	later := r
	later.At, later.RequestID, later.Served = noon.Add(time.Hour), "r2", "c"
	other := r
	other.Stage = "live"
	require.NoError(t, sink.Record(t.Context(), []compare.Record{later, r, other}))
	require.NoError(t, sink.Record(t.Context(), []compare.Record{r}))
	require.NoError(t, sink.Record(t.Context(), nil))

	all, err := store.Mismatches(t.Context(), customers.Name, ledger.MismatchFilter{})
	require.NoError(t, err)
	require.Len(t, all, 2, "one row per stage")
	assert.EqualValues(t, 3, all[0].Count)
	assert.Equal(t, noon, all[0].FirstSeen)
	assert.Equal(t, noon.Add(time.Hour), all[0].LastSeen)
	assert.EqualValues(t, 1, all[1].Count)
}

func TestSinkIsBoundedAndCountsTheRest(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	store := ledger.New(pool, &ledger.Config{MaxMismatches: 10})
	_, err := store.Register(t.Context(), customers, "")
	require.NoError(t, err)
	var group errgroup.Group
	for i := range 4 { // several programs at once do not pass the bound together
		group.Go(func() error {
			batch := records(customers.Name, 25)
			for j := range batch {
				batch[j].Key = fmt.Sprintf("%d-%d", i, j)
			}
			return store.Sink().Record(t.Context(), batch)
		})
	}
	require.NoError(t, group.Wait())
	all, err := store.Mismatches(t.Context(), customers.Name, ledger.MismatchFilter{Limit: 1000})
	require.NoError(t, err)
	require.Len(t, all, 11)
	var kept, overflown int64
	for _, m := range all {
		if m.Kind == ledger.OverflowKind {
			overflown += m.Count
			assert.Equal(t, "Customers.Get", m.Operation)
			assert.Empty(t, m.Key+m.Served+m.Other+m.Tenant)
		} else {
			kept += m.Count
		}
	}
	assert.EqualValues(t, 10, kept)
	assert.EqualValues(t, 90, overflown)

	resolved, err := store.ResolveMismatches(t.Context(), customers.Name, ledger.MismatchFilter{Tenant: "acme"})
	require.NoError(t, err)
	assert.EqualValues(t, 10, resolved)
	fresh := records(customers.Name, 3)
	require.NoError(t, store.Sink().Record(t.Context(), fresh))
	open, err := store.Mismatches(t.Context(), customers.Name, ledger.MismatchFilter{Tenant: "acme"})
	require.NoError(t, err)
	assert.Len(t, open, 3, "resolved mismatches make room")
}

func TestResolvedMismatchOpensAgainWhenItIsSeenAgain(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t)
	batch := records(customers.Name, 3)
	require.NoError(t, store.Sink().Record(t.Context(), batch))
	all, err := store.Mismatches(t.Context(), customers.Name, ledger.MismatchFilter{})
	require.NoError(t, err)
	n, err := store.ResolveMismatches(t.Context(), customers.Name, ledger.MismatchFilter{IDs: []int64{all[0].ID, all[1].ID}})
	require.NoError(t, err)
	assert.EqualValues(t, 2, n)
	open, err := store.Mismatches(t.Context(), customers.Name, ledger.MismatchFilter{Field: "name", Operation: "Customers.Get"})
	require.NoError(t, err)
	assert.Len(t, open, 1)

	for i := range batch {
		batch[i].At = time.Now().Add(time.Hour)
	}
	require.NoError(t, store.Sink().Record(t.Context(), batch))
	open, err = store.Mismatches(t.Context(), customers.Name, ledger.MismatchFilter{})
	require.NoError(t, err)
	assert.Len(t, open, 3)
	every, err := store.Mismatches(t.Context(), customers.Name, ledger.MismatchFilter{Resolved: true})
	require.NoError(t, err)
	assert.Len(t, every, 3)
}

func TestSinkKeepsWhatPostgreSQLCannotStoreAsItIs(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t)
	batch := records(customers.Name, 4)
	batch[0].Key, batch[0].Served = "nul\x00", "\xff\xfe"
	batch[1].Key = strings.Repeat("k", 9000)
	batch[2].Key = strings.Repeat("k", 9000) + "other"
	batch[3].Field, batch[3].Other = strings.Repeat("é", 3000), strings.Repeat("é", 30000)
	require.NoError(t, store.Sink().Record(t.Context(), batch))
	all, err := store.Mismatches(t.Context(), customers.Name, ledger.MismatchFilter{})
	require.NoError(t, err)
	assert.Len(t, all, 4, "long keys that begin alike stay apart")
}
