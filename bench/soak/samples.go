package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
)

// sample is what the process measured of itself.
type sample struct {
	at          time.Duration
	heap        float64 // MiB in use after a garbage collection
	rss         float64 // MiB of memory that the process holds; 0 where the system does not say
	goroutines  float64
	connections float64 // open
	calls       int64   // so far, as all that follows
	compared    int64
	dropped     int64
	failed      int64
}

const mib = 1 << 20

// meter takes samples.
type meter struct {
	load  *load
	began time.Time
	heap  []metrics.Sample
	page  float64 // bytes
}

func newMeter(l *load, began time.Time) *meter {
	return &meter{
		load: l, began: began, page: float64(os.Getpagesize()),
		heap: []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}},
	}
}

// run takes a sample at every interval until ctx ends. kept is called with each.
func (m *meter) run(ctx context.Context, every time.Duration, kept func(sample)) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			kept(m.take())
		}
	}
}

func (m *meter) take() sample {
	goroutines := runtime.NumGoroutine()
	runtime.GC()
	metrics.Read(m.heap)
	s := sample{
		at:          time.Since(m.began),
		heap:        float64(m.heap[0].Value.Uint64()) / mib,
		rss:         resident() * m.page / mib,
		goroutines:  float64(goroutines),
		connections: float64(m.load.app.pool.Stat().TotalConns()),
		calls:       m.load.calls.Load(),
		failed:      m.load.failed.Load(),
	}
	s.compared, _, s.dropped = m.load.app.compared()
	return s
}

// resident returns the pages of memory that the process holds, on Linux.
func resident() float64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseFloat(fields[1], 64)
	if err != nil {
		return 0
	}
	return pages
}

// heapProfile writes what holds memory after a collection; an empty name writes nothing.
func heapProfile(name string) error {
	if name == "" || name == ".half" {
		return nil
	}
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write the heap profile: %w", err)
	}
	runtime.GC()
	return errors.Join(pprof.WriteHeapProfile(file), file.Close())
}
