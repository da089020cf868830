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

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
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
	inserts  atomic.Int64
	fleet    []*process
	findings *findings
	from     map[string]state // what each tenant's keys were when the round began
	counts   map[string]int
}

// TestHistoriesStayLinearizableOnEveryRung is the attempt to refute the ladder.
func TestHistoriesStayLinearizableOnEveryRung(t *testing.T) {
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
	var ops [operators]*operator
	for i := range ops {
		ops[i] = newOperator(open(t, w.dsn, fmt.Sprintf("operator %d", i), 4), w.random(100+i))
		background.Go(func() { ops[i].run(ctx) })
	}
	cuts := 0
	background.Go(func() { cuts = saboteur(ctx, w.keeper, w.random(200)) })
	rounds := 0
	for time.Since(w.began) < length && !t.Failed() {
		w.round(rounds)
		rounds++
	}
	cancel()
	background.Wait()
	if !t.Failed() {
		w.end(ops[0])
	}
	for _, o := range ops {
		o.store.Pool().Close()
		for stage, n := range o.steps {
			w.counts["steps towards "+stage] += n
		}
	}
	w.counts["connections cut"] = cuts
	w.report(rounds)
}

func newWorld(t *testing.T, seed uint64) *world {
	madeBefore.Store(1000)
	w := &world{
		t: t, seed: seed, dsn: pgtest.New(t), findings: &findings{}, from: map[string]state{}, counts: map[string]int{}, began: time.Now(),
	}
	w.keeper = open(t, w.dsn, "keeper", 4)
	_, err := ledger.New(w.keeper, nil).Register(t.Context(), migration, "salt")
	require.NoError(t, err)
	for i := range processes {
		p := &process{t: t, name: strconv.Itoa(i), dsn: w.dsn, findings: w.findings}
		p.start()
		w.fleet = append(w.fleet, p)
	}
	return w
}

func (w *world) stop() {
	for _, p := range w.fleet {
		p.stop()
	}
	w.keeper.Close()
}

func (w *world) random(stream int) *rand.Rand {
	return rand.New(rand.NewPCG(w.seed, uint64(stream))) //nolint:gosec // not a secret
}

// round has every client do some operations, and then asks whether all of them
// can have happened. Steps, jobs and cuts go on meanwhile.
func (w *world) round(n int) {
	h := &history{}
	w.inserts.Store(0)
	restart := w.random(-1 - n).IntN(4 * processes) // one process, now and then
	var running sync.WaitGroup
	for i, p := range w.fleet {
		running.Go(func() {
			w.clients(p, h, n, 2*i)
			if restart == i {
				p.stop()
				p.start()
			}
			w.clients(p, h, n, 2*i+1)
		})
	}
	running.Wait()
	w.quiesce()
	var last int64
	w.resolve(h)
	w.readBack(h)
	for _, tenant := range tenants {
		h.check(w.t, tenant, w.from[tenant])
	}
	for _, e := range h.events {
		w.counts[[...]string{"operations", "operations that failed", "operations of unknown outcome"}[e.outcome]]++
	}
	w.compareSides()
	for _, e := range h.events[len(h.events)-len(tenants):] {
		w.tidy(e.tenant, e.acts[0].state)
	}
	require.NoError(w.t, w.keeper.QueryRow(context.Background(), "select nextval('made_ids')").Scan(&last))
	madeBefore.Store(last)
}

// tidy deletes what the database made in this round.
func (w *world) tidy(tenant string, s state) {
	for slot := named; slot < len(s); slot++ {
		if !s[slot].there {
			continue
		}
		insist(w.t, "delete what was made", func() error {
			err := w.fleet[0].accounts.Delete(context.Background(), tenant, write{account: account{ID: keyOf(slot)}})
			if errors.Is(err, errNone) {
				return nil // by an attempt whose answer was lost
			}
			return err
		})
		s[slot] = row{}
	}
	w.from[tenant] = s
}

