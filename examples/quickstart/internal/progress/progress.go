// Package progress keeps what the demonstration must not forget when it is killed, and the ledger does not know: which
// data it began with, where the planted fault stands, what the checks found. It lies in tables of its own beside those of
// the application.
package progress

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/compare"
	v1 "github.com/crossfade-db/crossfade/examples/quickstart/internal/customers/v1"
	v2 "github.com/crossfade-db/crossfade/examples/quickstart/internal/customers/v2"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/customers/v2/queries"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/oracle"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/seed"
)

//go:embed schema.sql
var schema string

// Fault is where the planted fault stands.
type Fault string

// The way of the planted fault.
const (
	FaultNone     Fault = "none"
	FaultPlanted  Fault = "planted"
	FaultFound    Fault = "found"    // mismatches were seen: the tenants step down
	FaultLifted   Fault = "lifted"   // version 2 is right again
	FaultCounted  Fault = "counted"  // verification has counted the damaged keys
	FaultRepaired Fault = "repaired" // the keys were copied again
)

// Walk is what is known of the walk of a database.
type Walk struct {
	Data     seed.Data
	PlantBug bool
	// Rate is the operations per second with which the walk began.
	Rate         float64
	BeganAt      time.Time
	Fault        Fault
	RepairedKeys int64
}

// Store keeps the progress. It may be used by any number of goroutines.
type Store struct{ pool *pgxpool.Pool }

// New returns the progress in the pool's database.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// ErrNone says that no walk has begun in this database.
var ErrNone = errors.New("no walk has begun in this database")

// Begin makes all tables and loads the data in one transaction, so that a kill leaves all or nothing. Of the walk it
// takes Data, PlantBug and Rate.
func (s *Store) Begin(ctx context.Context, w Walk) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, v1.Schema+v2.Schema+oracle.Schema+schema); err != nil {
			return err
		}
		if err := w.Data.Load(ctx, tx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `insert into quickstart_control.walk (seed, tenants, customers, plant_bug, rate) values ($1, $2, $3, $4, $5)`,
			int64(w.Data.Seed), w.Data.Tenants, w.Data.Customers, w.PlantBug, w.Rate)
		return err
	})
	if err != nil {
		return fmt.Errorf("make the quickstart's tables: %w", err)
	}
	if _, err := s.pool.Exec(ctx, "analyze quickstart_v1.customers"); err != nil {
		return fmt.Errorf("analyze the customers: %w", err)
	}
	return nil
}

// Load returns the walk of this database, or ErrNone.
func (s *Store) Load(ctx context.Context) (w Walk, err error) {
	var number int64
	err = s.pool.QueryRow(ctx, `select seed, tenants, customers, plant_bug, rate, began_at, fault, repaired_keys from quickstart_control.walk`).
		Scan(&number, &w.Data.Tenants, &w.Data.Customers, &w.PlantBug, &w.Rate, &w.BeganAt, &w.Fault, &w.RepairedKeys)
	var server *pgconn.PgError
	if errors.As(err, &server) && (server.Code == "3F000" || server.Code == "42P01") { // no such schema, no such table
		return w, ErrNone
	}
	if err != nil {
		return w, fmt.Errorf("read the progress of the walk: %w", err)
	}
	w.Data.Seed = uint64(number)
	return w, nil
}

// SetFault notes where the planted fault stands, and whether version 2 makes its mistake from now on.
func (s *Store) SetFault(ctx context.Context, fault Fault) error {
	planted := fault == FaultPlanted || fault == FaultFound
	return s.exec(ctx, "update quickstart_control.walk set fault = $1, planted = $2", fault, planted)
}

// AddRepaired adds to the number of keys that had to be repaired, and notes where the planted fault stands.
func (s *Store) AddRepaired(ctx context.Context, keys int64, fault Fault) error {
	return s.exec(ctx, "update quickstart_control.walk set repaired_keys = repaired_keys + $1, fault = $2", keys, fault)
}

