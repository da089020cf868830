package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// Kinds of jobs.
const (
	// JobBackfill copies every key from the side with authority to the other.
	JobBackfill = "backfill"
	// JobVerify compares both sides over every key.
	JobVerify = "verify"
	// JobReconcile copies the stale keys, those that failed before too.
	JobReconcile = "reconcile"
)

// States of jobs.
const (
	JobRequested = "requested"
	JobRunning   = "running"
	JobDone      = "done"
	JobFailed    = "failed"
	JobCancelled = "cancelled"
)

// JobRequest asks for work on the data, which a worker that some program of
// the fleet embeds will do.
type JobRequest struct {
	Migration string
	Kind      string   // JobBackfill, JobVerify or JobReconcile
	Tenants   []string // none means every tenant
	Actor     string
	Reason    string
}

// JobDetail is a job with all that is known about it.
type JobDetail struct {
	Job
	Migration   string
	Reason      string
	RequestedAt time.Time
	StartedAt   *time.Time
	HeartbeatAt *time.Time // of the worker that runs it
	FinishedAt  *time.Time
	// Epoch is the newest policy that the job acted on.
	Epoch int64
	// KeysChanged are keys that were written, Differing those on which the
	// sides disagree, Inconclusive those about which nothing could be said.
	KeysChanged, Differing, Inconclusive int64
	// WaitingFor says what a running job waits for; empty when it does not.
	WaitingFor string
	// Error says why the job failed or was cancelled.
	Error string
}

// Open reports whether the job is requested or running.
func (j JobDetail) Open() bool { return j.State == JobRequested || j.State == JobRunning }

// Remaining estimates how long the job still runs, from its rate so far; ok is
// false while nothing can be said. KeysAll is itself an estimate while tenants
// are outstanding.
func (j JobDetail) Remaining(now time.Time) (left time.Duration, ok bool) {
	if j.State != JobRunning || j.StartedAt == nil || j.KeysDone == 0 || j.KeysAll == 0 {
		return 0, false
	}
	spent := now.Sub(*j.StartedAt)
	if spent <= 0 {
		return 0, false
	}
	return time.Duration(float64(spent) * float64(max(0, j.KeysAll-j.KeysDone)) / float64(j.KeysDone)), true
}

// JobOpenError says that a job of the kind is requested or running already.
type JobOpenError struct {
	Migration string
	Kind      string
	ID        int64
}

func (e *JobOpenError) Error() string {
	return fmt.Sprintf("%s: %s job %d is open: wait for it or cancel it", e.Migration, e.Kind, e.ID)
}

// UnknownJobError says that the ledger holds no such job.
type UnknownJobError struct{ ID int64 }

func (e *UnknownJobError) Error() string { return fmt.Sprintf("job %d is not in the ledger", e.ID) }

// JobStateError says that a job is in a state in which it cannot be changed so.
type JobStateError struct {
	ID    int64
	State string
	Verb  string
}

func (e *JobStateError) Error() string {
	return fmt.Sprintf("cannot %s job %d: it is %s", e.Verb, e.ID, e.State)
}

// RequestJob asks for a job and returns its number. There is one open job of a
// kind at a time; another is a [*JobOpenError].
func (s *Store) RequestJob(ctx context.Context, r JobRequest) (int64, error) {
	operation := fmt.Sprintf("request a %s job of %s", r.Kind, r.Migration)
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	switch {
	case r.Kind != JobBackfill && r.Kind != JobVerify && r.Kind != JobReconcile:
		return 0, &InputError{Operation: operation, Problem: "the kind is none of backfill, verify, reconcile"}
	case slices.Contains(r.Tenants, ""):
		return 0, &InputError{Operation: operation, Problem: "a tenant has no name: leave all out to mean every tenant"}
	case strings.TrimSpace(r.Actor) == "":
		return 0, &InputError{Operation: operation, Problem: "say who asks for it"}
	}
	m, err := byName(ctx, s.q, r.Migration)
	if err != nil {
		return 0, wrap(operation, err)
	}
	tenants := slices.Compact(slices.Sorted(slices.Values(r.Tenants)))
	if tenants == nil {
		tenants = []string{}
	}
	id, err := s.q.RequestJob(ctx, ledgerdb.RequestJobParams{
		MigrationID: m.ID, Kind: r.Kind, Tenants: tenants, RequestedBy: r.Actor, Reason: r.Reason,
	})
	if violates(err, "jobs_one_at_a_time") {
		open, oerr := s.q.OpenJobOfKind(ctx, ledgerdb.OpenJobOfKindParams{MigrationID: m.ID, Kind: r.Kind})
		if oerr == nil {
			return 0, &JobOpenError{Migration: r.Migration, Kind: r.Kind, ID: open}
		}
	}
	return id, wrap(operation, err)
}

