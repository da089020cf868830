package stress

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/accounts"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

const (
	processes         = 3
	clientsPerProcess = 3
	turnsPerRound     = 40 // of each client
	operators         = 2
)

// world is one run.
type world struct {
	t        *testing.T
	seed     uint64
	dsn      string
	keeper   *pgxpool.Pool // whose sessions nobody cuts
	began    time.Time
	ops      atomic.Int64
	fleet    []*accounts.Process
	findings findings
	from     map[string][]accounts.Account // what each tenant had when the round began
	mu       sync.Mutex                    // of the counts
	counts   map[string]int
}

// findings are the mismatches that somebody confirmed.
type findings struct {
	mu   sync.Mutex
	seen []compare.Record
}

func (f *findings) notice(r compare.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = append(f.seen, r)
}

// TestHistoriesStayLinearizableOnEveryRung is the attempt to refute the ladder.
func TestHistoriesStayLinearizableOnEveryRung(t *testing.T) {
	attempt(t, func(*accounts.Operator) {})
}

// TestHistoriesStayLinearizableUnderSharesOfKeys is the attempt with keys of
// one tenant at two rungs most of the time.
func TestHistoriesStayLinearizableUnderSharesOfKeys(t *testing.T) {
	attempt(t, func(o *accounts.Operator) { o.Whole = true })
}

func attempt(t *testing.T, configure func(*accounts.Operator)) {
	t.Helper()
	seed, length := uint64(time.Now().UnixNano()), 20*time.Second
	if text := os.Getenv("CROSSFADE_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "CROSSFADE_SEED")
	}
	if os.Getenv("CROSSFADE_LONG") != "" {
		length = 4 * time.Minute
	}
	t.Logf("CROSSFADE_SEED=%d repeats the choices of this run", seed)
	w := newWorld(t, seed)
	defer w.stop()

	ctx, cancel := context.WithCancel(t.Context())
	var background sync.WaitGroup
	var ops [operators]*accounts.Operator
	for i := range ops {
		ops[i] = accounts.NewOperator(w.open(fmt.Sprintf("operator %d", i), 4), w.random(100+i))
		configure(ops[i])
		ops[i].Stepped = func(up bool) { w.count(map[bool]string{true: "steps up", false: "steps down"}[up]) }
		background.Go(func() { ops[i].Run(ctx) })
	}
	cuts := 0
	background.Go(func() { cuts = saboteur(ctx, w.keeper, w.random(200)) })
	rounds := 0
	for time.Since(w.began) < length && !t.Failed() {
		w.round(rounds)
		rounds++
		policy, err := ops[0].Store.Policy(t.Context(), accounts.MigrationName)
		if err == nil && policy.Step.Of == flags.OfKeys && policy.Step.Share > 0 && policy.Step.Share < flags.Buckets {
			w.count("rounds that ended with keys at " + policy.Default.String() + " and " + policy.Step.To.String())
		}
	}
	cancel()
	background.Wait()
	if !t.Failed() {
		w.end(ops[0])
	}
	for _, o := range ops {
		o.Store.Pool().Close()
	}
	w.counts["connections cut"] = cuts
	w.report(rounds)
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, seed: seed, dsn: pgtest.New(t), from: map[string][]accounts.Account{}, counts: map[string]int{}, began: time.Now(),
	}
	w.keeper = w.open("keeper", 4)
	_, err := ledger.New(w.keeper, nil).Register(t.Context(), accounts.Migration, "salt")
	require.NoError(t, err)
	for i := range processes {
		w.fleet = append(w.fleet, w.start(i))
	}
	return w
}

func (w *world) start(i int) *accounts.Process {
	p, err := accounts.StartProcess(context.Background(), accounts.ProcessConfig{
		Name: strconv.Itoa(i), DSN: w.dsn, Sink: accounts.Findings{Notice: w.findings.notice},
	})
	require.NoError(w.t, err)
	return p
}

func (w *world) open(name string, connections int32) *pgxpool.Pool {
	pool, err := accounts.Open(w.dsn, name, connections)
	require.NoError(w.t, err)
	return pool
}

func (w *world) count(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[what]++
}

func (w *world) stop() {
	for _, p := range w.fleet {
		p.Stop()
	}
	w.keeper.Close()
}

func (w *world) random(stream int) *rand.Rand {
	return rand.New(rand.NewPCG(w.seed, uint64(stream))) //nolint:gosec // not a secret
}

// round has every client do some operations, and then asks whether all of them
// can have happened. Steps, jobs and cuts go on meanwhile.
func (w *world) round(n int) {
	h, m := &accounts.History{}, &accounts.Made{}
	restart := w.random(-1 - n).IntN(4 * processes) // one process, now and then
	var running sync.WaitGroup
	for i := range w.fleet {
		running.Go(func() {
			w.clients(i, h, m, n, 2*i)
			if restart == i {
				w.fleet[i].Stop()
				w.fleet[i] = w.start(i)
			}
			w.clients(i, h, m, n, 2*i+1)
		})
	}
	running.Wait()
	w.quiesce()
	journal, err := accounts.TakeJournal(w.t.Context(), w.keeper)
	require.NoError(w.t, err)
	for _, wrong := range h.Resolve(journal) {
		w.t.Error(wrong)
	}
	last := w.readBack(h)
	for _, tenant := range accounts.Tenants {
		if wrong := h.Check(tenant, w.from[tenant]); wrong != "" {
			w.t.Error(wrong)
		}
	}
	for _, e := range h.Events {
		w.count([...]string{"operations", "operations that failed", "operations of unknown outcome"}[e.Outcome])
	}
	w.compareSides()
	for _, tenant := range accounts.Tenants {
		w.tidy(tenant, last[tenant])
	}
}

