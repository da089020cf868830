package control

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/crossfade-db/crossfade/ledger"
)

// ControllerConfig says how a controller works. A nil ControllerConfig and
// every zero field are useful.
type ControllerConfig struct {
	// Name is shown to operators. Defaults to program, process and host.
	Name string
	// Tick is the time between two looks. Defaults to 5 seconds.
	Tick time.Duration
	// Lease is after how long without a sign of life another controller takes
	// over. Defaults to six ticks, and not below ten seconds; at least two ticks.
	Lease time.Duration
	// Wishes are where the application's flag system is asked.
	Wishes []WishSource
	// Logger tells of ticks that failed. Nil means slog.Default().
	Logger *slog.Logger
	// HTTP sends messages to webhooks. Nil means a client that waits for 10
	// seconds and follows no redirect.
	HTTP *http.Client
	// Env looks up the secrets of webhooks. Nil means os.Getenv.
	Env func(string) string
	// Now is the clock of ramps: holds and windows. Nil means the server's.
	Now func() time.Time
}

// Controller judges guardrails and acts on them, walks ramps and wishes,
// delivers messages to webhooks, settles what is left unsettled and keeps what
// policies say to hold. Run one in any number of processes: one of them at a
// time does the work, by a lease in the ledger, and each action checks in its
// own transaction that the lease is still held.
type Controller struct {
	plane *Plane
	store *ledger.Store
	cfg   ControllerConfig
	id    [16]byte
	log   *slog.Logger

	mu        sync.Mutex
	settlings map[string]*settling // of migrations that are not settled, from tick to tick
	held      map[string]ledger.Duty
}

// ControllerDuty is the name under which the ledger holds the controller's lease.
const ControllerDuty = "controller"

