package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// States of ramps.
const (
	RampRunning = "running"
	RampPaused  = "paused"
	RampDone    = "done"
	RampAborted = "aborted"
)

// Phases of a ramp's step.
const (
	RampDue      = "due"      // the step is to be taken
	RampSettling = "settling" // it was taken, and somebody may act on an older policy
	RampHolding  = "holding"  // it is settled, and held
)

// KindRamp is the kind of the history entries about ramps.
const KindRamp = "ramp"

// Ramp is a plan that the controller walks, and where it stands.
type Ramp struct {
	ID     int64
	Plan   []byte // JSON; package control says what is in it
	Author string
	Reason string
	// From is the stage of those whom no override names when the ramp began.
	From      flags.Stage
	CreatedAt time.Time
	RampPlace
	UpdatedAt  time.Time
	FinishedAt *time.Time
	// SettledAt is when the step that is held was settled, by the server's clock.
	SettledAt *time.Time
}

// RampPlace is where a ramp stands.
type RampPlace struct {
	State string
	// Step counts from zero: the step that is due, settling or held.
	Step  int
	Phase string
	// TakenAt is when the step was taken, Held for how long the controller saw
	// it hold, TickedAt when it looked last (nil after a pause), and Samples
	// what was measured since it settled.
	TakenAt  *time.Time
	Held     time.Duration
	TickedAt *time.Time
	Samples  int64
	// WaitingFor says what the ramp waits for.
	WaitingFor string
}

// Open reports whether the ramp is running or paused.
func (r Ramp) Open() bool { return r.State == RampRunning || r.State == RampPaused }

// RampOpenError says that a ramp is in progress already.
type RampOpenError struct {
	Migration string
	ID        int64
	Author    string
}

func (e *RampOpenError) Error() string {
	return fmt.Sprintf("%s: ramp %d of %s is in progress: abort it first", e.Migration, e.ID, e.Author)
}

// RampStateError says that there is no ramp in a state in which it can be
// changed so.
type RampStateError struct{ Migration, Verb, State string }

func (e *RampStateError) Error() string {
	if e.State == "" {
		return fmt.Sprintf("%s: there is no ramp to %s", e.Migration, e.Verb)
	}
	return fmt.Sprintf("%s: cannot %s the ramp: it is %s", e.Migration, e.Verb, e.State)
}

// StartRamp stores a plan for the controller to walk, and returns its number.
// Where a ramp is in progress it returns a [*RampOpenError].
func (s *Store) StartRamp(ctx context.Context, migration string, plan []byte, from flags.Stage, author, reason string) (int64, error) {
	operation := "start a ramp of " + migration
	var id int64
	err := s.noted(ctx, migration, Entry{Actor: author, Reason: reason, Kind: KindRamp},
		func(ctx context.Context, q *ledgerdb.Queries, m ledgerdb.Migration, e *Entry) error {
			open, err := q.OpenRamp(ctx, m.ID)
			if err == nil {
				return &RampOpenError{Migration: migration, ID: open.ID, Author: open.Author}
			}
			if !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			id, err = q.StartRamp(ctx, ledgerdb.StartRampParams{
				MigrationID: m.ID, Plan: plan, Author: author, Reason: reason, FromStage: from.String(),
			})
			if violates(err, "ramps_one_at_a_time") {
				return &RampOpenError{Migration: migration, Author: "somebody else"}
			}
			e.To = fmt.Sprintf("ramp %d started", id)
			return err
		})
	return id, wrap(operation, err)
}

