package control_test

import (
	"bytes"
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/proxy"
	"github.com/crossfade-db/crossfade/ledger"
)

// through opens a proxy in front of the world's server, and a pool that leads
// through it and sends every statement's text.
func (w *world) through() (*proxy.Proxy, *pgxpool.Pool) {
	w.t.Helper()
	p, dsn, err := proxy.For(w.dsn)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { assert.NoError(w.t, p.Close()) })
	pool, err := pgxpool.New(context.Background(), withParameter(w.t, dsn, "default_query_exec_mode", "exec"))
	require.NoError(w.t, err)
	w.t.Cleanup(pool.Close)
	return p, pool
}

func withParameter(t *testing.T, dsn, name, value string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	query := u.Query()
	query.Set(name, value)
	u.RawQuery = query.Encode()
	return u.String()
}

func containing(text string) func([]byte) bool {
	return func(data []byte) bool { return bytes.Contains(data, []byte(text)) }
}

// A policy that was read under one lease is not applied under the next, in
// which nobody has waited for it.
func TestPolicyThatWasReadBeforeALapseIsReadAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	network, pool := w.through()
	m, err := control.Join(t.Context(), ledger.New(pool, nil), &control.MemberConfig{
		Interval: 10 * time.Millisecond, LeaseTTL: time.Second, Timeout: time.Minute, NoListen: true,
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, m.Close(context.Background())) })
	lapsed, applied := make(chan struct{}, 10), make(chan int64, 10)
	defer m.Set().Watch(func(c flags.Change) {
		switch c.Kind {
		case flags.Stale:
			lapsed <- struct{}{}
		case flags.Applied:
			applied <- c.Epoch
		}
	})()

	arrived := network.HoldAnswer(containing("-- name: PolicyInForce"))
	decided := make(chan flags.Decision, 1)
	ctx := context.WithoutCancel(t.Context())
	go func() {
		use, err := m.Flag(name).Enter(ctx, acme)
		if assert.NoError(t, err) {
			use.Done()
		}
		decided <- use.Decision
	}()
	<-arrived // the old policy is on its way
	heart, err := w.pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = heart.Exec(t.Context(), `lock table crossfade.processes`)
	require.NoError(t, err)
	<-lapsed
	require.NoError(t, heart.Rollback(t.Context()))
	require.NoError(t, m.Acknowledge(t.Context()), "a new lease begins")
	change := toDefault(flags.Dual)
	change.NoWait = true
	w.step(change)
	network.Release()
	assert.Equal(t, flags.Dual, (<-decided).Stage)
	assert.EqualValues(t, 2, <-applied, "and nobody acted on the other one in between")
}
