package ledger

import (
	"context"
	"fmt"

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
// [*UnknownMigrationError]. See [Store.Refresh] for one with many overrides.
func (s *Store) Policy(ctx context.Context, migration string) (flags.Policy, error) {
	c, _, err := s.Refresh(ctx, migration, nil, nil)
	if err != nil {
		return flags.Policy{}, err
	}
	return c.Policy(), nil
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
