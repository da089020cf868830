package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// round is the way up the ladder and down again; from its end it begins anew.
var round = []flags.Stage{
	flags.Old, flags.Dual, flags.Shadow, flags.Live, flags.RampDown, flags.New,
	flags.RampDown, flags.Live, flags.Shadow, flags.Dual,
}

// rounds are how many there are in a run: an even number, so that its second half holds whole rounds.
const rounds = 6

// again is the time until what was refused is tried again.
const again = 200 * time.Millisecond

// arrival is when everybody stood at a stage.
type arrival struct {
	at    time.Duration
	stage flags.Stage
}

// ladder leads everybody up and down.
type ladder struct {
	app   *app
	began time.Time

	mu       sync.Mutex
	arrivals []arrival
}

// walk goes round and round until ctx ends, and stays at each stage for about hold.
func (l *ladder) walk(ctx context.Context, hold time.Duration) error {
	for i := 0; ; i++ {
		stage := round[i%len(round)]
		if err := l.app.goTo(ctx, stage); err != nil {
			return unlessOver(ctx, err)
		}
		l.arrived(stage)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(l.began.Add(time.Duration(i+1) * hold))):
		}
	}
}

// unlessOver returns the error, unless it is that the run is over.
func unlessOver(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

func (l *ladder) arrived(stage flags.Stage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.arrivals = append(l.arrivals, arrival{time.Since(l.began), stage})
}

// seen returns the arrivals so far.
func (l *ladder) seen() []arrival {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]arrival(nil), l.arrivals...)
}

// tries is how often in a row the work that a step needs may fail: on a busy machine a job may wait too long for a lock.
const tries = 20

// goTo leads everybody to a stage, and has the work done that the steps need.
func (a *app) goTo(ctx context.Context, stage flags.Stage) error {
	for failures := 0; ; {
		_, err := a.plane.Walk(ctx, control.Walk{Migration: migration.Name, To: stage, Actor: "soak", Reason: "the soak's round"})
		if err == nil {
			policy, err := a.store.Policy(ctx, migration.Name)
			if err != nil || policy.Default == stage {
				return err
			}
			continue
		}
		var refused *control.StepError
		var conflict *control.ConflictError
		switch {
		case errors.As(err, &conflict):
		case errors.As(err, &refused):
			err = a.help(ctx, refused.Blocks)
		}
		if err != nil && conflict == nil {
			if failures++; failures == tries || ctx.Err() != nil {
				return fmt.Errorf("go to %s: %w", stage, err)
			}
		}
		if err := pause(ctx, again); err != nil {
			return err
		}
	}
}

// help has the work done that the first of the reasons asks for.
func (a *app) help(ctx context.Context, blocks []control.Block) error {
	switch blocks[0].Kind {
	case control.BlockBackfill, control.BlockOldIncomplete:
		return a.job(ctx, ledger.JobBackfill)
	case control.BlockVerify:
		return a.job(ctx, ledger.JobVerify)
	case control.BlockStaleNew, control.BlockStaleOld, control.BlockFailing:
		return a.job(ctx, ledger.JobReconcile)
	case control.BlockBarrier, control.BlockUnknownPolicy:
		return nil // waiting helps
	default:
		return fmt.Errorf("nothing helps against %s", blocks[0].Text)
	}
}

// job requests work of the application's worker, and waits for its end.
func (a *app) job(ctx context.Context, kind string) error {
	id, err := a.store.RequestJob(ctx, ledger.JobRequest{Migration: migration.Name, Kind: kind, Actor: "soak"})
	var open *ledger.JobOpenError
	if errors.As(err, &open) {
		id, err = open.ID, nil
	}
	for err == nil {
		var job ledger.JobDetail
		if job, err = a.store.JobByID(ctx, id); err == nil && !job.Open() {
			if job.State != ledger.JobDone {
				return fmt.Errorf("%s %s: %s", kind, job.State, job.Error)
			}
			return nil
		}
		if err == nil {
			err = pause(ctx, again)
		}
	}
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
