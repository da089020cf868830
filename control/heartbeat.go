package control

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

const (
	firstBackoff = 50 * time.Millisecond
	// lookAgain is how often a process with uses of an older policy looks
	// whether they have ended. It costs no question to the ledger.
	lookAgain = 5 * time.Millisecond
)

// errLapsed says that the lease ran out during a load.
var errLapsed = errors.New("the lease ran out while the policy was being read")

// loadTries is how often a load begins anew because the lease ran out meanwhile,
// as it does when the process was stopped.
const loadTries = 3

// beat sends one heartbeat and returns the policies in force.
func (m *Member) beat(ctx context.Context) ([]ledger.Version, error) {
	m.beating.Lock()
	defer m.beating.Unlock()
	acting := m.acting()
	watched := []string{}
	for _, f := range m.set.Flags() {
		watched = append(watched, f.Migration())
	}
	sent := time.Now()
	versions, err := m.store.Heartbeat(ctx, ledger.Beat{
		ID: m.id, Name: m.cfg.Name, Host: m.host, PID: os.Getpid(), Polls: m.Polls(),
		Lease: m.cfg.LeaseTTL, Acting: acting, Watched: watched,
	})
	m.note(acting, err)
	if err != nil {
		return nil, err
	}
	m.lease.renew(sent) // not under m.mu, which lapse takes under the lease's
	return versions, nil
}

// note remembers what a heartbeat said, or why it failed.
func (m *Member) note(acting []ledger.Version, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lastError = err
	if err != nil {
		return
	}
	for _, a := range acting {
		m.said[a.Migration] = a.Epoch
	}
}

// acting returns the oldest policies that this process acts on, and for
// migrations that it is about to load what it may come to act on.
func (m *Member) acting() []ledger.Version {
	oldest := m.set.Oldest()
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []ledger.Version
	loaded := map[string]bool{}
	for _, a := range oldest {
		loaded[a.Migration] = true
		if v, ok := m.known[a.Migration]; ok {
			all = append(all, ledger.Version{Migration: a.Migration, MigrationID: v.MigrationID, Epoch: a.Epoch, PolicyID: a.PolicyID})
		}
	}
	for name, v := range m.known {
		if !loaded[name] {
			all = append(all, v)
		}
	}
	return all
}

// load brings the policies of some migrations up to date. The ledger knows
// that this process acts on a policy BEFORE it does: what is announced first,
// and read again afterwards, is waited for by whoever changes it in between.
// A load counts only if the lease did not run out since it began: a policy that
// was read before a lapse may have been replaced without anybody's waiting.
func (m *Member) load(names []string) map[string]error {
	for try := 1; ; try++ {
		errs, lapsed := m.loadOnce(names)
		if !lapsed || try == loadTries || m.ctx.Err() != nil {
			m.nudge()
			return errs
		}
	}
}

func (m *Member) loadOnce(names []string) (errs map[string]error, lapsed bool) {
	ctx, cancel := context.WithTimeout(m.ctx, m.cfg.Timeout)
	defer cancel()
	errs = map[string]error{}
	all := func(err error) (map[string]error, bool) {
		for _, name := range names {
			errs[name] = err
		}
		return errs, false
	}
	fresh, err := m.announce(ctx, names)
	if err != nil {
		return all(err)
	}
	generation, valid := m.lease.begin()
	if fresh || !valid {
		if _, err := m.beat(ctx); err != nil {
			return all(err)
		}
		generation, _ = m.lease.begin()
	}
	for _, name := range names {
		errs[name] = m.loadOne(name, generation)
	}
	now, _ := m.lease.begin()
	return errs, now != generation
}

// announce notes the policies in force of migrations that were never loaded,
// for the next heartbeat to say.
func (m *Member) announce(ctx context.Context, names []string) (fresh bool, err error) {
	m.mu.Lock()
	var missing []string
	for _, name := range names {
		if _, ok := m.known[name]; !ok {
			missing = append(missing, name)
		}
	}
	m.mu.Unlock()
	if len(missing) == 0 {
		return false, nil
	}
	versions, err := m.store.Versions(ctx, missing...)
	if err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, v := range versions {
		m.known[v.Migration] = v
		fresh = true
	}
	return fresh, nil
}

// loadOne makes the policy in force of the one that was applied last and of what
// changed since. The store bounds each answer. While many overrides arrive the
// process goes on sending heartbeats, or its lease would run out.
func (m *Member) loadOne(name string, generation uint64) error {
	beaten := time.Now()
	policy, _, err := m.store.Refresh(m.ctx, name, m.set.Newest(name), func() {
		if time.Since(beaten) < m.cfg.Interval {
			return
		}
		beaten = time.Now()
		_, _ = m.beat(m.ctx) // the next one tells what is wrong
	})
	if err != nil {
		return err
	}
	valid, err := m.lease.during(generation, func() error { return m.set.ApplyCompiled(policy) })
	if err == nil && !valid {
		err = &LeaseError{TTL: m.cfg.LeaseTTL, Err: errLapsed}
	}
	return err
}

