package control_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/proxy"
	"github.com/crossfade-db/crossfade/ledger"
)

// A process that does not get its heartbeats through stops deciding when its
// lease runs out, says why, and comes back by itself.
func TestProcessWhoseHeartbeatsFailStopsDecidingAndComesBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		begin    func(w *world, network *proxy.Proxy)
		end      func(w *world, network *proxy.Proxy)
		problems []ledger.Problem
	}{
		{
			"a network that swallows everything",
			func(_ *world, network *proxy.Proxy) { network.Hold() },
			func(_ *world, network *proxy.Proxy) { network.Release() },
			[]ledger.Problem{ledger.TimedOut},
		},
		{
			"a network that refuses everything",
			func(_ *world, network *proxy.Proxy) { network.Refuse(true); network.Cut() },
			func(_ *world, network *proxy.Proxy) { network.Refuse(false) },
			[]ledger.Problem{ledger.Unreachable, ledger.Lost, ledger.TimedOut},
		},
		{
			"a server whose disk is full",
			func(w *world, _ *proxy.Proxy) {
				w.exec(`create function full_disk() returns trigger language plpgsql as $$
					begin raise exception using errcode = '53100', message = 'could not extend file: No space left on device'; end $$`)
				w.exec(`create trigger full_disk before insert or update on crossfade.processes for each row execute function full_disk()`)
			},
			func(w *world, _ *proxy.Proxy) { w.exec(`drop trigger full_disk on crossfade.processes`) },
			[]ledger.Problem{ledger.DiskFull},
		},
		{
			"a server that takes no writes",
			func(w *world, network *proxy.Proxy) {
				w.exec(`do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$`)
				network.Cut()
			},
			func(w *world, network *proxy.Proxy) {
				w.exec(`set default_transaction_read_only = off;
					do $$ begin execute format('alter database %I reset default_transaction_read_only', current_database()); end $$`)
				network.Cut()
			},
			[]ledger.Problem{ledger.ReadOnly},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			network, pool := w.through()
			m, err := control.Join(t.Context(), ledger.New(pool, nil), &control.MemberConfig{
				Migrations: []string{name}, Interval: 20 * time.Millisecond, LeaseTTL: time.Second,
			})
			require.NoError(t, err)
			t.Cleanup(func() { _ = m.Close(context.Background()) })
			use, err := m.Flag(name).Enter(t.Context(), acme)
			require.NoError(t, err)
			use.Done()
			c.begin(w, network)
			eventually(t, func() bool { return m.Flag(name).Current() == nil }, "its lease runs out")
			assert.False(t, use.Held())
			_, err = m.Flag(name).Enter(t.Context(), acme)
			var none *flags.NoPolicyError
			require.ErrorAs(t, err, &none, "it asks inside the call, and says why that fails")
			var server *ledger.ServerError
			require.ErrorAs(t, err, &server)
			assert.Contains(t, c.problems, server.Problem, "%s", err)
			_, err = m.Flag(name).Peek(acme)
			var lease *control.LeaseError
			require.ErrorAs(t, err, &lease)
			require.ErrorContains(t, err, "the lease of 1s ran out: ")
			c.end(w, network)
			eventually(t, stands(m, flags.Old), "it comes back by itself")
			again, err := m.Flag(name).Enter(t.Context(), acme)
			require.NoError(t, err)
			assert.True(t, again.Held())
			again.Done()
		})
	}
}

// Each way to the server and back takes 300 milliseconds.
func TestProcessBehindASlowNetworkKeepsItsLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	network, pool := w.through()
	network.Delay(300 * time.Millisecond)
	m, err := control.Join(t.Context(), ledger.New(pool, nil), &control.MemberConfig{Migrations: []string{name}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.Close(context.Background()) })
	use, err := m.Flag(name).Enter(t.Context(), acme)
	require.NoError(t, err)
	use.Done()
	network.Cut()
	r := w.step(toDefault(flags.Dual))
	assert.Equal(t, []int64{1}, r.Acknowledged, "it follows each step, also when it has to connect again")
	assert.True(t, stands(m, flags.Dual)())
	assert.True(t, use.Held(), "and never was without its lease")
	network.Delay(0)
}
