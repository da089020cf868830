package control

import (
	"context"
	"sync"
)

// loader runs one load at a time. Who asks while one is running shares the next
// one, which begins after the question was asked, so that its answer is not
// older than the question.
type loader struct {
	load func(names []string) map[string]error

	mu      sync.Mutex
	running bool
	next    *batch
	closed  error
	done    sync.WaitGroup
}

// batch is one load and who waits for it.
type batch struct {
	names map[string]bool
	ready chan struct{}
	errs  map[string]error
}

// ask waits for a load of the named migrations that begins after the call.
func (l *loader) ask(ctx context.Context, names ...string) error {
	b, err := l.join(names)
	if err != nil {
		return err
	}
	select {
	case <-b.ready:
		for _, name := range names {
			if err := b.errs[name]; err != nil {
				return err
			}
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *loader) join(names []string) (*batch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed != nil {
		return nil, l.closed
	}
	if l.next == nil {
		l.next = &batch{names: map[string]bool{}, ready: make(chan struct{})}
	}
	b := l.next
	for _, name := range names {
		b.names[name] = true
	}
	if !l.running {
		l.running = true
		l.done.Add(1)
		go l.run()
	}
	return b, nil
}

// run works off batches until there is none.
func (l *loader) run() {
	defer l.done.Done()
	for {
		l.mu.Lock()
		b := l.next
		l.next = nil
		if b == nil {
			l.running = false
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		names := make([]string, 0, len(b.names))
		for name := range b.names {
			names = append(names, name)
		}
		b.errs = l.load(names)
		close(b.ready)
	}
}

// close refuses further questions with cause, and waits for the load in progress.
func (l *loader) close(cause error) {
	l.mu.Lock()
	l.closed = cause
	l.mu.Unlock()
	l.done.Wait()
}
