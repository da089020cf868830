package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// DBTX is what statements of a caller's own transaction run on.
type DBTX interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// ErrJobLost says that a job was cancelled, or that another process runs it by
// now: stop at once.
var ErrJobLost = errors.New("the job was cancelled or taken over")

// Claim names a job and the process that runs it.
type Claim struct {
	Job     int64
	Process [16]byte
}

// ClaimJob takes the oldest job of the migrations that is requested, or whose
// worker gave no heartbeat for longer than the lease, and makes it the
// process's. Jobs in busy are left out. It reports false when there is none.
func (s *Store) ClaimJob(
	ctx context.Context, process [16]byte, lease time.Duration, migrations []string, busy []int64,
) (JobDetail, bool, error) {
	const operation = "claim a job"
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	if busy == nil {
		busy = []int64{}
	}
	id, err := s.q.ClaimJob(ctx, ledgerdb.ClaimJobParams{
		ProcessID: toUUID(process), LeaseSeconds: lease.Seconds(), Migrations: migrations, Busy: busy,
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return JobDetail{}, false, nil
	}
	if err != nil {
		return JobDetail{}, false, wrap(operation, err)
	}
	job, err := s.JobByID(ctx, id)
	return job, err == nil, err
}

// JobProgress is what a worker tells about a job besides its checkpoints.
type JobProgress struct {
	Epoch      int64
	TenantsAll int64
	WaitingFor string
}

// BeatJob renews a claim and writes the job's progress, summed up from its
// checkpoints, or returns [ErrJobLost].
func (s *Store) BeatJob(ctx context.Context, c Claim, p JobProgress) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	changed, err := s.q.JobProgress(ctx, ledgerdb.JobProgressParams{
		ID: c.Job, ProcessID: toUUID(c.Process), Epoch: p.Epoch, TenantsAll: p.TenantsAll, WaitingFor: p.WaitingFor,
	})
	return stillOurs(fmt.Sprintf("report the progress of job %d", c.Job), changed, err)
}

// FinishJob ends a job as done, or as failed with a text that holds no values
// of the application, or returns [ErrJobLost].
func (s *Store) FinishJob(ctx context.Context, c Claim, failure string) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	state := JobDone
	if failure != "" {
		state = JobFailed
	}
	changed, err := s.q.FinishJob(ctx, ledgerdb.FinishJobParams{ID: c.Job, ProcessID: toUUID(c.Process), State: state, Error: failure})
	return stillOurs(fmt.Sprintf("finish job %d", c.Job), changed, err)
}

// ReleaseJob gives a job back, for another worker to go on with.
func (s *Store) ReleaseJob(ctx context.Context, c Claim) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	changed, err := s.q.ReleaseJob(ctx, ledgerdb.ReleaseJobParams{ID: c.Job, ProcessID: toUUID(c.Process)})
	return stillOurs(fmt.Sprintf("release job %d", c.Job), changed, err)
}

func stillOurs(operation string, changed int64, err error) error {
	if err != nil {
		return wrap(operation, err)
	}
	if changed == 0 {
		return fmt.Errorf("%s: %w", operation, ErrJobLost)
	}
	return nil
}

// Checkpoint is where a job stands in one tenant.
type Checkpoint struct {
	Tenant string
	Phase  string
	// Cursor is the last key that was passed, Bound the key at which the walk ends.
	Cursor, Bound string
	Done          bool
	// Epoch is the policy under which the checkpoint was written.
	Epoch                                                   int64
	KeysAll, KeysDone, KeysChanged, Differing, Inconclusive int64
}

// Checkpoints returns the checkpoints of a job by tenant.
func (s *Store) Checkpoints(ctx context.Context, job int64) (map[string]Checkpoint, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	rows, err := s.q.CheckpointsOf(ctx, job)
	if err != nil {
		return nil, wrap(fmt.Sprintf("read the checkpoints of job %d", job), err)
	}
	all := make(map[string]Checkpoint, len(rows))
	for _, r := range rows {
		all[r.Tenant] = Checkpoint{
			Tenant: r.Tenant, Phase: r.Phase, Cursor: r.Cursor, Bound: r.Bound, Done: r.Done, Epoch: r.Epoch,
			KeysAll: r.KeysAll, KeysDone: r.KeysDone, KeysChanged: r.KeysChanged, Differing: r.Differing, Inconclusive: r.Inconclusive,
		}
	}
	return all, nil
}

// SaveCheckpoint writes a checkpoint in a transaction of the caller's: that of
// the chunk which it vouches for. A job that the process no longer runs is
// [ErrJobLost]: roll back.
func SaveCheckpoint(ctx context.Context, tx DBTX, c Claim, at Checkpoint) error {
	changed, err := ledgerdb.New(tx).SaveCheckpoint(ctx, ledgerdb.SaveCheckpointParams{
		JobID: c.Job, ProcessID: toUUID(c.Process), Tenant: at.Tenant, Phase: at.Phase, Cursor: at.Cursor, Bound: at.Bound,
		Done: at.Done, Epoch: at.Epoch, KeysAll: at.KeysAll, KeysDone: at.KeysDone, KeysChanged: at.KeysChanged,
		Differing: at.Differing, Inconclusive: at.Inconclusive,
	})
	return stillOurs(fmt.Sprintf("save the checkpoint of job %d", c.Job), changed, err)
}

// PoliciesBetween returns the policies that followed one epoch, up to and with
// another, by epoch.
func (s *Store) PoliciesBetween(ctx context.Context, m Migration, after, upTo int64) ([]flags.Policy, error) {
	operation := "read the policies of " + m.Name
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	rows, err := s.q.PoliciesBetween(ctx, ledgerdb.PoliciesBetweenParams{MigrationID: m.ID, After: after, UpTo: upTo})
	if err != nil {
		return nil, wrap(operation, err)
	}
	overrides, err := s.q.OverridesSince(ctx, ledgerdb.OverridesSinceParams{MigrationID: m.ID, Epoch: after})
	if err != nil {
		return nil, wrap(operation, err)
	}
	all := make([]flags.Policy, len(rows))
	for i, r := range rows {
		p := flags.Policy{Migration: m.Name, Epoch: r.Epoch, ID: policyID(r.PolicyID), Salt: m.Salt, Overrides: map[string]flags.Stage{}}
		if p.Default, p.Step, err = parseStages(r.DefaultStage, r.StepTo, r.StepShare, r.StepOf); err != nil {
			return nil, wrap(operation, fmt.Errorf("epoch %d: %w", r.Epoch, err))
		}
		for _, o := range overrides {
			if o.SinceEpoch > p.Epoch || (o.UntilEpoch != nil && *o.UntilEpoch <= p.Epoch) {
				continue
			}
			if p.Overrides[o.Tenant], err = flags.ParseStage(o.Stage); err != nil {
				return nil, wrap(operation, fmt.Errorf("override of tenant %q: %w", o.Tenant, err))
			}
		}
		all[i] = p
	}
	return all, nil
}
