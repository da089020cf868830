package walk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/progress"
	"github.com/crossfade-db/crossfade/ledger"
)

// jobTries is how often a job that failed is requested again.
const jobTries = 5

// job requests work on the data from the workers that the application embeds, and waits for its end. A job of the kind that is
// open already, as after a kill of this process, is waited for instead.
func (w *Walk) job(ctx context.Context, kind string) (ledger.JobDetail, error) {
	id, err := w.Ledger.RequestJob(ctx, ledger.JobRequest{Migration: w.Migration.Name, Kind: kind, Actor: actor, Reason: "the walk"})
	var open *ledger.JobOpenError
	if errors.As(err, &open) {
		id, err = open.ID, nil
	}
	if err != nil {
		return ledger.JobDetail{}, err
	}
	for tries := 1; ; {
		if err := pause(ctx, retryAfter); err != nil {
			return ledger.JobDetail{}, err
		}
		job, err := w.Ledger.JobByID(ctx, id)
		switch {
		case err != nil:
			return job, err
		case job.State == ledger.JobDone:
			w.Say("%s: %d keys, %d written, %d differing, in %s", kind, job.KeysDone, job.KeysChanged, job.Differing, took(job))
			return job, nil
		case job.Open():
			continue
		case tries == jobTries:
			return job, fmt.Errorf("%s job %d %s: %s", kind, id, job.State, job.Error)
		}
		w.Say("%s job %d %s and is resumed: %s", kind, id, job.State, job.Error)
		tries++
		if err := w.Ledger.ResumeJob(ctx, id); err != nil {
			return job, err
		}
	}
}

func took(job ledger.JobDetail) time.Duration {
	if job.StartedAt == nil || job.FinishedAt == nil {
		return 0
	}
	return job.FinishedAt.Sub(*job.StartedAt).Round(10 * time.Millisecond)
}

// prove verifies that both sides are equal.
func (w *Walk) prove(ctx context.Context) error {
	job, err := w.job(ctx, ledger.JobVerify)
	if err == nil && job.Differing > 0 {
		err = fmt.Errorf("%d keys differ between the sides", job.Differing)
	}
	return err
}

// watch waits until shadow reads have found the planted fault, and shows what they found.
func (w *Walk) watch(ctx context.Context) error {
	const enough, shown = 3, 5
	ctx, cancel := context.WithTimeoutCause(ctx, maxTrafficWait, errors.New("shadow reads did not find the planted fault"))
	defer cancel()
	for {
		found, err := w.Ledger.Mismatches(ctx, w.Migration.Name, ledger.MismatchFilter{})
		if err != nil {
			return err
		}
		if len(found) >= enough {
			for _, m := range found[:min(shown, len(found))] {
				w.Say("mismatch in %s of key %s, seen %d times at %s:\n    %-12s served %s\n    %-12s other  %s",
					m.Operation, m.Key, m.Count, m.Stage, m.Field, m.Served, "", m.Other)
			}
			w.Say("%d mismatches are confirmed: stepping down", len(found))
			return w.Progress.SetFault(ctx, progress.FaultFound)
		}
		if err := pause(ctx, retryAfter); err != nil {
			return err
		}
	}
}

// count verifies both sides to learn how many keys the fault damaged: many more than were read.
func (w *Walk) count(ctx context.Context) error {
	job, err := w.job(ctx, ledger.JobVerify)
	if err != nil {
		return err
	}
	return w.Progress.AddRepaired(ctx, job.Differing, progress.FaultCounted)
}

// repair copies the keys again. The verification that follows proves that it helped.
func (w *Walk) repair(ctx context.Context) error {
	if _, err := w.job(ctx, ledger.JobBackfill); err != nil {
		return err
	}
	if _, err := w.Ledger.ResolveMismatches(ctx, w.Migration.Name, ledger.MismatchFilter{}); err != nil {
		return err
	}
	return w.Progress.SetFault(ctx, progress.FaultRepaired)
}
