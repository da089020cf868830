package workload_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/bench/workload"
	"github.com/crossfade-db/crossfade/bench/workload/items"
	"github.com/crossfade-db/crossfade/internal/pgtest"
)

const rows = 1000

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func open(t *testing.T) *workload.App {
	dsn := pgtest.New(t)
	require.NoError(t, workload.Prepare(t.Context(), dsn, rows))
	a, err := workload.Open(t.Context(), dsn, rows, 4)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close(context.Background())) })
	return a
}

func TestEveryStateReadsAndWritesTheSidesThatItSays(t *testing.T) {
	a := open(t)
	written := map[workload.State][]string{
		workload.OldFenced: {"items"}, workload.OldUnfenced: {"items"}, workload.OldCaptured: {"items_captured"}, workload.OldORM: {"items"},
		workload.Dual: {"items", "articles"}, workload.DualSplit: {"items", "split_levels"}, workload.DualORM: {"items", "articles"},
		workload.Shadow: {"items", "articles"}, workload.Live: {"items", "articles"}, workload.LiveClean: {"items", "articles"},
		workload.RampDown: {"items", "articles"}, workload.NewFenced: {"articles"}, workload.NewUnfenced: {"articles"},
	}
	require.Len(t, written, len(workload.States()))
	for n, state := range workload.States() {
		i := 10 + n
		require.NoError(t, a.SetStock(a.Routed(state))(t.Context(), i), state)
		require.NoError(t, a.Get(a.Routed(state))(t.Context(), i), state)
		assert.ElementsMatch(t, written[state], changed(t, a, rows/2+i), state)
	}
	require.NoError(t, a.Settle(t.Context()))
	sum := a.Compared()
	assert.Zero(t, sum.Mismatched+sum.Inconclusive+sum.Dropped)
	assert.EqualValues(t, 3, sum.Compared, "shadow and twice live")
	var stale, refused int64
	require.NoError(t, a.Pool.QueryRow(t.Context(), "select count(*) from crossfade.stale_keys").Scan(&stale))
	assert.Zero(t, stale)
	for _, state := range workload.States() {
		refused += a.Routed(state).Route().Stats().Refused
	}
	assert.Zero(t, refused, "each acts on the policy in force")
}

// changed returns the tables whose row has another stock than it began with.
func changed(t *testing.T, a *workload.App, id int) (names []string) {
	t.Helper()
	for table, column := range map[string]string{
		"items": "stock", "items_captured": "stock", "items_triggered": "stock", "articles": "on_hand", "split_levels": "on_hand",
	} {
		var stock int64
		require.NoError(t, a.Pool.QueryRow(t.Context(), "select "+column+" from bench."+table+" where id = $1", id).Scan(&stock))
		if stock != int64(id%1000) {
			names = append(names, table)
		}
	}
	return names
}

func TestDirectCallsDoWhatRoutedOnesDo(t *testing.T) {
	a := open(t)
	var first items.Item
	for name, direct := range map[string]items.Items{"v1": a.V1(), "v2": a.V2(), "GORM": a.V1ORM(), "GORM in transactions": a.V1TxORM()} {
		got, err := a.Read(direct)(t.Context(), 3)
		require.NoError(t, err, name)
		if first.Tenant == "" {
			first = got
		}
		assert.Empty(t, items.DiffItem(first, got), name)
		require.NoError(t, a.SetStock(direct)(t.Context(), 1), name)
	}
	assert.ElementsMatch(t, []string{"items", "articles"}, changed(t, a, rows/2+1))
	require.NoError(t, a.Sequential()(t.Context(), 2))
	assert.ElementsMatch(t, []string{"items", "articles"}, changed(t, a, rows/2+2))
	require.NoError(t, a.Triggered()(t.Context(), 3))
	assert.ElementsMatch(t, []string{"items_triggered", "articles"}, changed(t, a, rows/2+3))
	assert.Equal(t, rows/2, a.Keys())
	require.NoError(t, a.RoundTrip(t.Context(), 0))
}