func violates(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.ConstraintName == constraint
}

// JobByID returns one job, or an [*UnknownJobError].
func (s *Store) JobByID(ctx context.Context, id int64) (JobDetail, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	row, err := s.q.JobByID(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return JobDetail{}, &UnknownJobError{ID: id}
	}
	if err != nil {
		return JobDetail{}, wrap(fmt.Sprintf("read job %d", id), err)
	}
	return toJobDetail(row.Job, row.Migration), nil
}

// JobsOf lists the jobs of a migration, newest first; limit zero means 100.
func (s *Store) JobsOf(ctx context.Context, migration string, limited int) ([]JobDetail, error) {
	operation := "list the jobs of " + migration
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	m, err := byName(ctx, s.q, migration)
	if err != nil {
		return nil, wrap(operation, err)
	}
	rows, err := s.q.JobsOf(ctx, ledgerdb.JobsOfParams{MigrationID: m.ID, UpTo: limit(limited)})
	if err != nil {
		return nil, wrap(operation, err)
	}
	all := make([]JobDetail, len(rows))
	for i, r := range rows {
		all[i] = toJobDetail(r.Job, r.Migration)
	}
	return all, nil
}

func toJobDetail(r ledgerdb.Job, migration string) JobDetail {
	return JobDetail{
		Job: Job{
			ID: r.ID, Kind: r.Kind, Tenants: r.Tenants, State: r.State, RequestedBy: r.RequestedBy,
			TenantsDone: r.TenantsDone, TenantsAll: r.TenantsAll, KeysDone: r.KeysDone, KeysAll: r.KeysAll,
		},
		Migration: migration, Reason: r.Reason, RequestedAt: utc(r.RequestedAt), StartedAt: utcPointer(r.StartedAt),
		HeartbeatAt: utcPointer(r.HeartbeatAt), FinishedAt: utcPointer(r.FinishedAt), Epoch: r.Epoch,
		KeysChanged: r.KeysChanged, Differing: r.Differing, Inconclusive: r.Inconclusive,
		WaitingFor: r.WaitingFor, Error: r.Error,
	}
}

// CancelJob stops a requested or running job within a chunk of its work. What
// was copied stays copied; [Store.ResumeJob] goes on from there.
func (s *Store) CancelJob(ctx context.Context, id int64, actor, reason string) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	text := "cancelled by " + actor
	if reason != "" {
		text += ": " + reason
	}
	changed, err := s.q.CancelJob(ctx, ledgerdb.CancelJobParams{ID: id, Error: text})
	return s.jobChanged(ctx, id, "cancel", changed, err)
}

// ResumeJob requests a cancelled or failed job again: it goes on from its
// checkpoints.
func (s *Store) ResumeJob(ctx context.Context, id int64) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	changed, err := s.q.ResumeJob(ctx, id)
	if violates(err, "jobs_one_at_a_time") {
		if row, rerr := s.q.JobByID(ctx, id); rerr == nil {
			open, oerr := s.q.OpenJobOfKind(ctx, ledgerdb.OpenJobOfKindParams{MigrationID: row.Job.MigrationID, Kind: row.Job.Kind})
			if oerr == nil {
				return &JobOpenError{Migration: row.Migration, Kind: row.Job.Kind, ID: open}
			}
		}
	}
	return s.jobChanged(ctx, id, "resume", changed, err)
}

func (s *Store) jobChanged(ctx context.Context, id int64, verb string, changed int64, err error) error {
	if err != nil {
		return wrap(fmt.Sprintf("%s job %d", verb, id), err)
	}
	if changed > 0 {
		return nil
	}
	job, err := s.JobByID(ctx, id)
	if err != nil {
		return err
	}
	return &JobStateError{ID: id, State: job.State, Verb: verb}
}