// Planted reports, for version 2, whether to make its mistake. It looks in the transaction that it is given: a save
// that waits for a key's lock sees what is true once it has it.
func Planted(ctx context.Context, db queries.DBTX) (planted bool, err error) {
	err = db.QueryRow(ctx, "select planted from quickstart_control.walk").Scan(&planted)
	return planted, err
}

// Check is what was read back at a stage, and what the oracle said of it.
type Check struct {
	Stage         string
	KeysRead      int64
	DifferingKeys int64
	LostUpdates   int64
	StaleReads    int64
	Undecided     int64
	Passed        bool // all but the first are zero
	Problems      []string
}

// AddCheck notes a check, in place of an older one at the same stage.
func (s *Store) AddCheck(ctx context.Context, c Check) error {
	if c.Problems == nil {
		c.Problems = []string{}
	}
	return s.exec(ctx, `
		insert into quickstart_control.checks values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (stage) do update set keys_read = excluded.keys_read, differing_keys = excluded.differing_keys,
			lost_updates = excluded.lost_updates, stale_reads = excluded.stale_reads, undecided = excluded.undecided,
			passed = excluded.passed, problems = excluded.problems`,
		c.Stage, c.KeysRead, c.DifferingKeys, c.LostUpdates, c.StaleReads, c.Undecided, c.Passed, c.Problems)
}

// Checks returns all checks.
func (s *Store) Checks(ctx context.Context) ([]Check, error) {
	rows, err := s.pool.Query(ctx, "select * from quickstart_control.checks order by stage")
	if err != nil {
		return nil, fmt.Errorf("read the checks: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Check])
}

// Compared notes what became so far of the reads that a process handed to the comparer.
func (s *Store) Compared(ctx context.Context, process uuid.UUID, c compare.Counts) error {
	return s.exec(ctx, `insert into quickstart_control.comparisons values ($1, $2, $3, $4, $5, $6)
		on conflict (process) do update set compared = excluded.compared, ignored = excluded.ignored, dropped = excluded.dropped,
			inconclusive = excluded.inconclusive, mismatched = excluded.mismatched`,
		process, c.Compared, c.Ignored, c.Dropped, c.Inconclusive, c.Mismatched)
}

// Comparisons adds up what became of the reads of all processes. What a process that was killed did in its last second
// is missing.
func (s *Store) Comparisons(ctx context.Context) (c compare.Counts, err error) {
	err = s.pool.QueryRow(ctx, `select coalesce(sum(compared), 0)::bigint, coalesce(sum(ignored), 0)::bigint, coalesce(sum(dropped), 0)::bigint,
		coalesce(sum(inconclusive), 0)::bigint, coalesce(sum(mismatched), 0)::bigint from quickstart_control.comparisons`).
		Scan(&c.Compared, &c.Ignored, &c.Dropped, &c.Inconclusive, &c.Mismatched)
	if err != nil {
		return c, fmt.Errorf("read the comparisons: %w", err)
	}
	return c, nil
}

// Phase is how long a part of the walk took.
type Phase struct {
	Name    string
	Seconds float64
}

// Spend adds to the time of a phase.
func (s *Store) Spend(ctx context.Context, phase string, d time.Duration) error {
	return s.exec(ctx, `insert into quickstart_control.phases (name, seconds) values ($1, $2)
		on conflict (name) do update set seconds = phases.seconds + excluded.seconds`, phase, d.Seconds())
}

// Phases returns the phases in the order in which they were first met.
func (s *Store) Phases(ctx context.Context) ([]Phase, error) {
	rows, err := s.pool.Query(ctx, "select name, seconds from quickstart_control.phases order by place")
	if err != nil {
		return nil, fmt.Errorf("read the phases: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Phase])
}

func (s *Store) exec(ctx context.Context, sql string, args ...any) error {
	if _, err := s.pool.Exec(ctx, sql, args...); err != nil {
		return fmt.Errorf("note the progress of the walk: %w", err)
	}
	return nil
}