func (w *world) clients(p *process, h *history, round, part int) {
	var running sync.WaitGroup
	for i := range clientsPerProcess {
		number := part/2*clientsPerProcess + i
		c := &client{
			process: p, number: number, history: h, began: w.began, ops: &w.ops, inserts: &w.inserts,
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
	for busy := 1; busy > 0; pause(context.Background(), time.Millisecond) {
		err := w.keeper.QueryRow(context.Background(), `select count(*) from pg_stat_activity
			where datname = current_database() and application_name like 'client %' and xact_start <= $1`, now).Scan(&busy)
		require.NoError(w.t, err)
	}
}

// resolve holds every outcome against the journal, which each write is in
// exactly when its transaction was committed.
func (w *world) resolve(h *history) {
	rows, err := w.keeper.Query(w.t.Context(), "delete from journal returning op, side")
	require.NoError(w.t, err)
	type line struct {
		Op   int64
		Side string
	}
	lines, err := pgx.CollectRows(rows, pgx.RowToStructByPos[line])
	require.NoError(w.t, err)
	written := map[int64]map[string]int{}
	for _, l := range lines {
		if written[l.Op] == nil {
			written[l.Op] = map[string]int{}
		}
		written[l.Op][l.Side]++
	}
	for _, e := range h.events {
		found := written[e.op]
		switch {
		case e.maybe && len(found) == 0:
			e.acts = nil
		case e.outcome == unknown && len(found) == 0:
			e.outcome = failed
		case e.outcome == failed && len(found) > 0:
			w.t.Errorf("an operation whose caller was given an error took effect: %s", e)
		case e.outcome == happened && e.writes() && len(found) == 0:
			w.t.Errorf("an acknowledged write was never committed: %s", e)
		}
		writes := 0
		for _, a := range e.acts {
			if a.writes() {
				writes++
			}
		}
		for side, n := range found {
			if e.outcome != failed && n > writes {
				w.t.Errorf("an operation was committed twice on the %s side: %s", side, e)
			}
		}
	}
}

// readBack lists every tenant through every process: the last operations of
// the round.
func (w *world) readBack(h *history) {
	for _, p := range w.fleet {
		for _, tenant := range tenants {
			e := &event{client: -1, tenant: tenant, what: "list at the end", stage: p.stage(tenant), call: time.Since(w.began)}
			insist(w.t, "list through process "+p.name, func() error {
				all, err := p.accounts.All(context.Background(), tenant)
				e.acts = []act{{kind: actList, state: stateOf(all)}}
				return err
			})
			e.end = time.Since(w.began)
			h.add(e)
		}
	}
}

// compareSides holds both sides against each other in one snapshot, where
// the ledger says that they are equal but for stale keys.
func (w *world) compareSides() {
	ctx := context.Background()
	tx, err := w.keeper.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	require.NoError(w.t, err)
	defer func() { _ = tx.Rollback(ctx) }()
	policy, err := ledger.New(w.keeper, nil).Policy(ctx, migrationName)
	require.NoError(w.t, err)
	var epoch int64
	require.NoError(w.t, tx.QueryRow(ctx, "select epoch from crossfade.migrations").Scan(&epoch))
	if epoch != policy.Epoch {
		return // somebody was quicker
	}
	compiled, err := policy.Compile()
	require.NoError(w.t, err)
	for _, tenant := range tenants {
		stage, _ := compiled.Stage(tenant)
		w.counts["rounds that ended at "+stage.String()]++
		var complete bool
		err := tx.QueryRow(ctx, `select coalesce((select backfilled_at is not null and old_complete from crossfade.tenant_states
			where tenant in ($1, '') order by tenant desc limit 1), false)`, tenant).Scan(&complete)
		require.NoError(w.t, err)
		if !stage.Plan().WritesBoth || !complete {
			continue
		}
		w.counts["rounds with both sides compared"]++
		rows, err := tx.Query(ctx, `
			select coalesce(o.id, n.id), o, n from (select id, name, balance from accounts_v1 where tenant = $1) o
			full join (select id, name, amount::bigint as balance from people_v2 join purses_v2 using (tenant, id) where tenant = $1) n using (id)
			where (o.id, o.name, o.balance) is distinct from (n.id, n.name, n.balance)
			and not exists (select from crossfade.stale_keys s where s.tenant = $1 and s.key in ('*', coalesce(o.id, n.id)::text))`, tenant)
		require.NoError(w.t, err)
		different, err := pgx.CollectRows(rows, pgx.RowToMap)
		require.NoError(w.t, err)
		assert.Empty(w.t, different, "keys of %s that differ at %s without a record", tenant, stage)
	}
}

// end walks to shadow, which must be possible from wherever the tenants stand,
// repairs all stale keys, and holds both sides against each other without any
// excuse.
func (w *world) end(o *operator) {
	ctx := context.Background()
	all := func(policy flags.Policy) bool {
		compiled, err := policy.Compile()
		require.NoError(w.t, err)
		for _, tenant := range tenants {
			if stage, _ := compiled.Stage(tenant); stage != flags.Shadow {
				return false
			}
		}
		return true
	}
	arrived := false
	for range 500 {
		for _, tenant := range tenants {
			o.step(ctx, []string{tenant}, flags.Shadow)
		}
		policy, err := o.store.Policy(ctx, migrationName)
		require.NoError(w.t, err)
		if arrived = all(policy); arrived {
			break
		}
	}
	require.True(w.t, arrived, "nothing leads to shadow any more")
	stale := 1
	for range 100 {
		o.job(ctx, ledger.JobReconcile, nil)
		require.NoError(w.t, w.keeper.QueryRow(ctx, "select count(*) from crossfade.stale_keys").Scan(&stale))
		if stale == 0 {
			break
		}
	}
	require.Zero(w.t, stale, "stale keys that nobody repairs")
	compared := w.counts["rounds with both sides compared"]
	w.compareSides()
	require.Equal(w.t, compared+len(tenants), w.counts["rounds with both sides compared"])
	for _, tenant := range tenants {
		list, err := w.fleet[0].accounts.All(ctx, tenant)
		require.NoError(w.t, err)
		assert.Equal(w.t, w.from[tenant], stateOf(list))
	}
}

func (w *world) report(rounds int) {
	w.t.Logf("%d rounds, %v", rounds, w.counts)
	var differing int64
	require.NoError(w.t, w.keeper.QueryRow(context.Background(), "select coalesce(sum(differing), 0) from crossfade.jobs").Scan(&differing))
	assert.Zero(w.t, differing, "differences found by verification")
	for _, p := range w.fleet {
		w.t.Logf("process %s: %+v", p.name, p.accounts.route.Stats())
	}
	w.findings.mu.Lock()
	defer w.findings.mu.Unlock()
	assert.Empty(w.t, w.findings.seen, "confirmed mismatches")
}
