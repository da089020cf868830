package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/flags"
)

// Version names the policy in force of one migration.
type Version struct {
	Migration   string
	MigrationID int32
	Epoch       int64
	PolicyID    flags.PolicyID
}

// Versions returns the policies in force of the named migrations, without
// their content: what polling asks for. Names that the ledger does not hold
// are left out.
func (s *Store) Versions(ctx context.Context, names ...string) ([]Version, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	rows, err := s.q.Epochs(ctx, names)
	if err != nil {
		return nil, wrap("read epochs", err)
	}
	all := make([]Version, len(rows))
	for i, row := range rows {
		all[i] = Version{Migration: row.Name, MigrationID: row.ID, Epoch: row.Epoch, PolicyID: policyID(row.PolicyID)}
	}
	return all, nil
}

// Policy returns the policy in force of one migration, in one snapshot, or an
// [*UnknownMigrationError].
func (s *Store) Policy(ctx context.Context, migration string) (flags.Policy, error) {
	operation := "read the policy of " + migration
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	row, err := s.q.PolicyInForce(ctx, migration)
	if errors.Is(err, pgx.ErrNoRows) {
		err = unknown(ctx, s.q, migration)
	}
	if err != nil {
		return flags.Policy{}, wrap(operation, err)
	}
	p := flags.Policy{Migration: migration, Epoch: row.Epoch, ID: policyID(row.PolicyID), Salt: row.Salt}
	p.Standing = flags.Standing{Clean: row.Clean, StrictShadow: row.StrictShadow, UnfencedOld: row.UnfencedOld, UnfencedNew: row.UnfencedNew}
	if p.Default, p.Step, err = parseStages(row.DefaultStage, row.StepTo, row.StepShare, row.StepOf); err != nil {
		return flags.Policy{}, wrap(operation, err)
	}
	if len(row.Tenants) > 0 {
		p.Overrides = make(map[string]flags.Stage, len(row.Tenants))
	}
	for i, tenant := range row.Tenants {
		if p.Overrides[tenant], err = flags.ParseStage(row.Stages[i]); err != nil {
			return flags.Policy{}, wrap(operation, err)
		}
	}
	return p, nil
}

func parseStages(name string, to *string, share int32, of string) (stage flags.Stage, step flags.Step, err error) {
	if stage, err = flags.ParseStage(name); err != nil {
		return 0, flags.Step{}, fmt.Errorf("the default stage: %w", err)
	}
	if to == nil {
		return stage, flags.Step{}, nil
	}
	if step.To, err = flags.ParseStage(*to); err != nil {
		return 0, flags.Step{}, fmt.Errorf("the percentage step: %w", err)
	}
	if step.Of, err = flags.ParseShareOf(of); err != nil {
		return 0, flags.Step{}, fmt.Errorf("the percentage step: %w", err)
	}
	step.Share = flags.Share(share)
	return stage, step, nil
}
