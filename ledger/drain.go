package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// Holder is a session whose transaction acts on a policy.
type Holder struct {
	PID         int // zero: a prepared transaction
	Application string
	User        string
	Client      string
	State       string
	Since       time.Time // when its transaction began
}

// String returns what an operator needs to find the session.
func (h Holder) String() string {
	if h.PID == 0 {
		return "a prepared transaction: commit or roll it back"
	}
	return fmt.Sprintf("session %d (%q, user %s, %s, %s since %s)", h.PID, h.Application, h.User, h.Client, h.State, h.Since.Format(time.RFC3339))
}

// Unsettled is who may still act on policies before the one in force.
type Unsettled struct {
	// Undrained are the epochs whose transactions were not waited for yet, and
	// Unacknowledged those that a live process may act on.
	Undrained, Unacknowledged []int64
	// Processes are the live ones whose oldest policy is not the one in force.
	Processes []Process
}

// Settled reports whether nobody acts on an older policy.
func (u Unsettled) Settled() bool {
	return len(u.Undrained)+len(u.Unacknowledged)+len(u.Processes) == 0
}

// Unsettled returns who may still act on policies before the one in force.
func (s *Store) Unsettled(ctx context.Context, m Migration) (Unsettled, error) {
	operation := "look who acts on older policies of " + m.Name
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	var u Unsettled
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := s.inTx(ctx, options, func(q *ledgerdb.Queries) error {
		row, err := byName(ctx, q, m.Name)
		if err != nil {
			return err
		}
		epochs, err := q.UnsettledEpochs(ctx, m.ID)
		if err != nil {
			return fmt.Errorf("list epochs: %w", err)
		}
		for _, e := range epochs {
			if e.Undrained {
				u.Undrained = append(u.Undrained, e.Epoch)
			}
			if e.Unacknowledged {
				u.Unacknowledged = append(u.Unacknowledged, e.Epoch)
			}
		}
		state := &State{Migration: toMigration(row)}
		if err := loadProcesses(ctx, q, state); err != nil {
			return err
		}
		for _, p := range state.Processes {
			if p.Unknown || p.Epoch < row.Epoch {
				u.Processes = append(u.Processes, p)
			}
		}
		return nil
	})
	return u, wrap(operation, err)
}

// Drain waits, for the given time at most, until no transaction acts on an
// epoch, and writes that down. It reports false when some still do. It blocks
// no transaction of another epoch. The epoch must no longer be in force.
func (s *Store) Drain(ctx context.Context, m Migration, epoch int64, wait time.Duration) (bool, error) {
	operation := fmt.Sprintf("drain epoch %d of %s", epoch, m.Name)
	ctx, cancel := context.WithTimeout(ctx, wait+s.cfg.Timeout)
	defer cancel()
	if err := s.inForce(ctx, m, epoch); err != nil {
		return false, wrap(operation, err)
	}
	err := s.inTx(ctx, pgx.TxOptions{}, func(q *ledgerdb.Queries) error {
		ms := max(wait.Milliseconds(), 1) // zero would mean no limit
		if err := q.SetLockTimeout(ctx, strconv.FormatInt(ms, 10)); err != nil {
			return fmt.Errorf("set lock_timeout: %w", err)
		}
		return q.LockEpoch(ctx, ledgerdb.LockEpochParams{MigrationID: m.ID, Epoch: int32(epoch)}) //nolint:gosec // the table bounds it
	})
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "55P03" {
		return false, nil
	}
	if err == nil {
		err = s.q.MarkDrained(ctx, ledgerdb.MarkDrainedParams{MigrationID: m.ID, Epoch: epoch})
	}
	if err != nil {
		return false, wrap(operation, err)
	}
	return true, nil
}

// inForce refuses to drain the epoch in force: its lock would refuse everybody.
func (s *Store) inForce(ctx context.Context, m Migration, epoch int64) error {
	row, err := byName(ctx, s.q, m.Name)
	if err != nil {
		return err
	}
	if epoch >= row.Epoch {
		return &InputError{Operation: "drain", Problem: fmt.Sprintf("epoch %d of %s is in force", epoch, m.Name)}
	}
	return nil
}

// Holders returns the sessions whose transactions act on an epoch.
func (s *Store) Holders(ctx context.Context, m Migration, epoch int64) ([]Holder, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	rows, err := s.q.EpochHolders(ctx, ledgerdb.EpochHoldersParams{MigrationID: m.ID, Epoch: epoch})
	if err != nil {
		return nil, wrap(fmt.Sprintf("find who holds epoch %d of %s", epoch, m.Name), err)
	}
	all := make([]Holder, len(rows))
	for i, r := range rows {
		all[i] = Holder{PID: int(r.Pid), Application: r.Application, User: r.Username, Client: r.Client, State: r.State, Since: utc(r.Since)}
	}
	return all, nil
}

// Terminate ends the sessions of the holders; a prepared transaction stays. A session that is gone already
// is no error. The user needs the sessions' role or pg_signal_backend.
func (s *Store) Terminate(ctx context.Context, holders []Holder) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	for _, h := range holders {
		if h.PID == 0 {
			continue // a prepared transaction is nobody's session
		}
		if _, err := s.q.Terminate(ctx, int32(h.PID)); err != nil { //nolint:gosec // process ids are small
			return wrap(fmt.Sprintf("terminate session %d", h.PID), err)
		}
	}
	return nil
}
