package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crossfade-db/crossfade/ledger"
)

const (
	// workerLease is after how long without a sign of life a worker's job is
	// taken over by another, unless it was configured otherwise.
	workerLease = 15 * time.Second
	// plainEvery is the time between two lines where there is no terminal.
	plainEvery = 3 * time.Second
)

// following is a job that is being followed.
type following struct {
	app   *app
	store *ledger.Store
	id    int64
	line  *line
	began time.Time
	seen  time.Time // when the ledger answered last
	said  bool      // that nobody takes the job
	last  ledger.JobDetail
}

// follow shows how a job goes on until it ends.
func (a *app) follow(ctx context.Context, store *ledger.Store, id int64, f *jobFlags) error {
	watching, stop := ctx, context.CancelFunc(func() {})
	if f.timeout > 0 {
		watching, stop = context.WithTimeoutCause(ctx, f.timeout, errTimeout)
	}
	defer stop()
	now := a.now()
	w := &following{app: a, store: store, id: id, line: a.line(plainEvery), began: now, seen: now}
	defer w.line.clear()
	for {
		err := w.look(watching)
		switch {
		case err == nil && !w.last.Open():
			return w.ended()
		case err == nil:
			err = pause(watching, a.poll)
		}
		if watching.Err() != nil {
			return w.left(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// look asks for the job and shows it. A server that is away for a while is
// waited for.
func (w *following) look(ctx context.Context) error {
	job, err := w.store.JobByID(ctx, w.id)
	now := w.app.now()
	if err != nil {
		server, ok := errors.AsType[*ledger.ServerError](err)
		if !ok || now.Sub(w.seen) >= w.app.outage || ctx.Err() != nil {
			return fmt.Errorf("stopped following job %d, which may go on: %w", w.id, err)
		}
		if !w.app.json {
			w.line.pass(fmt.Sprintf("job %d: %s", w.id, server.Problem))
		}
		w.last.State = ledger.JobRunning // as far as is known
		return nil
	}
	changed := toJob(job).progress() != toJob(w.last).progress()
	w.seen, w.last = now, job
	if !job.Open() {
		return nil
	}
	if job.State == ledger.JobRequested && !w.said && now.Sub(w.began) >= w.app.patience {
		w.said = true
		w.nobody()
	}
	switch {
	case w.app.json && changed:
		w.app.event(jobEvent{"progress", toJob(job)})
	case !w.app.json:
		w.line.pass(jobText(job) + silence(job, now))
	}
	return nil
}

// nobody says that no worker takes the job.
func (w *following) nobody() {
	text := fmt.Sprintf("no worker has taken %s job %d yet: is one running? The application's program embeds it, as"+
		" backfill.New(db, cfg, entities...).Run(ctx), with an entity for %s", w.last.Kind, w.id, w.last.Migration)
	w.line.clear()
	w.app.note("%s", text)
}

// silence says that the worker gives no sign of life.
func silence(j ledger.JobDetail, now time.Time) string {
	if j.State != ledger.JobRunning || j.HeartbeatAt == nil || now.Sub(*j.HeartbeatAt) < workerLease {
		return ""
	}
	return fmt.Sprintf("; no sign of life of its worker for %s: another one takes over", short(now.Sub(*j.HeartbeatAt)))
}

// left says that the job goes on without being followed.
func (w *following) left(ctx context.Context) error {
	kind, migration := w.last.Kind, w.last.Migration
	text := fmt.Sprintf("stopped following, not the job: %s job %d goes on", kind, w.id)
	if migration == "" { // not even one look
		text = fmt.Sprintf("stopped following, not the job: job %d goes on", w.id)
	} else {
		text += fmt.Sprintf(": `crossfade %[1]s %[2]s --follow` shows it, `crossfade %[1]s %[2]s --cancel` ends it", kind, migration)
	}
	if ctx.Err() != nil {
		return &interruptedError{text}
	}
	return &waitingError{text}
}

// ended shows how the job ended, and returns what that means.
func (w *following) ended() error {
	j := w.last
	if w.app.json {
		w.app.event(jobEvent{"result", toJob(j)})
	} else {
		w.line.keep(inLine(jobText(j)))
	}
	switch {
	case j.Kind == ledger.JobVerify && j.Differing > 0:
		text := fmt.Sprintf("%s: %s: `crossfade mismatches %s --operation %s` shows them", j.Migration, differText(j.Differing), j.Migration, ledger.VerifyOperation)
		if j.State == ledger.JobFailed {
			text += "; " + j.Error
		}
		return &differsError{text}
	case j.State == ledger.JobDone:
		return nil
	case j.State == ledger.JobCancelled:
		return fmt.Errorf("%s job %d was cancelled: `crossfade %s %s --resume %d` goes on with it", j.Kind, j.ID, j.Kind, j.Migration, j.ID)
	}
	return fmt.Errorf("%s job %d failed: %s; mend that, then `crossfade %s %s --resume %d` goes on with it", j.Kind, j.ID, j.Error, j.Kind, j.Migration, j.ID)
}

func differText(keys int64) string {
	if keys == 1 {
		return "1 key differs"
	}
	return grouped(keys) + " keys differ"
}