// loop sends heartbeats until the member is closed.
func (m *Member) loop() {
	defer m.done.Done()
	failures := 0
	for {
		err := m.turn(m.ctx)
		switch {
		case m.ctx.Err() != nil:
			return
		case err != nil:
			if failures == 0 {
				m.set.Fail(err)
			}
			failures++
		default:
			if lapsed := m.lapsed.Swap(false); lapsed || failures > 0 {
				m.set.Confirm()
			}
			failures = 0
		}
		if !m.rest(backoff(failures, m.cfg.Interval)) {
			return
		}
	}
}

// turn sends a heartbeat and loads what it finds changed.
func (m *Member) turn(ctx context.Context) error {
	versions, err := m.beat(ctx)
	if err != nil {
		return err
	}
	if outdated := m.outdated(versions); len(outdated) > 0 {
		if err := m.loads.ask(ctx, outdated...); err != nil {
			return err
		}
	}
	if m.unsaid() {
		_, err = m.beat(ctx)
	}
	return err
}

// outdated returns the migrations whose policy in memory is not the one in force.
func (m *Member) outdated(versions []ledger.Version) []string {
	var names []string
	for _, v := range versions {
		c := m.set.Flag(v.Migration).Current()
		if c == nil || !c.Is(v.Epoch, v.PolicyID) {
			names = append(names, v.Migration)
		}
	}
	return names
}

// unsaid reports whether the process acts on other policies than it last said.
func (m *Member) unsaid() bool {
	oldest := m.set.Oldest()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range oldest {
		if _, ok := m.known[a.Migration]; ok && m.said[a.Migration] != a.Epoch {
			return true
		}
	}
	return false
}

// inUse reports whether an older policy is in use yet.
func (m *Member) inUse() bool {
	for _, a := range m.set.Oldest() {
		if c := m.set.Flag(a.Migration).Current(); c != nil && !c.Is(a.Epoch, a.PolicyID) {
			return true
		}
	}
	return false
}

// rest waits until the next heartbeat is due: for d, until something happens,
// or until the last use of an older policy has ended. It reports false when
// the member is closed.
func (m *Member) rest(d time.Duration) bool {
	due := time.NewTimer(d)
	defer due.Stop()
	var look <-chan time.Time
	if m.inUse() {
		ticker := time.NewTicker(lookAgain)
		defer ticker.Stop()
		look = ticker.C
	}
	for {
		select {
		case <-m.ctx.Done():
			return false
		case <-due.C:
			return true
		case <-m.kick:
			return true
		case <-look:
			if m.unsaid() {
				return true
			}
		}
	}
}

// nudge makes the loop send a heartbeat now.
func (m *Member) nudge() {
	select {
	case m.kick <- struct{}{}:
	default:
	}
}

// backoff returns how long to rest: the interval, or less after failures, from
// short to long.
func backoff(failures int, interval time.Duration) time.Duration {
	if failures == 0 {
		return interval
	}
	return min(interval, firstBackoff<<min(failures-1, 10))
}

// listen nudges the loop at each notification of a change, and after each
// connection, since notifications in between are lost. Behind a pooler, which
// would leave the listening to whatever session comes next, it does nothing.
func (m *Member) listen() {
	defer m.done.Done()
	for failures := 1; ; failures++ {
		if m.listenOnce() {
			failures = 1
		}
		if m.Polls() != "" {
			return
		}
		if pause(m.ctx, backoff(failures, max(m.cfg.Interval, time.Second))) != nil {
			return
		}
	}
}

// listenOnce listens until the connection breaks, and reports whether there
// was one. Errors are left to the heartbeats, which meet the same server.
func (m *Member) listenOnce() (connected bool) {
	config := m.pool.Config()
	if config.BeforeConnect != nil {
		if err := config.BeforeConnect(m.ctx, config.ConnConfig); err != nil {
			return false
		}
	}
	conn, err := pgx.ConnectConfig(m.ctx, config.ConnConfig)
	if err != nil {
		return false
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(m.ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	pooled, err := ledger.Pooled(m.ctx, conn)
	if err != nil {
		return false
	}
	if pooled {
		m.polls.Store(behindPooler)
		m.nudge() // the ledger learns of it
		return true
	}
	if _, err := conn.Exec(m.ctx, "listen "+ledger.Channel); err != nil {
		return false
	}
	for {
		m.nudge()
		if _, err := conn.WaitForNotification(m.ctx); err != nil {
			return true
		}
	}
}

var _ flags.Fetch = (*Member)(nil).fetch
