package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
	"github.com/crossfade-db/crossfade/versions"
)

// maxName bounds the names of migrations, in bytes: they travel in notifications.
const maxName = 200

// Migration is a migration as the ledger holds it.
type Migration struct {
	versions.Migration
	// ID is the number that lock numbers and fences are made of.
	ID int32
	// Salt spreads tenants over the buckets of percentages.
	Salt string
	// Epoch and PolicyID name the policy in force.
	Epoch     int64
	PolicyID  flags.PolicyID
	CreatedAt time.Time
}

func toMigration(row ledgerdb.Migration) Migration {
	return Migration{
		Migration: versions.Migration{Name: row.Name, Entity: row.Entity, From: row.FromVersion, To: row.ToVersion},
		ID:        row.ID,
		Salt:      row.Salt,
		Epoch:     row.Epoch,
		PolicyID:  policyID(row.PolicyID),
		CreatedAt: utc(row.CreatedAt),
	}
}

// Register makes sure that the ledger holds the migration, whose first policy,
// epoch 1, leaves everybody at old. salt spreads the tenants over the buckets
// of percentages; empty means the migration's name. It may be called at every
// start of every process. Another definition under the same name is a
// [*DefinitionError] and changes nothing, and so is a [*ChainError] for one that
// leads to a version from which another migration has gone on already.
func (s *Store) Register(ctx context.Context, m versions.Migration, salt string) (Migration, error) {
	operation := "register " + m.Name
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	switch {
	case m.Name == "" || len(m.Name) > maxName:
		return Migration{}, &InputError{Operation: "register a migration", Problem: fmt.Sprintf("its name must have 1 to %d bytes", maxName)}
	case m.Entity == "" || m.From == "" || m.To == "" || m.From == m.To:
		return Migration{}, &InputError{Operation: operation, Problem: "it must name an entity and two different versions"}
	}
	if salt == "" {
		salt = m.Name
	}
	row, err := s.q.MigrationByName(ctx, m.Name) // an insert that finds a row would still use up an id
	if errors.Is(err, pgx.ErrNoRows) {
		if err = s.insertMigration(ctx, m, salt); err == nil {
			row, err = s.q.MigrationByName(ctx, m.Name)
		}
	}
	if chain, ok := errors.AsType[*ChainError](err); ok {
		return Migration{}, chain
	}
	if err != nil {
		return Migration{}, wrap(operation, err)
	}
	have := toMigration(row)
	if have.Migration != m || have.Salt != salt {
		return Migration{}, &DefinitionError{Have: have.Migration, Want: m, HaveSalt: have.Salt, WantSalt: salt}
	}
	return have, nil
}

func (s *Store) insertMigration(ctx context.Context, m versions.Migration, salt string) error {
	id := toUUID(flags.NewPolicyID())
	return s.inTx(ctx, pgx.TxOptions{}, func(q *ledgerdb.Queries) error {
		if err := following(ctx, q, m); err != nil {
			return err
		}
		number, err := q.InsertMigration(ctx, ledgerdb.InsertMigrationParams{
			Name: m.Name, Entity: m.Entity, FromVersion: m.From, ToVersion: m.To, Salt: salt, PolicyID: id,
		})
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // somebody else was faster
		}
		if err != nil {
			return err
		}
		err = q.InsertPolicy(ctx, ledgerdb.InsertPolicyParams{
			MigrationID: number, Epoch: 1, PolicyID: id, DefaultStage: flags.Old.String(), StepOf: flags.OfTenants.String(),
		})
		if err != nil {
			return fmt.Errorf("insert its first policy: %w", err)
		}
		if err := q.AddTenantStates(ctx, ledgerdb.AddTenantStatesParams{MigrationID: number, Tenants: []string{""}}); err != nil {
			return fmt.Errorf("insert its state: %w", err)
		}
		return insertHistory(ctx, q, number, []Entry{{
			Epoch: 1, Actor: "crossfade", Reason: "registered", Kind: KindRegister, To: flags.Old.String(),
		}})
	})
}

// following refuses a migration that would begin below one that goes on from its
// new version and has left old: its old side would have authority, while the
// other migration copies from its new side.
func following(ctx context.Context, q *ledgerdb.Queries, m versions.Migration) error {
	rows, err := q.LockFollowing(ctx, ledgerdb.LockFollowingParams{Entity: m.Entity, Version: m.To})
	if err != nil {
		return fmt.Errorf("look for migrations that go on from %s: %w", m.To, err)
	}
	for _, row := range rows {
		if row.UniformStage != flags.Old.String() && row.Name != m.Name {
			return &ChainError{Migration: m, Following: row.Name}
		}
	}
	return nil
}

// Migrations returns all migrations, ordered by name.
func (s *Store) Migrations(ctx context.Context) ([]Migration, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	rows, err := s.q.Migrations(ctx)
	if err != nil {
		return nil, wrap("list migrations", err)
	}
	all := make([]Migration, len(rows))
	for i, row := range rows {
		all[i] = toMigration(row)
	}
	return all, nil
}

// Migration returns one migration, or an [*UnknownMigrationError].
func (s *Store) Migration(ctx context.Context, name string) (Migration, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	row, err := byName(ctx, s.q, name)
	if err != nil {
		return Migration{}, wrap("read migration "+name, err)
	}
	return toMigration(row), nil
}
