package fleet

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/accounts"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/internal/proxy"
	"github.com/crossfade-db/crossfade/ledger"
)

// pair is a primary and its standby, reached through one address.
type pair struct {
	*world
	primary, standby *pgtest.Server
	network          *proxy.Proxy
}

func newPair(t *testing.T) *pair {
	t.Helper()
	ctx := t.Context()
	primary, err := pgtest.Start(ctx, &pgtest.Config{Own: true, InMemory: true, Settings: map[string]string{"synchronous_commit": "on"}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, primary.Close(context.Background())) })
	require.NoError(t, accounts.Migrate(ctx, primary.URL()))
	standby, err := primary.Standby(ctx)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, standby.Close(context.Background())) })
	network, dsn, err := proxy.For(primary.URL())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, network.Close()) })
	return &pair{world: newWorld(t, dsn), primary: primary, standby: standby, network: network}
}

// severalHosts names both servers, of which the one that takes writes counts.
func (p *pair) severalHosts() string {
	p.t.Helper()
	u, err := url.Parse(p.primary.URL())
	require.NoError(p.t, err)
	standby, err := proxy.Host(p.standby.URL())
	require.NoError(p.t, err)
	return strings.Replace(p.primary.URL(), u.Host, standby+","+u.Host, 1) + "&target_session_attrs=read-write"
}

// lose ends the primary and promotes the standby, which has seen nothing since
// it was detached.
func (p *pair) lose() {
	p.t.Helper()
	ctx := p.t.Context()
	require.NoError(p.t, p.primary.Stop(ctx, "immediate"))
	require.NoError(p.t, p.standby.Promote(ctx))
	target, err := proxy.Host(p.standby.URL())
	require.NoError(p.t, err)
	p.network.Redirect(target)
	p.network.Cut()
}

// policy is the one in force.
func (w *world) policy() (policy flags.Policy) {
	w.t.Helper()
	eventually(w.t, func() bool {
		var err error
		policy, err = w.store.Policy(w.t.Context(), accounts.MigrationName)
		return err == nil
	}, "the ledger answers")
	return policy
}

// step makes one change that must succeed, against connections that a failover broke.
func (w *world) step(to flags.Stage) (r control.Result) {
	w.t.Helper()
	eventually(w.t, func() bool {
		var err error
		r, err = w.plane.Apply(w.t.Context(), control.Change{
			Migration: accounts.MigrationName, Kind: control.SetDefault, To: to, Actor: "ann", Reason: "test",
		})
		return err == nil
	}, "the step to "+to.String())
	return r
}

// A standby is promoted that never saw the last policy, under which processes
// have acted already, and the ledger hands its number out again.
func TestPromotedStandbyThatLostTheLastPolicy(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	ctx := t.Context()
	one := p.start(accounts.ProcessConfig{Name: "one", LeaseTTL: time.Minute})
	two := p.start(accounts.ProcessConfig{Name: "two", LeaseTTL: time.Minute, NoWorker: true, DSN: p.severalHosts()})
	put(t, one, 1, "kept")
	p.walk(flags.Shadow)
	put(t, one, 2, "kept")
	kept := p.policy()
	require.NoError(t, p.standby.CaughtUp(ctx, p.primary))
	require.NoError(t, p.standby.Detach(ctx))

	// The primary goes on, and everybody follows it.
	frozen := startChild(t, p.dsn)
	p.walk(flags.Live)
	lost := p.policy()
	require.Greater(t, lost.Epoch, kept.Epoch)
	put(t, one, 3, "lost with the primary")
	frozen.ask(request{Do: "put", Key: 1, Name: "late", Hold: true})
	require.True(t, frozen.next().Holding, "it has decided by the policy that will be lost")
	frozen.stop()
	entered, proceed, written := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ctx := accounts.WithDelay(context.WithoutCancel(ctx), accounts.Delay{Between: func(context.Context) { close(entered); <-proceed }})
		written <- one.Accounts.Put(ctx, tenant, accounts.Write{Account: accounts.Account{ID: 2, Name: "by the lost policy"}})
	}()
	<-entered
	p.lose()

	assert.Equal(t, kept, p.policy(), "the ledger stands where the standby saw it")
	p.unknown("one", lost)
	_, err := p.plane.Apply(ctx, control.Change{
		Migration: accounts.MigrationName, Kind: control.SetDefault, To: flags.Live, Actor: "ann", Reason: "again", NoWait: true,
	})
	var refused *control.StepError
	require.ErrorAs(t, err, &refused, "while a process acts on a policy that nobody knows, nothing moves")
	assert.ErrorContains(t, err, "one[")
	refusals := one.Accounts.Route.Stats().Refused
	one.Pool.Reset() // of the connections that broke with the primary
	close(proceed)
	require.NoError(t, <-written)
	assert.Greater(t, one.Accounts.Route.Stats().Refused, refusals, "the fence refused the lost policy")
	assert.Equal(t, "by the lost policy", p.name("accounts_v1", 2), "and the write was decided anew")
	assert.Equal(t, p.name("accounts_v1", 2), p.name("people_v2", 2))

	// The frozen child's lease runs out, and the lost policy's number is handed
	// out again.
	for p.policy().Epoch < lost.Epoch {
		p.step(flags.Dual)
		if p.policy().Epoch < lost.Epoch {
			p.step(flags.Shadow)
		}
	}
	again := p.policy()
	require.Equal(t, lost.Epoch, again.Epoch)
	require.NotEqual(t, lost.ID, again.ID)
	frozen.ask(request{Go: true})
	frozen.cont()
	said := frozen.next()
	require.Empty(t, said.Err)
	assert.Positive(t, said.Refused, "the number is the same, and the policy is not")
	assert.Equal(t, "late", p.name("accounts_v1", 1))

	two.Pool.Reset()
	put(t, two, 4, "by another way")
	assert.Equal(t, "by another way", p.name("accounts_v1", 4), "who knows both servers finds the new primary")

	// Everything settles, and the ladder goes on from there.
	settled, err := p.plane.Settle(ctx, accounts.MigrationName, nil)
	require.NoError(t, err)
	assert.True(t, settled.Settled)
	p.walk(flags.Live)
	p.job(ctx, ledger.JobReconcile)
	p.job(ctx, ledger.JobVerify)
	p.equal()
	assert.Equal(t, "late", p.name("people_v2", 1))
	assert.Empty(t, p.name("people_v2", 3), "what never reached the standby is the database's loss")
	p.walk(flags.New)
	p.walk(flags.Old)
}

// unknown waits until the ledger hears that a process acts on a policy that it
// does not know.
func (p *pair) unknown(name string, lost flags.Policy) {
	p.t.Helper()
	eventually(p.t, func() bool {
		m, err := p.store.Migration(p.t.Context(), accounts.MigrationName)
		if err != nil {
			return false
		}
		left, err := p.store.Unsettled(p.t.Context(), m)
		if err != nil {
			return false
		}
		for _, process := range left.Processes {
			if process.Name == name && process.Unknown && process.Epoch == lost.Epoch {
				return true
			}
		}
		return false
	}, "a process says that it acts on a lost policy")
}
