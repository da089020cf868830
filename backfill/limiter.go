package backfill

import (
	"context"
	"sync"
	"time"
)

// limiter spreads keys evenly over time. The zero rate means no limit.
type limiter struct {
	perKey time.Duration

	mu   sync.Mutex
	next time.Time // when the next keys may go
}

func newLimiter(keysPerSecond float64) *limiter {
	if keysPerSecond <= 0 {
		return &limiter{}
	}
	return &limiter{perKey: time.Duration(float64(time.Second) / keysPerSecond)}
}

// wait takes n keys' worth of time, after those who asked before.
func (l *limiter) wait(ctx context.Context, n int) error {
	if l.perKey == 0 || n == 0 {
		return ctx.Err()
	}
	l.mu.Lock()
	now := time.Now()
	if l.next.Before(now) {
		l.next = now
	}
	pause := l.next.Sub(now)
	l.next = l.next.Add(time.Duration(n) * l.perKey)
	l.mu.Unlock()
	return sleep(ctx, pause)
}

// sleep waits, or returns ctx's error when it ends first.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
