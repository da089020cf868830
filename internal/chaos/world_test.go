package chaos

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/internal/accounts"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

// Streams of random numbers, each of which depends on the seed alone.
const (
	streamProcess = 1_000
	streamFault   = 1_000_000
	streamClient  = 1_000_000_000
)

// patience is how long something may take that nothing prevents any more,
// before it counts as hanging: no machine is that slow.
const patience = 10 * time.Minute

// world is one run.
type world struct {
	t       *testing.T
	plan    plan
	server  *pgtest.Server
	warden  *warden
	keeper  *pgxpool.Pool // past every proxy
	began   time.Time
	running sync.WaitGroup // what listens to processes
	ops     atomic.Int64
	pins    atomic.Int64
	faults  atomic.Int64
	longs   atomic.Int64 // long stops that go on

	applications, calm, operators []*process
	from                          map[string][]accounts.Account // what each tenant had when the round began

	mu         sync.Mutex
	counts     map[string]int
	graves     []*incarnation // whose bytes may still be on their way
	timeline   []string       // what was done to whom in this round
	violations []string
}

// newWorld starts a server of its own and all processes.
func newWorld(t *testing.T, p plan) *world {
	t.Helper()
	if p.program == "" {
		p.program = os.Args[0]
	}
	w := &world{t: t, plan: p, began: time.Now(), from: map[string][]accounts.Account{}, counts: map[string]int{}}
	w.warden = startWarden(t)
	t.Cleanup(w.warden.end)
	var err error
	// A crash of the server loses nothing that the operating system was given.
	w.server, err = pgtest.Start(t.Context(), &pgtest.Config{Own: true, InMemory: true, Settings: map[string]string{
		"synchronous_commit": "on", "full_page_writes": "on", "max_connections": "400",
	}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.server.Close(context.Background())) })
	out, err := w.command(roleMigrate, settings{DSN: w.server.URL()}).CombinedOutput()
	require.NoError(t, err, "%s", out)
	w.keeper, err = accounts.Open(w.server.URL(), "keeper", 4)
	require.NoError(t, err)
	t.Cleanup(w.keeper.Close)
	_, err = ledger.New(w.keeper, nil).Register(t.Context(), accounts.Migration, "salt")
	require.NoError(t, err)
	if p.outside > 0 {
		w.capture()
	}
	t.Cleanup(w.stop)
	for i := range p.applications {
		w.applications = append(w.applications, w.place(roleApplication, i))
		w.applications[i].settings.NoWorker = p.calm > 0
	}
	for i := range p.calm {
		w.calm = append(w.calm, w.place(roleApplication, 50+i))
	}
	for i := range p.operators {
		w.operators = append(w.operators, w.place(roleOperator, 100+i))
	}
	for _, one := range w.places() {
		one.start()
	}
	return w
}

func (w *world) places() []*process { return slices.Concat(w.applications, w.calm, w.operators) }

// stop ends every process.
func (w *world) stop() {
	for _, p := range w.places() {
		p.end()
	}
	for _, i := range w.graves {
		_ = i.proxy.Close()
	}
	w.running.Wait()
}

func (w *world) random(stream int) *rand.Rand {
	return rand.New(rand.NewPCG(w.plan.seed, uint64(stream))) //nolint:gosec // not a secret
}

func (w *world) count(what string) { w.add(what, 1) }

func (w *world) add(what string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[what] += n
}

// note keeps what was done for the report of a violation in this round.
func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timeline = append(w.timeline, fmt.Sprintf("%9s ", w.now().Round(time.Microsecond))+fmt.Sprintf(format, args...))
}

func (w *world) violate(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violations = append(w.violations, fmt.Sprintf(format, args...))
}

func (w *world) broken() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.violations) > 0
}

func (w *world) now() time.Duration { return time.Since(w.began) }

// bury remembers a process that has ended until its bytes have arrived.
func (w *world) bury(i *incarnation) {
	_ = i.input.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.graves = append(w.graves, i)
}

// summary is the run in one line.
func (w *world) summary(rounds int) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	counts := maps.Clone(w.counts)
	var parts []string
	for _, name := range []string{
		"operations", "unknown outcomes", "kills", "stops", "cuts", "delays", "terminated backends", "server restarts", "steps up", "steps down",
	} {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
		delete(counts, name)
	}
	text := fmt.Sprintf("%s, violations %d", strings.Join(parts, ", "), len(w.violations))
	parts = nil
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return fmt.Sprintf("%s (seed %d, %s, rounds %d, %s)", text, w.plan.seed, w.now().Round(time.Second), rounds, strings.Join(parts, ", "))
}

// report is what is known about the violations.
func (w *world) report() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := strings.Join(w.violations, "\n\n") + "\n\nwhat was done in this round:\n" + strings.Join(w.timeline, "\n")
	for _, p := range w.places() {
		if i := p.current(); i != nil && i.stderr.String() != "" {
			text += fmt.Sprintf("\n\n%s:\n%s", p.settings.Name, i.stderr)
		}
	}
	return text
}

// insist repeats what a fault of a moment may fail.
func (w *world) insist(what string, fn func(ctx context.Context) error) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := fn(ctx)
		if err == nil {
			return
		}
		pause(ctx, 10*time.Millisecond)
		require.NoError(w.t, ctx.Err(), "%s: %s", what, err)
	}
}

func pause(ctx context.Context, d time.Duration) { accounts.Pause(ctx, d) }
