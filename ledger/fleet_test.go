package ledger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// beat sends a heartbeat of process n that acts on a policy.
func beat(t *testing.T, store *ledger.Store, n byte, lease time.Duration, acting ...ledger.Version) []ledger.Version {
	t.Helper()
	versions, err := store.Heartbeat(t.Context(), ledger.Beat{
		ID: [16]byte{n}, Name: "shop", Host: "web", PID: int(n), Lease: lease, Acting: acting, Watched: []string{customers.Name, "unknown"},
	})
	require.NoError(t, err)
	return versions
}

func TestHeartbeatTellsThePoliciesInForce(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t)
	assert.Equal(t, []ledger.Version{inForce(t, store)}, beat(t, store, 1, time.Minute))
	now := to(t, store, flags.Dual)
	assert.Equal(t, []ledger.Version{now}, beat(t, store, 1, time.Minute))
}

func TestAcknowledgementWaitsForEveryLiveProcess(t *testing.T) {
	t.Parallel()
	store, pool := newStore(t)
	m := mustMigration(t, store)
	first := inForce(t, store)
	beat(t, store, 1, time.Hour, first)
	beat(t, store, 2, time.Hour, first)
	beat(t, store, 3, time.Hour) // acts on nothing of this migration
	second := to(t, store, flags.Dual)
	mark := func() []int64 {
		epochs, err := store.MarkAcknowledged(t.Context(), m)
		require.NoError(t, err)
		return epochs
	}
	assert.Empty(t, mark())
	beat(t, store, 1, time.Hour, second)
	assert.Empty(t, mark(), "the other process still acts on it")
	left, err := store.Unsettled(t.Context(), m)
	require.NoError(t, err)
	assert.Equal(t, []int64{1}, left.Undrained)
	assert.Equal(t, []int64{1}, left.Unacknowledged)
	require.Len(t, left.Processes, 1)
	assert.Equal(t, "shop[2]@web", left.Processes[0].String())

	_, err = pool.Exec(t.Context(), `update crossfade.processes set expires_at = now() - interval '1 second' where pid = 2`)
	require.NoError(t, err)
	assert.Equal(t, []int64{1}, mark(), "a process leaves when its lease runs out")
	assert.Empty(t, mark(), "once is enough")

	beat(t, store, 2, time.Hour, first) // it was only asleep
	left, err = store.Unsettled(t.Context(), m)
	require.NoError(t, err)
	assert.False(t, left.Settled(), "who comes back with an older policy is waited for again")
	state, err := store.Load(t.Context(), customers.Name)
	require.NoError(t, err)
	require.Len(t, state.Outstanding(), 1)
	assert.EqualValues(t, 1, state.Outstanding()[0].Epoch)
}

func TestPolicyThatTheLedgerDoesNotKnowAcknowledgesNothing(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t)
	lost := to(t, store, flags.Dual)
	lost.PolicyID = flags.NewPolicyID() // what a failover left of it
	beat(t, store, 1, time.Hour, lost)
	to(t, store, flags.Shadow)
	epochs, err := store.MarkAcknowledged(t.Context(), mustMigration(t, store))
	require.NoError(t, err)
	assert.Empty(t, epochs)
	state, err := store.Load(t.Context(), customers.Name)
	require.NoError(t, err)
	require.Len(t, state.Processes, 1)
	assert.True(t, state.Processes[0].Unknown)
}

func TestFleetShowsWhoActsOnWhat(t *testing.T) {
	t.Parallel()
	store, pool := newStore(t)
	first := inForce(t, store)
	beat(t, store, 1, time.Hour, first)
	beat(t, store, 2, time.Hour)
	_, err := pool.Exec(t.Context(), `update crossfade.processes set expires_at = now() - interval '1 minute' where pid = 2`)
	require.NoError(t, err)
	all, err := store.Fleet(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.True(t, all[0].Live)
	assert.Equal(t, first, all[0].Acting[customers.Name])
	assert.False(t, all[1].Live)

	_, err = pool.Exec(t.Context(), `update crossfade.processes set expires_at = now() - interval '2 hours' where pid = 2`)
	require.NoError(t, err)
	require.NoError(t, store.Leave(t.Context(), [16]byte{1}))
	require.NoError(t, store.ForgetDead(t.Context()))
	all, err = store.Fleet(t.Context())
	require.NoError(t, err)
	assert.Empty(t, all, "the dead are forgotten some day")
}

func TestEpochInForceIsNeverDrained(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t)
	_, err := store.Drain(t.Context(), mustMigration(t, store), 1, time.Second)
	var input *ledger.InputError
	require.ErrorAs(t, err, &input)
}

func TestStaleKeysAreCountedAndListed(t *testing.T) {
	t.Parallel()
	store, pool := newStore(t)
	m := mustMigration(t, store)
	_, err := pool.Exec(t.Context(), `insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause, last_error, recorded_at)
		select $1, t, 'new', k::text, 1, 'test', case when k = 1 then 'unique' else '' end, timestamptz '2026-01-01' + k * interval '1 hour'
		from unnest('{acme,zeta}'::text[]) t, generate_series(1, 3) k`, m.ID)
	require.NoError(t, err)
	counts, err := store.StaleCounts(t.Context(), customers.Name)
	require.NoError(t, err)
	oldest := time.Date(2026, 1, 1, 1, 0, 0, 0, time.UTC)
	for i := range counts {
		assert.WithinDuration(t, oldest, counts[i].Oldest, 24*time.Hour)
		assert.Greater(t, counts[i].Age, 24*time.Hour)
		counts[i].Oldest, counts[i].Age = time.Time{}, 0
	}
	assert.Equal(t, []ledger.StaleCount{
		{Tenant: "acme", Side: flags.NewSide, Keys: 3, Failing: 1, Untried: 2}, {Tenant: "zeta", Side: flags.NewSide, Keys: 3, Failing: 1, Untried: 2},
	}, counts)
	page, err := store.StaleKeys(t.Context(), customers.Name, ledger.StaleFilter{Tenant: "zeta", Limit: 2})
	require.NoError(t, err)
	require.Len(t, page, 2)
	rest, err := store.StaleKeys(t.Context(), customers.Name, ledger.StaleFilter{Tenant: "zeta", After: page[1].ID})
	require.NoError(t, err)
	require.Len(t, rest, 1)
	assert.Equal(t, "3", rest[0].Key)
}
