package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// DBTX is what a side runs its statements on. It satisfies the DBTX interface
// that sqlc generates for pgx/v5; *pgx.Conn, pgx.Tx and *pgxpool.Pool have it.
type DBTX interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error)
}

// Config bounds the transactions that this package opens. A nil Config and
// zero fields are useful.
type Config struct {
	// StatementTimeout bounds each statement. Zero means 30s.
	StatementTimeout time.Duration
	// LockTimeout bounds each wait for a lock, key locks included. Zero means 10s.
	LockTimeout time.Duration
	// OtherStatementTimeout and OtherLockTimeout bound the statements of the
	// side without authority, whose failure is made up for later. Zero means
	// 5s and 1s.
	OtherStatementTimeout time.Duration
	OtherLockTimeout      time.Duration
	// MaxTxAge bounds a transaction of [DB.InTx] as a whole, and how long any
	// transaction may stand idle: a step of the ladder waits for open
	// transactions. Zero means 30s.
	MaxTxAge time.Duration
}

// DB is one PostgreSQL database with both sides and the ledger in it. It may
// be used by any number of goroutines.
type DB struct {
	pool *pgxpool.Pool
	cfg  Config
	ids  sync.Map // facts by the name of the migration

	// atConnect says that the connections bring the timeouts: no transaction has
	// to set them.
	atConnect   bool
	timeoutArgs []any // of timeoutsSQL; full, so that appending copies
	otherArgs   [2]any
	bothArgs    []any // the first two of timeoutsSQL for both sides in one batch
}

// timeoutNames are PostgreSQL's names of what timeoutArgs sets.
var timeoutNames = [...]string{"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"}

// withDefaults returns the configuration with every zero replaced.
func (c *Config) withDefaults() Config {
	var full Config
	if c != nil {
		full = *c
	}
	orDefault := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	orDefault(&full.StatementTimeout, 30*time.Second)
	orDefault(&full.LockTimeout, 10*time.Second)
	orDefault(&full.OtherStatementTimeout, 5*time.Second)
	orDefault(&full.OtherLockTimeout, time.Second)
	orDefault(&full.MaxTxAge, 30*time.Second)
	return full
}

func (c *Config) timeouts() []any {
	return []any{milliseconds(c.StatementTimeout), milliseconds(c.LockTimeout), milliseconds(c.MaxTxAge)}
}

// SetTimeouts has the connections of a pool that is still to be made begin with
// the timeouts, so that no transaction has to set them: one statement less in
// most writes at old and new. [New] then needs the same configuration, or sets
// them as before. They bound the application's own statements on the pool as
// well. It is not for a pool behind PgBouncer, which refuses such parameters, or
// drops them where it is told to. A nil Config means the defaults.
func (c *Config) SetTimeouts(pool *pgxpool.Config) {
	full := c.withDefaults()
	for i, value := range full.timeouts() {
		pool.ConnConfig.RuntimeParams[timeoutNames[i]] = value.(string)
	}
}

// New returns a DB over the pool, which stays the caller's to close.
func New(pool *pgxpool.Pool, cfg *Config) *DB {
	c := cfg.withDefaults()
	db := &DB{
		pool: pool, cfg: c, timeoutArgs: c.timeouts(),
		otherArgs: [2]any{milliseconds(c.OtherStatementTimeout), milliseconds(c.OtherLockTimeout)},
		bothArgs: []any{
			milliseconds(min(c.StatementTimeout, c.OtherStatementTimeout)), milliseconds(min(c.LockTimeout, c.OtherLockTimeout)),
		},
	}
	params := pool.Config().ConnConfig.RuntimeParams
	db.atConnect = true
	for i, value := range db.timeoutArgs {
		db.atConnect = db.atConnect && params[timeoutNames[i]] == value
	}
	return db
}

// Pool returns the pool that the DB runs on.
func (db *DB) Pool() *pgxpool.Pool { return db.pool }

// facts are asked once for each migration.
type facts struct {
	id int32 // in the ledger
	// committed says that transactions are READ COMMITTED unless they say otherwise.
	committed bool
	// deferred says that there are triggers which run when a transaction
	// commits, where no timeout bounds them.
	deferred bool
}

const factsSQL = `select m.id, current_setting('default_transaction_isolation') = 'read committed',
	exists (select from pg_trigger where tginitdeferred) from crossfade.migrations m where m.name = $1`

// facts returns what is known of a migration.
func (db *DB) facts(ctx context.Context, q DBTX, name string) (facts, error) {
	if known, ok := db.ids.Load(name); ok {
		return known.(facts), nil
	}
	var f facts
	err := q.QueryRow(ctx, factsSQL, name).Scan(&f.id, &f.committed, &f.deferred)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return f, &UnknownMigrationError{Migration: name}
	case err != nil:
		return f, fmt.Errorf("look up migration %s in the ledger: %w", name, translate(late(ctx, err), name, 0, ""))
	}
	db.ids.Store(name, f)
	return f, nil
}

// timeoutsSQL sets the timeouts of the transaction in progress.
const timeoutsSQL = "select set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true), " +
	"set_config('idle_in_transaction_session_timeout', $3, true)"

// timeouts are what sets them, if anything has to.
func (db *DB) timeouts() []statement {
	if db.atConnect {
		return nil
	}
	return []statement{{sql: timeoutsSQL, args: db.timeoutArgs}}
}

const (
	unfencedSQL         = "select set_config('crossfade.unfenced', $1, true)"
	timeoutsUnfencedSQL = timeoutsSQL + ", set_config('crossfade.unfenced', $4, true)"
)

// unfenced says that a write of the application runs without a fence, or capture
// would take it for somebody else's; and sets the timeouts.
func (db *DB) unfenced(migration string) statement {
	if db.atConnect {
		return statement{sql: unfencedSQL, args: []any{migration}}
	}
	return statement{sql: timeoutsUnfencedSQL, args: append(db.timeoutArgs, migration)}
}

// saysUnfenced is how a statement that is sent alone says it itself. What
// crossfade.capture_log compares is this.
func saysUnfenced(migration, sql string) string {
	return "/* crossfade: unfenced " + migration + " */ " + sql
}

func timeoutsOther(statementTimeout, lockTimeout any) statement {
	return statement{
		sql:  "select set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true)",
		args: []any{statementTimeout, lockTimeout}, part: partOther,
	}
}

// milliseconds writes a duration as PostgreSQL's timeouts take it, never as
// zero, which would mean none.
func milliseconds(d time.Duration) string {
	return strconv.FormatInt(max(1, d.Milliseconds()), 10)
}