// SetRampState pauses, resumes or aborts the ramp in progress, and returns it
// as it was. A [*RampStateError] says why not.
func (s *Store) SetRampState(ctx context.Context, migration, to, actor, reason string) (Ramp, error) {
	verb := map[string]string{RampPaused: "pause", RampRunning: "resume", RampAborted: "abort"}[to]
	from := map[string][]string{RampPaused: {RampRunning}, RampRunning: {RampPaused}, RampAborted: {RampRunning, RampPaused}}[to]
	operation := verb + " the ramp of " + migration
	if verb == "" {
		return Ramp{}, &InputError{Operation: operation, Problem: fmt.Sprintf("%q is no state to bring a ramp to", to)}
	}
	var ramp Ramp
	err := s.noted(ctx, migration, Entry{Actor: actor, Reason: reason, Kind: KindRamp},
		func(ctx context.Context, q *ledgerdb.Queries, m ledgerdb.Migration, e *Entry) error {
			row, err := q.OpenRamp(ctx, m.ID)
			if errors.Is(err, pgx.ErrNoRows) {
				return &RampStateError{Migration: migration, Verb: verb}
			}
			if err != nil {
				return err
			}
			if ramp, err = toRamp(row); err != nil {
				return err
			}
			changed, err := q.SetRampState(ctx, ledgerdb.SetRampStateParams{ID: row.ID, State: to, Expected: from})
			if err == nil && changed == 0 {
				return &RampStateError{Migration: migration, Verb: verb, State: row.State}
			}
			e.From, e.To = fmt.Sprintf("ramp %d %s", row.ID, row.State), to
			return err
		})
	return ramp, wrap(operation, err)
}

// SaveRamp writes where a running ramp stands, by whom the ramp's duty is
// held. before is the place that was read: where the ramp has been paused or
// has moved since, nothing is written and the answer is false. settle sets
// SettledAt to now, and an entry with a kind goes into the history.
func (s *Store) SaveRamp(ctx context.Context, d Duty, m Migration, id int64, before, now RampPlace, settle bool, e Entry) (bool, error) {
	saved := false
	err := s.onDuty(ctx, d, func(q *ledgerdb.Queries) (err error) {
		saved, err = saveRamp(ctx, q, m, RampMove{ID: id, Before: before, After: now, Settle: settle, Entry: e})
		return err
	})
	return saved, wrap("write down the ramp of "+m.Name, err)
}

// RampMove is a change of a ramp's place that is written with a policy.
type RampMove struct {
	ID            int64
	Before, After RampPlace
	Settle        bool
	Entry         Entry
}

func saveRamp(ctx context.Context, q *ledgerdb.Queries, m Migration, r RampMove) (bool, error) {
	rows, err := q.SaveRamp(ctx, ledgerdb.SaveRampParams{
		ID: r.ID, State: r.After.State, Step: int32(r.After.Step), Phase: r.After.Phase, //nolint:gosec // plans have few steps
		TakenAt: r.After.TakenAt, Settle: r.Settle, HeldSecs: r.After.Held.Seconds(), TickedAt: r.After.TickedAt,
		Samples: r.After.Samples, WaitingFor: r.After.WaitingFor,
		ExpectedStep: int32(r.Before.Step), ExpectedPhase: r.Before.Phase, //nolint:gosec // plans have few steps
	})
	if err != nil || rows == 0 {
		return false, err
	}
	if r.Entry.Kind != "" {
		r.Entry.Epoch = m.Epoch
		err = insertHistory(ctx, q, m.ID, []Entry{r.Entry})
	}
	return err == nil, err
}

// LastRamp returns the ramp in progress, or the last one; false without any.
func (s *Store) LastRamp(ctx context.Context, m Migration) (Ramp, bool, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	row, err := s.q.LastRamp(ctx, m.ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return Ramp{}, false, nil
	}
	if err != nil {
		return Ramp{}, false, wrap("read the ramp of "+m.Name, err)
	}
	ramp, err := toRamp(row)
	return ramp, true, err
}

func toRamp(r ledgerdb.Ramp) (Ramp, error) {
	from, err := flags.ParseStage(r.FromStage)
	if err != nil {
		return Ramp{}, err
	}
	return Ramp{
		ID: r.ID, Plan: r.Plan, Author: r.Author, Reason: strings.TrimSpace(r.Reason), From: from, CreatedAt: utc(r.CreatedAt),
		RampPlace: RampPlace{
			State: r.State, Step: int(r.Step), Phase: r.Phase, TakenAt: utcPointer(r.TakenAt),
			Held: time.Duration(r.HeldSecs * float64(time.Second)), TickedAt: utcPointer(r.TickedAt), Samples: r.Samples, WaitingFor: r.WaitingFor,
		},
		UpdatedAt: utc(r.UpdatedAt), FinishedAt: utcPointer(r.FinishedAt), SettledAt: utcPointer(r.SettledAt),
	}, nil
}
