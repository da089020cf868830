package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// Guard is what holds steps up besides the state of the data.
type Guard struct {
	Guardrails []Guardrail
	// Freezes are those in force and those to come.
	Freezes     []Freeze
	Protections []Protection
	// Approvals are those that still hold.
	Approvals []Approval
	// Mismatches counts the confirmed mismatches that are open, by tenant; the
	// tenant "" has those that were only counted.
	Mismatches map[string]int64
	// Ramp is the one in progress, nil without any.
	Ramp *Ramp
	// Asker is who asks for the step, and ForRamp the ramp on whose behalf. The
	// plane sets them: an approval of the asker's own counts for nothing. An
	// empty Asker, as in displays, is nobody in particular.
	Asker   string
	ForRamp int64
}

func loadGuard(ctx context.Context, q *ledgerdb.Queries, s *State) (err error) {
	g := &s.Guard
	if g.Guardrails, err = guardrailsOf(ctx, q, s.Migration.ID); err != nil {
		return err
	}
	if g.Freezes, err = freezesOf(ctx, q, s.Migration); err != nil {
		return err
	}
	if g.Protections, err = protectionsOf(ctx, q, s.Migration.ID); err != nil {
		return err
	}
	if g.Approvals, err = approvalsOf(ctx, q, s.Migration.ID); err != nil {
		return err
	}
	rows, err := q.OpenMismatchesByTenant(ctx, s.Migration.ID)
	if err != nil {
		return fmt.Errorf("count open mismatches: %w", err)
	}
	g.Mismatches = make(map[string]int64, len(rows))
	for _, r := range rows {
		g.Mismatches[r.Tenant] = r.Open
	}
	row, err := q.OpenRamp(ctx, s.Migration.ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the ramp: %w", err)
	}
	ramp, err := toRamp(row)
	g.Ramp = &ramp
	return err
}