// NewController returns a controller on the plane's ledger. Wrong wiring is a
// [*ledger.InputError].
func NewController(plane *Plane, cfg *ControllerConfig) (*Controller, error) {
	c := &Controller{plane: plane, store: plane.store, settlings: map[string]*settling{}, held: map[string]ledger.Duty{}}
	if cfg != nil {
		c.cfg = *cfg
	}
	if c.cfg.Tick <= 0 {
		c.cfg.Tick = 5 * time.Second
	}
	if c.cfg.Lease <= 0 {
		c.cfg.Lease = max(6*c.cfg.Tick, 10*time.Second)
	}
	c.cfg.Lease = max(c.cfg.Lease, 2*c.cfg.Tick)
	if c.cfg.Name == "" {
		host, _ := os.Hostname() // only shown
		c.cfg.Name = fmt.Sprintf("%s[%d]@%s", filepath.Base(os.Args[0]), os.Getpid(), host)
	}
	if c.log = c.cfg.Logger; c.log == nil {
		c.log = slog.Default()
	}
	if c.cfg.Env == nil {
		c.cfg.Env = os.Getenv
	}
	if c.cfg.HTTP == nil {
		c.cfg.HTTP = &http.Client{
			Timeout:       10 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	for i := range c.cfg.Wishes {
		if err := c.cfg.Wishes[i].check(); err != nil {
			return nil, err
		}
	}
	_, _ = rand.Read(c.id[:]) // crypto/rand.Read never returns an error
	return c, nil
}

// work is one duty and how to do it.
type work struct {
	duty  string
	every time.Duration
	do    func(context.Context, ledger.Duty) error
}

func (c *Controller) works() []work {
	all := []work{{ControllerDuty, c.cfg.Tick, c.control}}
	for i := range c.cfg.Wishes {
		w := &c.cfg.Wishes[i]
		all = append(all, work{"wishes of " + w.Migration, w.Every, func(ctx context.Context, d ledger.Duty) error { return c.wishes(ctx, d, w) }})
	}
	return all
}

// Run does the work until ctx ends, and then gives it up at once, for another
// process to take over. What fails is logged and tried again.
func (c *Controller) Run(ctx context.Context) error {
	var running sync.WaitGroup
	for _, w := range c.works() {
		running.Go(func() {
			for {
				if _, err := c.turn(ctx, w); err != nil && ctx.Err() == nil {
					c.log.ErrorContext(ctx, "crossfade: a tick failed and is tried again", "duty", w.duty, "error", err)
				}
				if pause(ctx, w.every) != nil {
					return
				}
			}
		})
	}
	running.Wait()
	return c.leave(context.WithoutCancel(ctx))
}

// Tick does all work once, and reports whether this controller holds the lease
// for any of it. It is what Run does again and again.
func (c *Controller) Tick(ctx context.Context) (worked bool, err error) {
	for _, w := range c.works() {
		did, werr := c.turn(ctx, w)
		worked, err = worked || did, errors.Join(err, werr)
	}
	return worked, err
}

// turn does one duty once, if this controller holds it, and renews the lease
// meanwhile.
func (c *Controller) turn(ctx context.Context, w work) (bool, error) {
	d, ok, err := c.take(ctx, w.duty)
	if err != nil || !ok {
		return false, err
	}
	working, stop := context.WithCancel(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() {
		for pause(working, c.cfg.Lease/3) == nil {
			if again, ok, err := c.take(working, w.duty); err == nil && (!ok || again.Token != d.Token) {
				stop() // another process has it by now
			}
		}
	})
	err = w.do(working, d)
	stop()
	renewing.Wait()
	return true, err
}

func (c *Controller) take(ctx context.Context, duty string) (ledger.Duty, bool, error) {
	d, ok, err := c.store.TakeDuty(ctx, duty, c.id, c.cfg.Name, c.cfg.Lease)
	if ok {
		c.mu.Lock()
		c.held[duty] = d
		c.mu.Unlock()
	}
	return d, ok, err
}

func (c *Controller) leave(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	for _, d := range c.held {
		err = errors.Join(err, c.store.LeaveDuty(ctx, d))
	}
	return err
}

// atOnce is how many migrations are looked at at the same time, so that none
// waits for long behind one that hangs.
const atOnce = 4

// control is the controller's duty: all migrations, then the webhooks.
func (c *Controller) control(ctx context.Context, d ledger.Duty) error {
	migrations, err := c.store.Migrations(ctx)
	if err != nil {
		return err
	}
	errs := make([]error, len(migrations)+1)
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, m := range migrations {
		group.Go(func() error {
			bounded, cancel := context.WithTimeout(ctx, max(2*c.cfg.Tick, 10*time.Second))
			defer cancel()
			errs[i] = c.migration(bounded, d, m)
			return nil
		})
	}
	_ = group.Wait() // the errors are gathered
	errs[len(migrations)] = c.deliver(ctx, d)
	return errors.Join(errs...)
}

// migration does everything for one migration. What fails leaves the rest to
// be done; without the state there is nothing to do.
func (c *Controller) migration(ctx context.Context, d ledger.Duty, m ledger.Migration) error {
	named := func(what string, err error) error {
		if err == nil {
			return nil
		}
		return fmt.Errorf("%s: %s: %w", m.Name, what, err)
	}
	return errors.Join(
		named("settle", c.settle(ctx, m)),
		named("judge the guardrails", c.guard(ctx, d, m)),
		named("walk the ramp", c.ramp(ctx, d, m)),
		named("merge measurements", c.store.MergeMeasurements(ctx, d, m, mergeContents)),
	)
}

// settle goes on with settling where the last tick ended, so that transactions
// that take too long are terminated in the end, and keeps what the policy says
// to hold once everybody is settled.
func (c *Controller) settle(ctx context.Context, m ledger.Migration) error {
	c.mu.Lock()
	s := c.settlings[m.Name]
	if s == nil {
		s = c.plane.settling(m, nil)
		c.settlings[m.Name] = s
	}
	c.mu.Unlock()
	left, err := s.round(ctx)
	if err != nil || !left.Settled() {
		return err
	}
	c.mu.Lock()
	delete(c.settlings, m.Name)
	c.mu.Unlock()
	_, err = c.plane.keep(ctx, m, nil)
	return err
}

// now is the clock of ramps.
func (c *Controller) now(state *State) time.Time {
	if c.cfg.Now != nil {
		return c.cfg.Now()
	}
	return state.At
}
