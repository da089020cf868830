package control

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// MemberConfig says how a process takes part in the fleet. A nil MemberConfig
// and every zero field are useful.
type MemberConfig struct {
	// Name is shown to operators who wait for this process. Defaults to the
	// program's name.
	Name string
	// Migrations are loaded by Join, which fails for one that the ledger does
	// not hold. Others are loaded at their first use.
	Migrations []string
	// Interval is the time between two heartbeats. Defaults to 1 second.
	Interval time.Duration
	// LeaseTTL is how long the process may act on its policies without an
	// answer of the ledger; at least twice the interval. Defaults to 10
	// seconds. A process that is killed is waited for that long.
	LeaseTTL time.Duration
	// Timeout bounds each question to the ledger. Defaults to a third of LeaseTTL.
	Timeout time.Duration
	// NoListen leaves changes of policy to polling at each heartbeat. A process
	// whose DSN leads to a pooler, such as PgBouncer, finds that out and polls
	// by itself: see [Member.Polls].
	NoListen bool
	// FlushEvery is the time between two flushes of what the process measured
	// (see [Member.Called]). Defaults to 5 seconds; at most 30 seconds.
	FlushEvery time.Duration
}

func (c *MemberConfig) defaults() (MemberConfig, error) {
	var cfg MemberConfig
	if c != nil {
		cfg = *c
	}
	if cfg.Name == "" {
		cfg.Name = filepath.Base(os.Args[0])
	}
	if cfg.Interval <= 0 {
		cfg.Interval = time.Second
	}
	if cfg.LeaseTTL <= 0 {
		cfg.LeaseTTL = max(10*time.Second, 10*cfg.Interval)
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = cfg.LeaseTTL / 3
	}
	if cfg.FlushEvery <= 0 {
		cfg.FlushEvery = 5 * time.Second
	}
	cfg.FlushEvery = min(cfg.FlushEvery, 30*time.Second)
	if cfg.LeaseTTL < 2*cfg.Interval {
		return cfg, &ledger.InputError{Operation: "join the fleet", Problem: fmt.Sprintf(
			"a lease of %s is too short for a heartbeat every %s: it must be twice as long at least", cfg.LeaseTTL, cfg.Interval)}
	}
	return cfg, nil
}

// ErrClosed is why a member that was closed has no policy to act on.
var ErrClosed = errors.New("the member of the fleet was closed")

// LeaseError says that a process may not act on its policies any more, because
// the ledger did not answer in time. It asks again inside each call.
type LeaseError struct {
	// TTL is how long the lease was.
	TTL time.Duration
	// Err is why the last heartbeat had no answer; nil when it hangs.
	Err error
}

func (e *LeaseError) Error() string {
	text := fmt.Sprintf("the lease of %s ran out", e.TTL)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *LeaseError) Unwrap() error { return e.Err }

// Member is this process as a member of the fleet. It keeps a [flags.Set] up to
// date: decisions use the policies in memory while the lease holds, and ask the
// ledger inside the call, or fail with a [*flags.NoPolicyError], when it does
// not.
//
// A lease is counted on the process's own clocks, and is over as soon as either
// the monotonic or the wall clock says so. A plain read that was under way when
// it ran out is thrown away and repeated ([flags.Use.Held]), also when the
// process was stopped and no timer has fired yet. What no clock of the process
// tells: a virtual machine that is paused from outside, until its wall clock is
// set right, and a process stopped between a read's last check and the use of its
// answer. Only the fence makes their writes safe.
//
// Its methods may be called concurrently.
type Member struct {
	id    [16]byte
	host  string
	cfg   MemberConfig
	pool  *pgxpool.Pool // its own: the application's may be exhausted
	store *ledger.Store
	set   *flags.Set
	lease *lease
	loads *loader

	stop context.CancelFunc
	ctx  context.Context // of the background work
	done sync.WaitGroup
	kick chan struct{}

	beating sync.Mutex // one heartbeat at a time

	meter    *meter
	flushing sync.Mutex   // one flush at a time
	lapsed   atomic.Bool  // the lease ran out, and nobody confirmed the policies since
	polls    atomic.Value // string: why it does not listen

	mu        sync.Mutex
	known     map[string]ledger.Version // what was announced before the first load
	said      map[string]int64          // the epochs of the last heartbeat
	lastError error
	closed    bool
}

