package control

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crossfade-db/crossfade/internal/sketch"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
)

var _ repo.Meter = (*Member)(nil)

// Called implements [repo.Meter]: give the member, or [Member.MeterOf], to the
// routes, so that guardrails have something to look at. It neither blocks nor allocates, but
// at the first call of a migration or a tenant.
func (m *Member) Called(c repo.Called) { m.meter.called(c) }

// Compared implements [repo.Meter].
func (m *Member) Compared(migration, tenant string, outcome repo.Outcome) {
	m.meter.of(migration).compared(tenant, outcome)
}

// MeterOf returns the part of the meter that counts one migration: a route that
// is given it does not search for it at each call.
func (m *Member) MeterOf(migration string) repo.Meter { return m.meter.of(migration) }

// meter collects what a process measures until it is flushed.
type meter struct {
	// migrations is replaced, not changed, when a migration is met first.
	migrations atomic.Pointer[map[string]*gauges]
	mu         sync.Mutex

	// Of the flushes, which one goroutine makes.
	began   time.Time // when what is collected began
	number  int64
	pending *ledger.Flush // of which nobody knows whether it arrived
	flushed time.Time     // when what is pending began
}

// gauges are those of one migration.
type gauges struct {
	calls  [2][2][2]gauge
	counts [6]atomic.Int64 // comparisons, by outcome

	mu      sync.RWMutex // adding holds it shared, so that removing misses nothing
	tenants map[string]*tenantGauges

	recent recent
}

// recent are calls that were not counted yet. To note one costs a caller much
// less than to count it: the counters of its tenant and the code that finds them
// are seldom in a processor's cache between two reads of a database.
type recent struct {
	mu    sync.Mutex
	n     int
	calls [32]call
}

// call is what a call of a side adds to the counters.
type call struct {
	tenant           string
	took             time.Duration
	side, role, work uint8
	failed           bool
}

type gauge struct {
	calls, failed atomic.Int64
	latency       sketch.Recorder
}

type tenantGauges struct {
	calls, failed [2][2][2]atomic.Int64
	counts        [6]atomic.Int64
	idle          int // flushes without any call
}

func newMeter(now time.Time) *meter {
	m := &meter{began: now}
	m.migrations.Store(&map[string]*gauges{})
	return m
}