// tidy deletes what the database made in this round.
func (w *world) tidy(tenant string, all []accounts.Account) {
	w.from[tenant] = nil
	for _, a := range all {
		if a.ID <= accounts.Named {
			w.from[tenant] = append(w.from[tenant], a)
			continue
		}
		insist(w.t, "delete what was made", func() error {
			err := w.fleet[0].Accounts.Delete(context.Background(), tenant, accounts.Write{Account: accounts.Account{ID: a.ID}})
			if errors.Is(err, accounts.ErrNone) {
				return nil // by an attempt whose answer was lost
			}
			return err
		})
	}
}

func (w *world) clients(process int, h *accounts.History, m *accounts.Made, round, part int) {
	var running sync.WaitGroup
	for i := range clientsPerProcess {
		c := &client{
			world: w, process: w.fleet[process], number: process*clientsPerProcess + i, history: h, made: m,
			random: w.random(1_000_000 + round*1000 + part*clientsPerProcess + i),
		}
		running.Go(func() { c.run(turnsPerRound / 2) })
	}
	running.Wait()
}

// quiesce waits until the transactions of the clients have ended: one whose
// connection was lost may still be about to commit.
func (w *world) quiesce() {
	var now time.Time
	require.NoError(w.t, w.keeper.QueryRow(context.Background(), "select clock_timestamp()").Scan(&now))
	for busy := 1; busy > 0; accounts.Pause(context.Background(), time.Millisecond) {
		err := w.keeper.QueryRow(context.Background(), `select count(*) from pg_stat_activity
			where datname = current_database() and application_name like 'client %' and xact_start <= $1`, now).Scan(&busy)
		require.NoError(w.t, err)
	}
}

// readBack lists every tenant through every process: the last operations of
// the round. It returns what the last process saw.
func (w *world) readBack(h *accounts.History) map[string][]accounts.Account {
	last := map[string][]accounts.Account{}
	for _, p := range w.fleet {
		for _, tenant := range accounts.Tenants {
			e := &accounts.Event{Client: -1, Tenant: tenant, What: "list at the end", Stage: p.Stage(tenant), Call: time.Since(w.began)}
			insist(w.t, "list at the end", func() error {
				all, err := p.Accounts.All(context.Background(), tenant)
				e.Acts = []accounts.Act{{Kind: accounts.ActList, List: all}}
				last[tenant] = all
				return err
			})
			e.End = time.Since(w.began)
			h.Add(e)
		}
	}
	return last
}

// compareSides holds both sides against each other, where the ledger says that
// they are equal.
func (w *world) compareSides() (compared int) {
	var all []accounts.Compared
	insist(w.t, "compare both sides", func() (err error) {
		all, err = accounts.CompareSides(context.Background(), w.keeper)
		if errors.Is(err, accounts.ErrMoved) {
			err = nil // somebody was quicker
		}
		return err
	})
	for _, c := range all {
		w.count("rounds that ended at " + c.Stage.String())
		if c.Equal {
			compared++
			w.count("rounds with both sides compared")
		}
		assert.Empty(w.t, c.Different, "keys of %s that differ at %s without a record", c.Tenant, c.Stage)
	}
	return compared
}

func insist(t *testing.T, what string, fn func() error) {
	t.Helper()
	var err error
	for range 50 {
		if err = fn(); err == nil {
			return
		}
	}
	require.NoError(t, err, what)
}

// end walks to shadow, which must be possible from wherever the tenants stand,
// repairs all stale keys, and holds both sides against each other without any
// excuse.
func (w *world) end(o *accounts.Operator) {
	ctx := context.Background()
	arrived := false
	for range 500 {
		for _, tenant := range accounts.Tenants {
			o.Step(ctx, []string{tenant}, flags.Shadow)
		}
		policy, err := o.Store.Policy(ctx, accounts.MigrationName)
		require.NoError(w.t, err)
		if arrived = accounts.AllAt(policy, flags.Shadow); arrived {
			break
		}
	}
	require.True(w.t, arrived, "nothing leads to shadow any more")
	stale := 1
	for range 100 {
		o.Job(ctx, ledger.JobReconcile, nil)
		require.NoError(w.t, w.keeper.QueryRow(ctx, "select count(*) from crossfade.stale_keys").Scan(&stale))
		if stale == 0 {
			break
		}
	}
	require.Zero(w.t, stale, "stale keys that nobody repairs")
	require.Equal(w.t, len(accounts.Tenants), w.compareSides())
	for _, tenant := range accounts.Tenants {
		list, err := w.fleet[0].Accounts.All(ctx, tenant)
		require.NoError(w.t, err)
		assert.ElementsMatch(w.t, w.from[tenant], list)
	}
}

func (w *world) report(rounds int) {
	w.t.Logf("%d rounds, %v", rounds, w.counts)
	var differing int64
	require.NoError(w.t, w.keeper.QueryRow(context.Background(), "select coalesce(sum(differing), 0) from crossfade.jobs").Scan(&differing))
	assert.Zero(w.t, differing, "differences found by verification")
	for i, p := range w.fleet {
		w.t.Logf("process %d: %+v", i, p.Accounts.Route.Stats())
	}
	w.findings.mu.Lock()
	defer w.findings.mu.Unlock()
	assert.Empty(w.t, w.findings.seen, "confirmed mismatches")
}