// Join makes the process a member of the fleet, loads the policies of
// cfg.Migrations and keeps them up to date until [Member.Close]. It opens up to
// three connections of its own, like those of the store's pool. ctx bounds the
// joining only.
func Join(ctx context.Context, store *ledger.Store, cfg *MemberConfig) (*Member, error) {
	c, err := cfg.defaults()
	if err != nil {
		return nil, err
	}
	config := store.Pool().Config()
	config.MaxConns, config.MinConns, config.MinIdleConns = 2, 0, 0
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("join the fleet: open a pool: %w", err)
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	m := &Member{
		cfg: c, pool: pool, store: ledger.New(pool, &ledger.Config{Timeout: c.Timeout}), ctx: background, stop: stop,
		kick: make(chan struct{}, 1), known: map[string]ledger.Version{}, said: map[string]int64{},
		meter: newMeter(time.Now()),
	}
	_, _ = rand.Read(m.id[:]) // crypto/rand.Read never returns an error
	m.host, _ = os.Hostname() // only shown
	m.set = flags.NewSet(m.fetch)
	m.lease = newLease(c.LeaseTTL, m.set.Hold, m.lapse)
	m.loads = &loader{load: m.load}
	if err := m.begin(ctx); err != nil {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Timeout)
		defer cancel()
		_ = m.Close(cleanup) // the first error counts
		return nil, fmt.Errorf("join the fleet: %w", err)
	}
	return m, nil
}

func (m *Member) begin(ctx context.Context) error {
	if m.cfg.NoListen {
		m.polls.Store(asConfigured)
	}
	_ = m.pool.Ping(ctx) // to connect takes long on a slow network; the next question tells what is wrong
	if err := m.store.Check(ctx); err != nil {
		return err
	}
	if _, err := m.beat(ctx); err != nil {
		return err
	}
	if err := m.store.ForgetDead(ctx); err != nil {
		return err
	}
	for _, name := range m.cfg.Migrations {
		m.set.Flag(name)
	}
	if err := m.loads.ask(ctx, m.cfg.Migrations...); err != nil {
		return err
	}
	m.done.Add(2)
	go m.loop()
	go m.measure()
	if !m.cfg.NoListen {
		m.done.Add(1)
		go m.listen()
	}
	return nil
}

// ID returns the number under which the ledger knows this process.
func (m *Member) ID() [16]byte { return m.id }

// Set returns the flags that the member keeps up to date.
func (m *Member) Set() *flags.Set { return m.set }

// Flag returns the migration's flag. One that the ledger does not hold decides
// nothing: its error wraps a [*ledger.UnknownMigrationError].
func (m *Member) Flag(migration string) *flags.Flag { return m.set.Flag(migration) }

// Why a process polls instead of listening.
const (
	asConfigured = "as configured"
	behindPooler = "behind a pooler"
)

// Polls returns why the process finds changes of policy at its next heartbeat
// only, or "" when it is notified of them. The ledger shows it as well.
func (m *Member) Polls() string {
	why, _ := m.polls.Load().(string)
	return why
}

// Acknowledge sends a heartbeat now, and returns when the ledger has it.
func (m *Member) Acknowledge(ctx context.Context) error {
	_, err := m.beat(ctx)
	return err
}

// Close takes the process out of the fleet: it ends the background work, takes
// the policies out of use and tells the ledger. End the application's own work
// before. When the ledger cannot be told, the error says so, and the process
// leaves the fleet when its lease runs out. It may be called more than once.
func (m *Member) Close(ctx context.Context) error {
	m.mu.Lock()
	again := m.closed
	m.closed = true
	m.mu.Unlock()
	if again {
		return nil
	}
	m.stop()
	m.loads.close(ErrClosed)
	m.done.Wait()
	m.lease.end()
	m.set.Expire(ErrClosed)
	err := errors.Join(m.flush(ctx), m.store.Leave(ctx, m.id))
	m.pool.Close()
	return err
}

// lapse is called when the lease runs out.
func (m *Member) lapse() {
	m.mu.Lock()
	cause := &LeaseError{TTL: m.cfg.LeaseTTL, Err: m.lastError}
	m.mu.Unlock()
	m.lapsed.Store(true)
	m.set.Expire(cause)
}

// fetch implements [flags.Fetch].
func (m *Member) fetch(ctx context.Context, migration string) error {
	return m.loads.ask(ctx, migration)
}
