package control_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/versions"
)

var acme = flags.Subject{Tenant: "acme"}

// never is an interval at which no test polls.
const never = time.Hour

// stands reports whether a member decides for a stage, from memory.
func stands(m *control.Member, stage flags.Stage) func() bool {
	return func() bool {
		d, err := m.Flag(name).Peek(acme)
		return err == nil && d.Stage == stage
	}
}

func TestChangeArrivesByNotification(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.join(control.MemberConfig{Interval: never, LeaseTTL: 3 * never})
	w.listening(1)
	r := w.step(toDefault(flags.Dual))
	assert.True(t, r.Settled, "and is acknowledged without waiting for the next heartbeat")
	assert.True(t, stands(m, flags.Dual)())
}

// listening waits until n members listen.
func (w *world) listening(n int) {
	w.t.Helper()
	eventually(w.t, func() bool {
		var found int
		err := w.pool.QueryRow(context.Background(), `select count(*) from pg_stat_activity
			where datname = current_database() and query = 'listen crossfade_policy' and state = 'idle'`).Scan(&found)
		return err == nil && found == n
	}, "the member listens")
}

func TestChangeArrivesByPolling(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.join(control.MemberConfig{NoListen: true})
	w.step(toDefault(flags.Dual))
	assert.True(t, stands(m, flags.Dual)())
}

func TestLostListenerIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.join(control.MemberConfig{Interval: never, LeaseTTL: 3 * never})
	w.listening(1)
	w.exec(`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query = 'listen crossfade_policy'`)
	// A change while nobody listens is found by asking after listening again.
	change := toDefault(flags.Dual)
	change.NoWait = true
	w.step(change)
	eventually(t, stands(m, flags.Dual), "the change arrives all the same")
	w.listening(1)
}

func TestUnknownMigrationIsAClearError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var unknown *ledger.UnknownMigrationError
	_, err := control.Join(t.Context(), w.store, &control.MemberConfig{Migrations: []string{name, "orders-v2"}})
	require.ErrorAs(t, err, &unknown)
	require.ErrorContains(t, err, `join the fleet: migration "orders-v2" is not in the ledger: known are customers-v2`)
	fleet, err := w.store.Fleet(t.Context())
	require.NoError(t, err)
	assert.Empty(t, fleet, "who could not join is no member")

	m := w.join(control.MemberConfig{})
	_, err = m.Flag("orders-v2").Enter(t.Context(), acme)
	var none *flags.NoPolicyError
	require.ErrorAs(t, err, &none)
	require.ErrorAs(t, err, &unknown)
	use, err := m.Flag(name).Enter(t.Context(), acme)
	require.NoError(t, err, "the others go on")
	use.Done()
}

func TestJoinIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := control.Join(t.Context(), w.store, &control.MemberConfig{Interval: time.Second, LeaseTTL: time.Second})
	var input *ledger.InputError
	require.ErrorAs(t, err, &input)
	require.ErrorContains(t, err, "twice as long")

	w.exec(`drop schema crossfade cascade`)
	_, err = control.Join(t.Context(), w.store, nil)
	var version *ledger.VersionError
	require.ErrorAs(t, err, &version)
	assert.True(t, version.Absent())
}

func TestMigrationIsLoadedAtItsFirstUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.join(control.MemberConfig{Migrations: []string{}})
	use, err := m.Flag(name).Enter(t.Context(), acme)
	require.NoError(t, err)
	use.Done()
	assert.Equal(t, flags.Old, use.Stage)
	w.step(toDefault(flags.Dual))
	assert.True(t, stands(m, flags.Dual)(), "from then on it is kept up to date")
}

