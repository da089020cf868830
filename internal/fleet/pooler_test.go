package fleet

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/accounts"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

// Everything but the making of the ledger goes through PgBouncer in transaction
// mode, which gives a client another session with each transaction, in each of
// the modes of pgx that need no prepared statements.
func TestFleetWorksBehindAPoolerInTransactionMode(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"cache_describe", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			direct := pgtest.New(t)
			_, through := pgtest.Bouncer(t, direct, &pgtest.PoolerConfig{Size: 6})
			w := newWorld(t, plainly(t, through, mode))
			fleet := []*accounts.Process{
				w.start(accounts.ProcessConfig{Name: "one", Sink: w.findings()}),
				w.start(accounts.ProcessConfig{Name: "two", Sink: w.findings()}),
			}
			eventually(t, func() bool {
				members, err := w.store.Fleet(t.Context())
				return err == nil && len(members) == 2 && members[0].Polls == "behind a pooler" && members[1].Polls == "behind a pooler"
			}, "both find out that they must poll, and say so")

			ctx, cancel := context.WithCancel(t.Context())
			var clients sync.WaitGroup
			var done [2]atomic.Int64
			for i, p := range fleet {
				clients.Go(func() { w.client(ctx, p, i, &done[i]) })
			}
			busy := func() { // some operations of both on every rung
				for i := range done {
					from := done[i].Load()
					eventually(t, func() bool { return done[i].Load() > from+10 }, "clients go on")
				}
			}
			for _, to := range []flags.Stage{
				flags.Dual, flags.Shadow, flags.Live, flags.RampDown, flags.New, flags.RampDown, flags.Live, flags.Shadow, flags.Dual, flags.Old,
				flags.Dual, flags.Shadow,
			} {
				w.walk(to)
				busy()
			}
			cancel()
			clients.Wait()
			w.job(t.Context(), ledger.JobReconcile)
			w.job(t.Context(), ledger.JobVerify)
			w.equal()
			w.listensNowhere()
		})
	}
}

// client does random operations until ctx ends.
func (w *world) client(ctx context.Context, p *accounts.Process, seed int, done *atomic.Int64) {
	random := rand.New(rand.NewPCG(uint64(seed), 1)) //nolint:gosec // not a secret
	for op := int64(seed + 1); ctx.Err() == nil; op += 2 {
		t := &accounts.Turn{Session: p.Session, Op: op, Tenant: accounts.Tenants[random.IntN(len(accounts.Tenants))], Random: random}
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		accounts.Operations.Pick(random).Run(within, t)
		assert.NoError(w.t, within.Err(), "nothing hangs")
		cancel()
		if t.Err != "" && !strings.Contains(t.Err, "timeout") && !strings.Contains(t.Err, "is older than") { // of a slow machine
			assert.Empty(w.t, t.Err)
		}
		done.Add(1)
	}
}

// findings fails the test for a confirmed mismatch.
func (w *world) findings() accounts.Findings {
	return accounts.Findings{Notice: func(r compare.Record) { assert.Fail(w.t, "a mismatch was confirmed", "%+v", r) }}
}

// listensNowhere looks at every session of the server.
func (w *world) listensNowhere() {
	w.t.Helper()
	var listening, locks int
	require.NoError(w.t, w.pool.QueryRow(w.t.Context(), `select
		(select count(*) from pg_stat_activity where datname = current_database() and query ilike 'listen%'),
		(select count(*) from pg_locks l join pg_stat_activity a using (pid) where l.locktype = 'advisory' and a.datname = current_database() and a.state = 'idle')`,
	).Scan(&listening, &locks))
	assert.Zero(w.t, listening)
	assert.Zero(w.t, locks, "no session lock is left in a session that serves others")
}
