package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// DefaultTimeout bounds each call of a [Store] whose Config names no timeout.
const DefaultTimeout = 10 * time.Second

// Config says how a store works. A nil Config and every zero field are useful.
type Config struct {
	// Timeout bounds each call, waiting for a connection included. Defaults to
	// DefaultTimeout. Draining waits longer, by design.
	Timeout time.Duration
	// MaxMismatches is how many mismatches the ledger keeps for one migration.
	// Defaults to 10,000. What comes beyond is counted per operation.
	MaxMismatches int
}

// Store reads and writes the ledger. Its methods may be called concurrently;
// the pool remains the caller's to close. Every error names the operation, and
// a server's problem is a [*ServerError].
type Store struct {
	pool *pgxpool.Pool
	cfg  Config
	q    *ledgerdb.Queries
}

// New returns a store on the pool.
func New(pool *pgxpool.Pool, cfg *Config) *Store {
	s := &Store{pool: pool, q: ledgerdb.New(pool)}
	if cfg != nil {
		s.cfg = *cfg
	}
	if s.cfg.Timeout <= 0 {
		s.cfg.Timeout = DefaultTimeout
	}
	if s.cfg.MaxMismatches <= 0 {
		s.cfg.MaxMismatches = 10_000
	}
	return s
}

// Pool returns the pool that the store was made with.
func (s *Store) Pool() *pgxpool.Pool { return s.pool }

// Check is [Check] on the store's pool.
func (s *Store) Check(ctx context.Context) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return Check(ctx, s.pool)
}

func (s *Store) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.cfg.Timeout)
}

// inTx runs fn in one transaction and commits it when fn returns nil.
func (s *Store) inTx(ctx context.Context, options pgx.TxOptions, fn func(q *ledgerdb.Queries) error) error {
	return pgx.BeginTxFunc(ctx, s.pool, options, func(tx pgx.Tx) error { return fn(s.q.WithTx(tx)) })
}

// byName returns the migration's row, or an [*UnknownMigrationError].
func byName(ctx context.Context, q *ledgerdb.Queries, name string) (ledgerdb.Migration, error) {
	row, err := q.MigrationByName(ctx, name)
	if errors.Is(err, pgx.ErrNoRows) {
		return row, unknown(ctx, q, name)
	}
	return row, err
}

func unknown(ctx context.Context, q *ledgerdb.Queries, name string) error {
	known, err := q.MigrationNames(ctx)
	if err != nil {
		return fmt.Errorf("list the migrations: %w", err)
	}
	return &UnknownMigrationError{Name: name, Known: known}
}

func toUUID(id [16]byte) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

func policyID(id pgtype.UUID) flags.PolicyID { return flags.PolicyID(id.Bytes) }

func utc(t time.Time) time.Time { return t.UTC() }

func utcPointer(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}