func TestLedgerKnowsWhatAProcessActsOnBeforeItDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.join(control.MemberConfig{Migrations: []string{}, Interval: never, LeaseTTL: 3 * never})
	gate, err := w.pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = gate.Exec(t.Context(), `lock table crossfade.policies`) // the process cannot read its policy yet
	require.NoError(t, err)
	entered := make(chan error, 1)
	ctx := context.WithoutCancel(t.Context())
	go func() {
		use, err := m.Flag(name).Enter(ctx, acme)
		if err == nil {
			use.Done()
		}
		entered <- err
	}()
	eventually(t, func() bool {
		var said int
		err := w.pool.QueryRow(ctx, `select count(*) from crossfade.acknowledgements where epoch = 1`).Scan(&said)
		return err == nil && said == 1
	}, "it has said so already")
	assert.Nil(t, m.Flag(name).Current())
	require.NoError(t, gate.Rollback(t.Context()))
	require.NoError(t, <-entered)
}

func TestProcessAcknowledgesAsSoonAsItsLastUseEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.join(control.MemberConfig{Interval: never, LeaseTTL: 3 * never})
	w.listening(1)
	use, err := m.Flag(name).Enter(t.Context(), acme)
	require.NoError(t, err)
	done := w.applyInBackground(toDefault(flags.Dual))
	eventually(t, stands(m, flags.Dual), "new decisions follow at once")
	left, err := w.store.Unsettled(t.Context(), w.migration)
	require.NoError(t, err)
	require.Len(t, left.Processes, 1, "the operation under way is waited for")
	use.Done()
	got := <-done // no heartbeat is due for an hour
	require.NoError(t, got.err)
}

func TestExhaustedPoolOfTheApplicationDoesNotStopTheHeart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config, err := pgxpool.ParseConfig(w.dsn)
	require.NoError(t, err)
	config.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer pool.Close()
	m, err := control.Join(t.Context(), ledger.New(pool, nil), &control.MemberConfig{Interval: 10 * time.Millisecond, LeaseTTL: 10 * time.Second, Migrations: []string{name}})
	require.NoError(t, err)
	defer func() { assert.NoError(t, m.Close(context.Background())) }()
	conn, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	w.step(toDefault(flags.Dual))
	require.NoError(t, m.Flag(name).Refused(t.Context(), acme, flags.Decision{}), "a refused transaction holds the only connection while it asks")
	assert.True(t, stands(m, flags.Dual)())
}

func TestClosedMemberLeavesAndDecidesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.join(control.MemberConfig{})
	require.NoError(t, m.Close(t.Context()))
	require.NoError(t, m.Close(t.Context()), "twice is once")
	fleet, err := w.store.Fleet(t.Context())
	require.NoError(t, err)
	assert.Empty(t, fleet)
	_, err = m.Flag(name).Enter(t.Context(), acme)
	var none *flags.NoPolicyError
	require.ErrorAs(t, err, &none)
	require.ErrorIs(t, err, control.ErrClosed)
}

func TestPolicyOfTheSameEpochAfterAFailoverIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.join(control.MemberConfig{})
	w.step(toDefault(flags.Dual))
	// A standby that lost epoch 2 gave the number to another policy.
	w.exec(`update crossfade.policies set policy_id = gen_random_uuid(), default_stage = 'old' where epoch = 2`)
	w.exec(`update crossfade.migrations set policy_id = (select policy_id from crossfade.policies where epoch = 2)`)
	eventually(t, stands(m, flags.Old), "the ledger's policy counts")
	eventually(t, func() bool {
		left, err := w.store.Unsettled(t.Context(), w.migration)
		return err == nil && left.Settled()
	}, "and is acknowledged")
}

func TestManyDecisionsDuringManyChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	members := []*control.Member{w.join(control.MemberConfig{}), w.join(control.MemberConfig{NoListen: true})}
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for _, m := range members {
		for i := range 4 {
			readers.Go(func() {
				tick := time.NewTicker(time.Millisecond)
				defer tick.Stop()
				for range tick.C {
					if ctx.Err() != nil {
						return
					}
					pinned, release := flags.Pin(t.Context(), 0)
					first, err := m.Flag(name).Enter(pinned, flags.Subject{Tenant: fmt.Sprint(i)})
					if !assert.NoError(t, err) {
						release()
						return
					}
					second, err := m.Flag(name).Enter(pinned, flags.Subject{Tenant: fmt.Sprint(i)})
					if assert.NoError(t, err) {
						assert.Equal(t, first.Decision, second.Decision)
						second.Done()
					}
					first.Done()
					release()
				}
			})
		}
	}
	for i := range 10 {
		w.step(toDefault([]flags.Stage{flags.Dual, flags.Old}[i%2]))
	}
	cancel()
	readers.Wait()
}

