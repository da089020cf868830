// Package crew keeps the worker processes running: operating-system processes of their own, started again when they die.
// They are told to go on, to pause and to stop by lines on their standard input; when that ends, because this process is
// gone, they end too.
//
// It never looks at what they do.
package crew

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Config says what a crew is. Command, Number and Died are required.
type Config struct {
	// Command is the program and its arguments. The number of the worker and its process id follow.
	Command []string
	// Env is added to this process's environment.
	Env []string
	// Number is how many workers there are.
	Number int
	// Died is called when a worker has ended without having been told to, before it is started again.
	Died func(ctx context.Context, process uuid.UUID) error
	// Say is told what people may want to know. It must not block.
	Say func(format string, args ...any)
	// Restart is the time until a worker that died is started again. Zero means 200ms.
	Restart time.Duration
}

// Crew is a number of worker processes.
type Crew struct {
	cfg     Config
	cancel  context.CancelFunc
	done    sync.WaitGroup
	changed chan struct{} // closed and made anew at every change

	mu       sync.Mutex
	workers  []*worker
	wanted   Phase // Running or Paused
	stopping bool
	restarts int
	failure  error
}

// Phase is what a worker is doing.
type Phase string

// The phases of a worker. Running and Paused are what it says on its standard output, Starting is before its first word.
const (
	Gone     Phase = "gone"
	Starting Phase = "starting"
	Running  Phase = "running"
	Paused   Phase = "paused"
)

// The commands that a worker reads on its standard input.
const (
	CommandRun   = "run"
	CommandPause = "pause"
	CommandStop  = "stop"
)

// maxDeaths is how often in a row a worker may die within shortLife before the crew gives up.
const (
	maxDeaths = 10
	shortLife = 3 * time.Second
)

// Start starts the workers, paused. Stop the crew, whatever happens.
func Start(cfg Config) *Crew {
	if cfg.Restart == 0 {
		cfg.Restart = 200 * time.Millisecond
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &Crew{cfg: cfg, cancel: cancel, wanted: Paused, changed: make(chan struct{})}
	for number := range cfg.Number {
		w := &worker{crew: c, number: number, phase: Gone}
		c.workers = append(c.workers, w)
		c.done.Go(func() { w.keep(ctx) })
	}
	return c
}

// Run lets the workers work, and returns when all of them do.
func (c *Crew) Run(ctx context.Context) error { return c.want(ctx, Running, CommandRun) }

// Pause lets the workers bring to an end what they have begun and begin nothing more. It returns when nothing is under way.
func (c *Crew) Pause(ctx context.Context) error { return c.want(ctx, Paused, CommandPause) }

func (c *Crew) want(ctx context.Context, phase Phase, command string) error {
	c.mu.Lock()
	c.wanted = phase
	for _, w := range c.workers {
		w.tell(command)
	}
	c.mu.Unlock()
	return c.await(ctx, func() bool {
		for _, w := range c.workers {
			if w.phase != phase {
				return false
			}
		}
		return true
	})
}

// await waits until what is asked for, under the mutex, is true.
func (c *Crew) await(ctx context.Context, reached func() bool) error {
	for {
		c.mu.Lock()
		ok, changed, failure := reached(), c.changed, c.failure
		c.mu.Unlock()
		switch {
		case failure != nil:
			return failure
		case ok:
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the worker processes: %w", context.Cause(ctx))
		case <-changed:
		}
	}
}

// Working returns how many workers are running.
func (c *Crew) Working() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, w := range c.workers {
		if w.phase == Running {
			n++
		}
	}
	return n
}

// Restarts returns how often a worker was started again.
func (c *Crew) Restarts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.restarts
}

// Err returns why the crew gave up, or nil.
func (c *Crew) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

// Stop lets the workers bring to an end what they have begun, and returns when all processes are gone. When ctx ends
// first they are killed.
func (c *Crew) Stop(ctx context.Context) error {
	c.mu.Lock()
	c.stopping = true
	for _, w := range c.workers {
		w.tell(CommandStop)
	}
	c.notify()
	c.mu.Unlock()
	err := c.await(ctx, func() bool {
		for _, w := range c.workers {
			if w.phase != Gone {
				return false
			}
		}
		return true
	})
	c.cancel() // kills what is left
	c.done.Wait()
	return err
}

// notify wakes who waits for a change. The mutex is held.
func (c *Crew) notify() {
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *Crew) say(format string, args ...any) {
	if c.cfg.Say != nil {
		c.cfg.Say(format, args...)
	}
}

func environment(more []string) []string { return append(os.Environ(), more...) }