// of returns the gauges of a migration.
func (m *meter) of(migration string) *gauges {
	if g := (*m.migrations.Load())[migration]; g != nil {
		return g
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	before := *m.migrations.Load()
	if g := before[migration]; g != nil {
		return g
	}
	after := make(map[string]*gauges, len(before)+1)
	for name, g := range before {
		after[name] = g
	}
	after[migration] = &gauges{tenants: map[string]*tenantGauges{"": {}}}
	m.migrations.Store(&after)
	return after[migration]
}

func (m *meter) called(c repo.Called) { m.of(c.Migration).Called(c) }

// Called implements [repo.Meter].
func (g *gauges) Called(c repo.Called) {
	told := call{tenant: c.Tenant, took: c.Took, side: uint8(c.Side), role: uint8(Compared), work: uint8(Reads), failed: c.Failed}
	if c.Served {
		told.role = uint8(Served)
	}
	if c.Write {
		told.work = uint8(Writes)
	}
	r := &g.recent
	if !r.mu.TryLock() { // nobody waits: somebody else notes or counts
		g.count(&told)
		return
	}
	r.calls[r.n] = told
	if r.n++; r.n == len(r.calls) {
		g.countRecent()
	}
	r.mu.Unlock()
}

// countRecent is called with the mutex of what is recent held.
func (g *gauges) countRecent() {
	for i := range g.recent.n {
		g.count(&g.recent.calls[i])
		g.recent.calls[i].tenant = ""
	}
	g.recent.n = 0
}

func (g *gauges) count(c *call) {
	series := &g.calls[c.side][c.role][c.work]
	series.calls.Add(1)
	series.latency.Add(c.took)
	if c.failed {
		series.failed.Add(1)
	}
	g.withTenant(c.tenant, func(t *tenantGauges) {
		t.calls[c.side][c.role][c.work].Add(1)
		if c.failed {
			t.failed[c.side][c.role][c.work].Add(1)
		}
	})
}

// Compared implements [repo.Meter].
func (g *gauges) Compared(_, tenant string, outcome repo.Outcome) { g.compared(tenant, outcome) }

func (g *gauges) compared(tenant string, outcome repo.Outcome) {
	if int(outcome) >= len(g.counts) {
		return
	}
	g.counts[outcome].Add(1)
	g.withTenant(tenant, func(t *tenantGauges) { t.counts[outcome].Add(1) })
}

// collected bounds the tenants that a process counts by name between two flushes.
const collected = 5 * maxTenants

// withTenant runs fn with the gauges of a tenant. Those beyond the bound share one.
func (g *gauges) withTenant(name string, fn func(*tenantGauges)) {
	g.mu.RLock()
	if t := g.tenants[name]; t != nil {
		fn(t)
		g.mu.RUnlock()
		return
	}
	g.mu.RUnlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.tenants[name]
	if t == nil {
		if len(g.tenants) >= collected {
			name = ""
		}
		if t = g.tenants[name]; t == nil {
			t = &tenantGauges{}
			g.tenants[name] = t
		}
	}
	fn(t)
}

// forgetAfter is after how many flushes without a call a tenant is forgotten.
const forgetAfter = 60

// take moves what was collected out. What is added meanwhile is in it or stays.
func (g *gauges) take() *Measurements {
	g.recent.mu.Lock()
	g.countRecent()
	g.recent.mu.Unlock()
	m := &Measurements{}
	eachSeries(func(s, r, w int) {
		from, to := &g.calls[s][r][w], &m.Calls[s][r][w]
		to.Calls, to.Failed = from.calls.Swap(0), from.failed.Swap(0)
		from.latency.Take(&to.Latency)
	})
	m.Comparisons = takeCounts(&g.counts)
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, t := range g.tenants {
		var taken TenantMeasurements
		eachSeries(func(s, r, w int) {
			taken.Calls[s][r][w], taken.Failed[s][r][w] = t.calls[s][r][w].Swap(0), t.failed[s][r][w].Swap(0)
		})
		taken.Comparisons = takeCounts(&t.counts)
		if taken.traffic() > 0 {
			*m.tenant(name) = taken
			t.idle = 0
			continue
		}
		if t.idle++; t.idle >= forgetAfter && name != "" {
			delete(g.tenants, name)
		}
	}
	m.bound(maxTenants)
	return m
}

func takeCounts(counts *[6]atomic.Int64) Comparisons {
	return Comparisons{
		Matched: counts[repo.OutcomeMatched].Swap(0), Mismatched: counts[repo.OutcomeMismatched].Swap(0),
		Ignored: counts[repo.OutcomeIgnored].Swap(0), Inconclusive: counts[repo.OutcomeInconclusive].Swap(0),
		Dropped: counts[repo.OutcomeDropped].Swap(0),
	}
}

// collect makes a flush of everything; false when there is nothing.
func (m *meter) collect(process [16]byte) (*ledger.Flush, bool, error) {
	f := &ledger.Flush{Process: process, Number: m.number + 1}
	for name, g := range *m.migrations.Load() {
		taken := g.take()
		if taken.empty() {
			continue
		}
		content, err := taken.encode()
		if err != nil {
			return nil, false, err
		}
		f.Of = append(f.Of, ledger.Flushed{Migration: name, NewCalls: taken.NewCalls(), Content: content})
	}
	if len(f.Of) == 0 {
		return nil, false, nil
	}
	m.number++
	return f, true, nil
}

// flush sends what was collected, in one statement. What may not have arrived
// is sent again, under the same number, before anything else is collected: it
// is neither lost nor counted twice.
func (m *meter) flush(ctx context.Context, process [16]byte, send func(context.Context, ledger.Flush) error) error {
	for again := m.pending != nil; ; again = false {
		if m.pending == nil {
			began := m.began
			m.began = time.Now()
			f, some, err := m.collect(process)
			if err != nil || !some {
				return err
			}
			m.pending, m.flushed = f, began
		}
		m.pending.Elapsed = time.Since(m.flushed)
		if err := send(ctx, *m.pending); err != nil {
			return err
		}
		m.pending = nil
		if !again {
			return nil
		}
	}
}

// measure flushes until the member is closed.
func (m *Member) measure() {
	defer m.done.Done()
	for pause(m.ctx, m.cfg.FlushEvery) == nil {
		ctx, cancel := context.WithTimeout(m.ctx, m.cfg.Timeout)
		_ = m.flush(ctx) // the heartbeats meet the same server, and tell of it
		cancel()
	}
}

// flush sends what was measured since the last flush.
func (m *Member) flush(ctx context.Context) error {
	m.flushing.Lock()
	defer m.flushing.Unlock()
	return m.meter.flush(ctx, m.id, m.store.AddMeasurements)
}

// Flush sends what was measured so far now, instead of some seconds later.
func (m *Member) Flush(ctx context.Context) error { return m.flush(ctx) }
