package main

import (
	"context"
	"sync"
	"time"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/oracle"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/screen"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// doing is what the walk is doing at the moment.
type doing struct {
	mu   sync.Mutex
	text string
}

func (d *doing) set(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.text = text
}

func (d *doing) get() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text
}

const (
	drawEvery = 500 * time.Millisecond
	// window is how far back rates and latencies look.
	window = 2 * time.Second
)

// mark is the last line of the journal at a moment.
type mark struct {
	at   time.Time
	line int64
}

// show draws the picture until ctx ends.
func (d *run) show(ctx context.Context) {
	ticker := time.NewTicker(drawEvery)
	defer ticker.Stop()
	var marks []mark
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			line, err := oracle.LastLine(ctx, d.pool)
			if err != nil {
				continue // the walk itself says what is wrong
			}
			marks = append(marks, mark{now, line})
			for len(marks) > 2 && now.Sub(marks[1].at) >= window {
				marks = marks[1:]
			}
			if p, err := d.picture(ctx, marks[0], now); err == nil {
				d.view.Show(p)
			}
		}
	}
}

// picture gathers what is to be seen.
func (d *run) picture(ctx context.Context, since mark, now time.Time) (p screen.Picture, err error) {
	p = screen.Picture{Elapsed: now.Sub(d.began), Phase: d.doing.get(), Workers: d.crew.Working()}
	state, err := d.app.ledger.Load(ctx, migration.Name)
	if err != nil {
		return p, err
	}
	if p.Rungs, err = rungs(state, names(d.data)); err != nil {
		return p, err
	}
	for _, s := range state.Stale {
		p.StaleKeys += s.Keys
	}
	totals, err := oracle.CountAll(ctx, d.pool)
	if err != nil {
		return p, err
	}
	p.Operations, p.CallerErrors = totals.Operations, totals.Errors
	if p.Mismatches, err = d.mismatches(ctx); err != nil {
		return p, err
	}
	if p.Paths, err = d.paths(ctx, since, now); err != nil {
		return p, err
	}
	for _, path := range p.Paths {
		p.OperationsPerSecond += path.PerSecond
	}
	p.Work, err = d.work(ctx, state)
	return p, err
}

func rungs(state *ledger.State, tenants []string) ([]screen.Rung, error) {
	compiled, err := state.Current().Compile()
	if err != nil {
		return nil, err
	}
	at := map[flags.Stage]int{}
	for _, tenant := range tenants {
		stage, _ := compiled.Stage(tenant)
		at[stage]++
	}
	var all []screen.Rung
	for _, stage := range flags.Stages() {
		all = append(all, screen.Rung{Stage: stage.String(), Tenants: at[stage]})
	}
	return all, nil
}

// pathOf names the path of each stage.
func pathOf() map[string]string {
	paths := map[string]string{}
	for _, stage := range flags.Stages() {
		paths[stage.String()] = stage.Path()
	}
	return paths
}

// paths returns the latency of each path since a mark, reads and writes together.
func (d *run) paths(ctx context.Context, since mark, now time.Time) ([]screen.Path, error) {
	all, err := oracle.Latencies(ctx, d.pool, since.line, pathOf())
	if err != nil {
		return nil, err
	}
	var shown []screen.Path
	for _, name := range []string{flags.Old.Path(), flags.Dual.Path(), flags.New.Path()} {
		path := screen.Path{Name: name}
		for _, l := range all {
			if l.Path == name {
				path.PerSecond += float64(l.Count) / max(now.Sub(since.at), drawEvery).Seconds()
				path.P50, path.P99 = max(path.P50, l.P50), max(path.P99, l.P99) // of the slower of both
			}
		}
		shown = append(shown, path)
	}
	return shown, nil
}

// work returns the progress of an open job, or nil.
func (d *run) work(ctx context.Context, state *ledger.State) (*screen.Work, error) {
	if len(state.Jobs) == 0 {
		return nil, nil
	}
	job, err := d.app.ledger.JobByID(ctx, state.Jobs[0].ID)
	if err != nil {
		return nil, err
	}
	left, _ := job.Remaining(state.At)
	return &screen.Work{Name: job.Kind, Done: job.KeysDone, All: max(job.KeysDone, job.KeysAll), Left: left}, nil
}

// mismatches returns how many confirmed mismatches there were, those that were resolved included.
func (d *run) mismatches(ctx context.Context) (n int64, err error) {
	const all = 100_000
	found, err := d.app.ledger.Mismatches(ctx, migration.Name, ledger.MismatchFilter{Resolved: true, Limit: all})
	for _, m := range found {
		n += m.Count
	}
	return n, err
}
