package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

const (
	// overridesAtOnce is how many overrides come with their policy, in one
	// answer. More are streamed.
	overridesAtOnce = 1000
	// progressRows is how many overrides arrive between two reports of progress.
	progressRows = 4096
)

// Refreshed says what [Store.Refresh] read.
type Refreshed struct {
	// Whole says that the policy was read as a whole: there was none before, or
	// the ledger does not know it.
	Whole bool
	// Rows is how many overrides were read: those that changed, or all.
	Rows int
}

// Refresh returns the policy in force of one migration, in one snapshot and
// compiled: made of one that was read before (have, nil for none) and of the
// overrides that changed since, so that it costs what changed and not what is
// there. Where have is still in force, it is returned itself. A policy that the
// ledger does not know, as after a failover that lost it, is read as a whole.
//
// The store's timeout bounds each answer, and while many overrides arrive each
// few thousand of them: progress, which may be nil, is called as often. A
// migration that the ledger does not hold is an [*UnknownMigrationError].
func (s *Store) Refresh(
	ctx context.Context, migration string, have *flags.Compiled, progress func(),
) (*flags.Compiled, Refreshed, error) {
	if have != nil {
		c, read, err := s.refreshBy(ctx, migration, have)
		if c != nil || err != nil {
			return c, read, wrap("read what changed in the policy of "+migration, err)
		}
	}
	c, rows, err := s.readWhole(ctx, migration, progress)
	return c, Refreshed{Whole: true, Rows: rows}, wrap("read the policy of "+migration, err)
}

// refreshBy returns nil where the ledger does not know the policy.
func (s *Store) refreshBy(ctx context.Context, migration string, have *flags.Compiled) (*flags.Compiled, Refreshed, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	before := have.Terms()
	row, err := s.q.PolicyChanges(ctx, ledgerdb.PolicyChangesParams{
		Name: migration, SinceEpoch: before.Epoch, SincePolicy: toUUID(before.ID),
	})
	if errors.Is(err, pgx.ErrNoRows) {
		err = unknown(ctx, s.q, migration)
	}
	if err != nil || !row.Known || row.Epoch < before.Epoch {
		return nil, Refreshed{}, err
	}
	if row.Epoch == before.Epoch {
		return have, Refreshed{}, nil
	}
	p, err := terms(migration, ledgerdb.PolicyInForceRow{
		ID: row.ID, Epoch: row.Epoch, PolicyID: row.PolicyID, Salt: row.Salt,
		DefaultStage: row.DefaultStage, StepTo: row.StepTo, StepShare: row.StepShare, StepOf: row.StepOf,
		Clean: row.Clean, StrictShadow: row.StrictShadow, UnfencedOld: row.UnfencedOld, UnfencedNew: row.UnfencedNew,
	})
	if err != nil {
		return nil, Refreshed{}, err
	}
	edit := have.Overrides().Edit()
	set := map[string]bool{} // what is set again needs no removal
	for _, tenant := range row.Tenants {
		set[tenant] = true
	}
	for _, tenant := range row.Ended {
		if !set[tenant] {
			edit.Remove(tenant)
		}
	}
	for i, tenant := range row.Tenants {
		stage, err := flags.ParseStage(row.Stages[i])
		if err != nil {
			return nil, Refreshed{}, fmt.Errorf("the override of tenant %q: %w", tenant, err)
		}
		edit.Put(tenant, stage)
	}
	overrides, err := edit.Done()
	if err != nil {
		return nil, Refreshed{}, err
	}
	c, err := p.CompileWith(overrides)
	return c, Refreshed{Rows: len(row.Ended) + len(row.Tenants)}, err
}

// readWhole reads a policy with all its overrides.
func (s *Store) readWhole(ctx context.Context, migration string, progress func()) (*flags.Compiled, int, error) {
	row, err := s.policyRow(ctx, s.q, migration, overridesAtOnce+1)
	if err != nil {
		return nil, 0, err
	}
	var b flags.OverridesBuilder
	rows := len(row.Tenants)
	if rows > overridesAtOnce {
		row, rows, err = s.streamWhole(ctx, migration, &b, progress)
		if err != nil {
			return nil, 0, err
		}
	} else {
		for i, tenant := range row.Tenants {
			if err := put(&b, []byte(tenant), []byte(row.Stages[i])); err != nil {
				return nil, 0, err
			}
		}
	}
	p, err := terms(migration, row)
	if err != nil {
		return nil, 0, err
	}
	overrides, err := b.Done()
	if err != nil {
		return nil, 0, err
	}
	c, err := p.CompileWith(overrides)
	return c, rows, err
}

func (s *Store) policyRow(ctx context.Context, q *ledgerdb.Queries, migration string, most int64) (ledgerdb.PolicyInForceRow, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	row, err := q.PolicyInForce(ctx, ledgerdb.PolicyInForceParams{Name: migration, Most: most})
	if errors.Is(err, pgx.ErrNoRows) {
		err = unknown(ctx, q, migration)
	}
	return row, err
}

// streamWhole reads a policy and puts its overrides into a table as they arrive.
func (s *Store) streamWhole(
	ctx context.Context, migration string, b *flags.OverridesBuilder, progress func(),
) (row ledgerdb.PolicyInForceRow, rows int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	patience := time.AfterFunc(s.cfg.Timeout, func() {
		cancel(fmt.Errorf("no answer within %s: %w", s.cfg.Timeout, context.DeadlineExceeded))
	})
	defer patience.Stop()
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = s.inTx(ctx, options, func(q *ledgerdb.Queries) (err error) {
		if row, err = s.policyRow(ctx, q, migration, 0); err != nil {
			return err
		}
		return q.EachOverrideInForce(ctx, row.ID, func(tenant, stage []byte) error {
			if rows++; rows%progressRows == 0 {
				patience.Reset(s.cfg.Timeout)
				if progress != nil {
					progress()
				}
			}
			return put(b, tenant, stage)
		})
	})
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	return row, rows, err
}

// stages are the stages by name: to look one up allocates nothing.
var stages = func() map[string]flags.Stage {
	all := map[string]flags.Stage{}
	for _, stage := range flags.Stages() {
		all[stage.String()] = stage
	}
	return all
}()

func put(b *flags.OverridesBuilder, tenant, name []byte) error {
	stage, ok := stages[string(name)]
	if !ok {
		return fmt.Errorf("the override of tenant %q: %w", tenant, &flags.UnknownStageError{Name: string(name)})
	}
	b.Put(tenant, stage)
	return nil
}

// terms returns the policy of a row, without its overrides.
func terms(migration string, row ledgerdb.PolicyInForceRow) (flags.Policy, error) {
	p := flags.Policy{Migration: migration, Epoch: row.Epoch, ID: policyID(row.PolicyID), Salt: row.Salt}
	p.Standing = flags.Standing{Clean: row.Clean, StrictShadow: row.StrictShadow, UnfencedOld: row.UnfencedOld, UnfencedNew: row.UnfencedNew}
	var err error
	p.Default, p.Step, err = parseStages(row.DefaultStage, row.StepTo, row.StepShare, row.StepOf)
	return p, err
}
