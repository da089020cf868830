// Package workload is the traffic of the demonstration: many small operations on customers, at a fixed rate, as hard on
// a migration as traffic can be. It creates and deletes, replaces whole customers and single fields, reads, changes
// and writes back, and moves money between two customers. Half of it goes, from all processes in the same tenth of a
// second, to the same customer, and the rest to all of them.
//
// Each operation is in the oracle's journal before it is sent and after it has ended. The package knows no stage
// and no version: it sees the repository that any application code would see.
package workload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/customers"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/oracle"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/seed"
)

// Store is the application's way to its customers.
type Store interface {
	customers.Customers
	// InTx runs fn in one transaction. It may run fn more than once.
	InTx(ctx context.Context, fn func(ctx context.Context, c customers.Customers) error) error
	// Pin decides at which stage a request of the tenant runs, and holds on to it until release.
	Pin(ctx context.Context, tenant uuid.UUID) (pinned context.Context, stage string, release func(), err error)
}

// Config says what a process's share of the traffic is. Store, Journal and Data are required.
type Config struct {
	Store   Store
	Journal *oracle.Journal
	Data    seed.Data
	// Process is the id of this process, and Number its place among the processes, 0 to 15.
	Process uuid.UUID
	Number  int
	// Rate is how many operations this process begins in a second.
	Rate float64
	// Sessions is how many operations run at the same time. Zero means 6.
	Sessions int
}

// Workload is the traffic of one process.
type Workload struct {
	cfg   Config
	label string
	begun atomic.Int64 // full writes, for tokens
	last  atomic.Int64 // the latest time that was given to a write, in microseconds

	mu   sync.Mutex
	made []oracle.Key // customers that this process created, to come back to
}

// New returns the traffic, which begins with [Workload.Run].
func New(cfg Config) *Workload {
	if cfg.Sessions == 0 {
		cfg.Sessions = 6
	}
	return &Workload{cfg: cfg, label: fmt.Sprintf("w%d.%.8s", cfg.Number, cfg.Process)}
}

// Run sends operations at the rate until ctx ends, and returns when all that began have ended. An error is one of the
// journal or of the policy: those of operations go to the journal.
func (w *Workload) Run(ctx context.Context) error {
	turns := make(chan struct{})
	sessions, running := errgroup.WithContext(ctx)
	for range w.cfg.Sessions {
		sessions.Go(func() error {
			s := &session{Workload: w, rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))}
			for range turns {
				if err := s.turn(context.WithoutCancel(ctx)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	w.pace(running, turns)
	close(turns)
	return sessions.Wait()
}

// pace hands out turns at the rate. While no session is free it waits.
func (w *Workload) pace(ctx context.Context, turns chan<- struct{}) {
	ticker := time.NewTicker(time.Duration(float64(time.Second) / w.cfg.Rate))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			select {
			case turns <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}
}

// now returns the present for a write: no other write of any process has the same, to the microsecond.
func (w *Workload) now() time.Time {
	for {
		before := w.last.Load()
		at := time.Now().UnixMicro()
		at = max(at-at%maxProcesses+int64(w.cfg.Number), before+maxProcesses)
		if w.last.CompareAndSwap(before, at) {
			return time.UnixMicro(at).UTC()
		}
	}
}

const maxProcesses = 16

// token returns an email address that no other write has.
func (w *Workload) token() string {
	return fmt.Sprintf("%s.%d@example.org", w.label, w.begun.Add(1))
}

// created notes a customer to come back to.
func (w *Workload) created(key oracle.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	const most = 1000
	if len(w.made) < most {
		w.made = append(w.made, key)
	} else {
		w.made[w.begun.Load()%most] = key
	}
}

// anyMade returns a customer that this process created, or false if there is none.
func (w *Workload) anyMade(r *rand.Rand) (oracle.Key, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.made) == 0 {
		return oracle.Key{}, false
	}
	return w.made[r.IntN(len(w.made))], true
}
