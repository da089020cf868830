package peers_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/bench/peers"
	"github.com/crossfade-db/crossfade/flags"
)

func launchDarkly(t *testing.T, stage flags.Stage) *peers.LaunchDarkly {
	t.Helper()
	client, err := peers.NewLaunchDarkly(stage)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	return client
}

func TestLaunchDarklyCallsTheFunctionsOfItsStage(t *testing.T) {
	for _, tc := range []struct {
		stage    flags.Stage
		reads    string
		writes   string
		compares bool
	}{
		{stage: flags.Old, reads: "old", writes: "old"},
		{stage: flags.Dual, reads: "old", writes: "old new"},
		{stage: flags.Shadow, reads: "old new", writes: "old new", compares: true},
		{stage: flags.Live, reads: "new old", writes: "new old", compares: true},
		{stage: flags.RampDown, reads: "new", writes: "new old"},
		{stage: flags.New, reads: "new", writes: "new"},
	} {
		t.Run(tc.stage.String(), func(t *testing.T) {
			client := launchDarkly(t, tc.stage)
			var called string
			note := func(name string) {
				if called != "" {
					called += " "
				}
				called += name
			}
			reader := func(name string) peers.Read[int] {
				return func(_ context.Context, i int) (int, error) { note(name); return i, nil }
			}
			writer := func(name string) peers.Write {
				return func(context.Context, int) error { note(name); return nil }
			}
			read, err := peers.LaunchDarklyRead(client, tenant, false, reader("old"), reader("new"), func(a, b int) bool { return a == b })
			require.NoError(t, err)
			require.NoError(t, read(t.Context(), 7))
			assert.Equal(t, tc.reads, called)
			matched, differing := client.Consistency()
			assert.Equal(t, tc.compares, matched == 1)
			assert.Zero(t, differing)

			called = ""
			write, err := peers.LaunchDarklyWrite(client, tenant, writer("old"), writer("new"))
			require.NoError(t, err)
			require.NoError(t, write(t.Context(), 7))
			assert.Equal(t, tc.writes, called)
		})
	}
}

func TestLaunchDarklyWritesBothTables(t *testing.T) {
	w := newWorld(t)
	write, err := peers.LaunchDarklyWrite(launchDarkly(t, flags.Dual), tenant, w.writeOld(), w.writeNew())
	require.NoError(t, err)
	for i := range 3 {
		require.NoError(t, write(t.Context(), i))
	}
	assert.Equal(t, []string{"0 Ada Lovelace0", "1 Ada Lovelace1", "2 Ada Lovelace2"}, w.old())
	assert.Equal(t, w.old(), w.new())
	assert.ErrorContains(t, write(t.Context(), 1), "duplicate key")

	w.exec("delete from v1.people where id = 2")
	assert.ErrorContains(t, write(t.Context(), 2), "people_v2", "an error of the other side is not hidden")
}

func TestLaunchDarklyReallyComparesAtShadow(t *testing.T) {
	w := newWorld(t)
	w.exec("insert into v1.people select $1, i, 'Ada Lovelace' from generate_series(1, 10) i", tenant)
	w.exec("insert into people_v2 select $1, i, 'Ada', case when i = 4 then 'Byron' else 'Lovelace' end from generate_series(1, 10) i", tenant)
	for _, parallel := range []bool{false, true} {
		client := launchDarkly(t, flags.Shadow)
		read, err := peers.LaunchDarklyRead(client, tenant, parallel, w.readOld(), w.readNew(), equal)
		require.NoError(t, err)
		for i := range 10 {
			require.NoError(t, read(t.Context(), i+1))
		}
		matched, differing := client.Consistency()
		assert.EqualValues(t, 9, matched)
		assert.EqualValues(t, 1, differing)
	}
}

func TestLaunchDarklyReadsBothSidesAtOnceIfParallel(t *testing.T) {
	var waiting atomic.Int64
	both := make(chan struct{})
	meet := func(ctx context.Context, i int) (int, error) {
		if waiting.Add(1) == 2 {
			close(both)
		}
		select {
		case <-both:
			return i, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	read, err := peers.LaunchDarklyRead(launchDarkly(t, flags.Live), tenant, true, meet, meet, func(a, b int) bool { return a == b })
	require.NoError(t, err)
	require.NoError(t, read(t.Context(), 1))
}

func TestLaunchDarklyGivesTheErrorOfTheAuthority(t *testing.T) {
	broken := errors.New("broken")
	fails := func(context.Context, int) (int, error) { return 0, broken }
	works := func(_ context.Context, i int) (int, error) { return i, nil }
	read, err := peers.LaunchDarklyRead(launchDarkly(t, flags.Shadow), tenant, false, fails, works, func(a, b int) bool { return a == b })
	require.NoError(t, err)
	require.ErrorIs(t, read(t.Context(), 1), broken)

	_, err = peers.NewLaunchDarkly(0)
	require.Error(t, err)
}