func TestServerGoneInTheMiddle(t *testing.T) {
	t.Parallel()
	server, err := pgtest.Start(t.Context(), &pgtest.Config{Own: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close(context.Background())) })
	dsn, err := server.CreateDatabase(t.Context(), "ledger", "")
	require.NoError(t, err)
	require.NoError(t, ledger.Migrate(t.Context(), dsn))
	pool, err := pgxpool.New(t.Context(), dsn)
	require.NoError(t, err)
	defer pool.Close()
	store := ledger.New(pool, nil)
	_, err = store.Register(t.Context(), versions.Migration{Name: name, Entity: "customers", From: "v1", To: "v2"}, "")
	require.NoError(t, err)

	join := func(ttl time.Duration) *control.Member {
		m, err := control.Join(t.Context(), store, &control.MemberConfig{Migrations: []string{name}, Interval: 20 * time.Millisecond, LeaseTTL: ttl, Timeout: 5 * time.Second})
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, m.Close(context.Background())) })
		return m
	}
	patient, hasty := join(time.Hour), join(2*time.Second)
	var mu sync.Mutex
	seen := map[flags.ChangeKind]bool{}
	defer hasty.Set().Watch(func(c flags.Change) {
		mu.Lock()
		defer mu.Unlock()
		seen[c.Kind] = true
	})()
	saw := func(kind flags.ChangeKind) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return seen[kind]
		}
	}

	require.NoError(t, server.Stop(t.Context(), "fast"))
	eventually(t, saw(flags.Failed), "the failing heartbeat is told")
	eventually(t, saw(flags.Stale), "the lease runs out")
	eventually(t, func() bool { return hasty.Flag(name).Current() == nil }, "also when it had run out before")
	_, err = hasty.Flag(name).Enter(t.Context(), acme)
	var none *flags.NoPolicyError
	require.ErrorAs(t, err, &none, "past its lease a process asks inside the call, or fails")
	var problem *ledger.ServerError
	require.ErrorAs(t, err, &problem)
	_, err = hasty.Flag(name).Peek(acme)
	var lease *control.LeaseError
	require.ErrorAs(t, err, &lease)
	require.ErrorContains(t, err, "the lease of 2s ran out")
	use, err := patient.Flag(name).Enter(t.Context(), acme)
	require.NoError(t, err, "within its lease it goes on")
	use.Done()

	require.NoError(t, server.Start(t.Context()))
	eventually(t, saw(flags.Fresh), "it recovers by itself")
	eventually(t, stands(hasty, flags.Old), "and decides from memory again")
	require.NoError(t, patient.Acknowledge(t.Context()))
}

func TestProcessBehindAPoolerPollsAndSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, through := pgtest.Bouncer(t, w.dsn, nil)
	pool, err := pgxpool.New(t.Context(), withParameter(t, through, "default_query_exec_mode", "cache_describe"))
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	m, err := control.Join(t.Context(), ledger.New(pool, nil), &control.MemberConfig{Migrations: []string{name}, Interval: 20 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.Close(context.Background()) })
	polls := func() string {
		fleet, err := w.store.Fleet(t.Context())
		require.NoError(t, err)
		require.Len(t, fleet, 1)
		return fleet[0].Polls
	}
	deadline := time.Now().Add(10 * time.Second) // a process that listens never says so
	for polls() != "behind a pooler" && time.Now().Before(deadline) {
		<-time.After(time.Millisecond)
	}
	require.Equal(t, "behind a pooler", polls())
	assert.Equal(t, "behind a pooler", m.Polls())
	w.step(toDefault(flags.Dual))
	assert.True(t, stands(m, flags.Dual)(), "the change arrives with a heartbeat")
	w.listening(0)
}
