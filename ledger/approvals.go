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

// Kinds of the history entries about approvals.
const (
	KindProtect = "protect"
	KindApprove = "approve"
)

// Protection says that a stage is entered upwards only with the approval of
// another person than the one who asks for the step.
type Protection struct {
	Stage flags.Stage
	Actor string
	At    time.Time
}

// Approval lets steps up into a stage through.
type Approval struct {
	ID    int64
	Stage flags.Stage
	// Ramp and Step name the step of a ramp that is approved; both zero where
	// the stage is meant.
	Ramp   int64
	Step   int
	Actor  string
	Reason string
	At     time.Time
	Until  *time.Time // nil: while the ramp goes on
}

// SamePerson reports whether two actors are one person: what stands before the
// '@' counts, in either case of the letters, as ann@laptop is ann on another
// host. Actors without a name are one, as nobody can tell them apart.
//
// It keeps people from approving their own steps by mistake or in haste, and it
// cannot do more: names are what people say they are, whoever may write to the
// ledger may say another one, and two people of one name are taken for one.
// Where approvals must stand against those who mean to go around them, give each
// person a role of the ledger's database, or let only a service that knows its
// callers write approvals. A step that wishes ask for is asked for by crossfade,
// so that anybody may approve it, those who wished for it as well.
func SamePerson(a, b string) bool { return strings.EqualFold(person(a), person(b)) }

func person(actor string) string {
	name, _, _ := strings.Cut(actor, "@")
	return strings.TrimSpace(name)
}

// Protect makes a stage need an approval, or no longer. It reports whether that
// changed anything.
func (s *Store) Protect(ctx context.Context, migration string, stage flags.Stage, on bool, actor, reason string) (changed bool, err error) {
	operation := "protect " + stage.String() + " of " + migration
	if !stage.Valid() || stage == flags.Old {
		return false, &InputError{Operation: operation, Problem: "nobody steps up into that"}
	}
	e := Entry{Actor: actor, Reason: reason, Kind: KindProtect, To: stage.String() + " needs an approval"}
	if !on {
		e.To = stage.String() + " needs no approval"
	}
	err = s.noted(ctx, migration, e, func(ctx context.Context, q *ledgerdb.Queries, m ledgerdb.Migration, e *Entry) error {
		var rows int64
		var err error
		if on {
			rows, err = q.Protect(ctx, ledgerdb.ProtectParams{MigrationID: m.ID, Stage: stage.String(), Actor: actor})
		} else {
			rows, err = q.Unprotect(ctx, ledgerdb.UnprotectParams{MigrationID: m.ID, Stage: stage.String()})
		}
		if changed = rows > 0; !changed {
			e.Kind = ""
		}
		return err
	})
	return changed, wrap(operation, err)
}

// Approve approves steps up into a stage for a while.
func (s *Store) Approve(ctx context.Context, migration string, stage flags.Stage, lasts time.Duration, actor, reason string) error {
	operation := "approve " + stage.String() + " of " + migration
	if !stage.Valid() || stage == flags.Old || lasts <= 0 {
		return &InputError{Operation: operation, Problem: "name a stage above old, and a time that is more than zero"}
	}
	e := Entry{Actor: actor, Reason: reason, Kind: KindApprove, To: fmt.Sprintf("%s for %s", stage, lasts)}
	return wrap(operation, s.noted(ctx, migration, e, func(ctx context.Context, q *ledgerdb.Queries, m ledgerdb.Migration, _ *Entry) error {
		_, err := q.AddApproval(ctx, ledgerdb.AddApprovalParams{
			MigrationID: m.ID, Stage: stage.String(), Actor: actor, Reason: reason, ForSeconds: lasts.Seconds(),
		})
		return err
	}))
}

// ApproveRampStep approves one step of the ramp in progress, for as long as the
// ramp goes on. The ramp's author is refused with an [*InputError].
func (s *Store) ApproveRampStep(ctx context.Context, migration string, ramp int64, step int, stage flags.Stage, actor, reason string) error {
	operation := fmt.Sprintf("approve step %d of ramp %d of %s", step+1, ramp, migration)
	e := Entry{Actor: actor, Reason: reason, Kind: KindApprove, To: fmt.Sprintf("step %d of ramp %d", step+1, ramp)}
	return wrap(operation, s.noted(ctx, migration, e, func(ctx context.Context, q *ledgerdb.Queries, m ledgerdb.Migration, _ *Entry) error {
		row, err := q.OpenRamp(ctx, m.ID)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && row.ID != ramp {
			return &InputError{Operation: operation, Problem: "that ramp is over"}
		}
		if err != nil {
			return err
		}
		if SamePerson(row.Author, actor) {
			return &InputError{Operation: operation, Problem: fmt.Sprintf("%s started the ramp: another person approves it", row.Author)}
		}
		n := int32(step) //nolint:gosec // plans have few steps
		_, err = q.AddApproval(ctx, ledgerdb.AddApprovalParams{
			MigrationID: m.ID, Stage: stage.String(), RampID: &ramp, RampStep: &n, Actor: actor, Reason: reason,
		})
		return err
	}))
}

func protectionsOf(ctx context.Context, q *ledgerdb.Queries, migration int32) ([]Protection, error) {
	rows, err := q.ProtectionsOf(ctx, migration)
	if err != nil {
		return nil, fmt.Errorf("read protected stages: %w", err)
	}
	var all []Protection
	for _, r := range rows {
		stage, err := flags.ParseStage(r.Stage)
		if err != nil {
			return nil, err
		}
		all = append(all, Protection{Stage: stage, Actor: r.Actor, At: utc(r.At)})
	}
	return all, nil
}

func approvalsOf(ctx context.Context, q *ledgerdb.Queries, migration int32) ([]Approval, error) {
	rows, err := q.ApprovalsOf(ctx, migration)
	if err != nil {
		return nil, fmt.Errorf("read approvals: %w", err)
	}
	var all []Approval
	for _, r := range rows {
		stage, err := flags.ParseStage(r.Stage)
		if err != nil {
			return nil, err
		}
		a := Approval{ID: r.ID, Stage: stage, Actor: r.Actor, Reason: r.Reason, At: utc(r.At), Until: utcPointer(r.UntilAt)}
		if r.RampID != nil && r.RampStep != nil {
			a.Ramp, a.Step = *r.RampID, int(*r.RampStep)
		}
		all = append(all, a)
	}
	return all, nil
}
