package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
)

// Tx is a transaction in progress that several repositories share. It is not
// safe for concurrent use. Its DBTX methods run the application's own
// statements in the same transaction.
type Tx struct {
	*handle
	db       *DB
	conn     *pgxpool.Conn       // of a transaction of our own, else nil
	open     opening             // of the same
	ended    bool                // committed, or with an unknown outcome
	tenants  map[tenantLock]bool // true: exclusively
	refused  error               // the fence or capture refused: nothing more can run
	fenced   bool                // also where the policy says that no fence is needed
	marked   bool                // what an operation told the triggers of capture stands
	unfenced string              // the migration whose unfenced operation was the last, for capture as well
	adopted  bool                // the application sends statements past it
	later    []func() error      // what is to be done when it has ended: see Later
}

type tenantLock struct {
	migration int32
	tenant    string
}

var (
	_ repo.Tx = (*Tx)(nil)
	_ DBTX    = (*Tx)(nil)
)

// CrossfadeTx implements [repo.Tx].
func (*Tx) CrossfadeTx() {}

// cleanupTimeout bounds a rollback after the caller's ctx has ended.
const cleanupTimeout = 5 * time.Second

// InTx runs fn in one READ COMMITTED transaction and commits it when fn
// returns nil. When the fence refuses an operation inside, because a new
// policy came into force, the transaction is rolled back and fn runs again
// from the start: fn must have no effects besides the transaction. All
// operations inside use one decision per migration and tenant; use the ctx
// that fn is given. The transaction as a whole is bounded by Config.MaxTxAge.
func (db *DB) InTx(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	for attempt, fenced := 0, false; ; attempt++ {
		err := db.inTxOnce(ctx, fenced, fn)
		var refused *repo.RefusedError
		fenced = fenced || errors.As(err, &refused) && refused.Captured
		if err == nil || !repo.Retryable(err) || attempt >= 10 || ctx.Err() != nil {
			return err
		}
	}
}

func (db *DB) inTxOnce(ctx context.Context, fenced bool, fn func(ctx context.Context, tx *Tx) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, db.cfg.MaxTxAge,
		fmt.Errorf("the transaction is older than %s (Config.MaxTxAge)", db.cfg.MaxTxAge))
	defer cancel()
	ctx, unpin := flags.Pin(ctx, db.cfg.MaxTxAge)
	defer unpin()
	return db.run(ctx, opening{isolation: "read committed", then: db.timeouts()}, func(tx *Tx) error {
		tx.fenced = fenced
		err := fn(ctx, tx)
		if tx.refused != nil { // also when fn swallowed it, or made another error of it
			return tx.refused
		}
		return err
	})
}

func (db *DB) newTx(q DBTX) *Tx {
	return &Tx{handle: &handle{q: q}, db: db}
}

// Later has fn run when the transaction has ended and its connection is given
// back. It reports false outside of a transaction of this package's own, where fn
// has to run at once.
func (b *sides[R]) Later(fn func() error) bool {
	if b.tx == nil || b.tx.conn == nil {
		return false
	}
	b.tx.later = append(b.tx.later, fn)
	return true
}

// opening is how a transaction of our own begins.
type opening struct {
	isolation string
	then      []statement       // what travels with BEGIN: timeouts, fence
	explain   func(error) error // of errors of the opening alone, or nil
	// waits says that the opening is sent with the first statement of fn, whose
	// own statements may wait as well. fn may then run, and fail, before BEGIN.
	waits bool
	// queued says that what fails in the queue is to run again without one, and is
	// returned as it is.
	queued bool
	// implicit says that a write whose statements all wait until it ends needs no
	// BEGIN and no COMMIT: a batch is a transaction of its own.
	implicit bool
	// unfenced is the migration of a write without a fence, whose only statement
	// can say so itself.
	unfenced string
}

// run acquires a connection, opens a transaction by one batch, runs fn, and
// commits; any error or panic of fn rolls back.
func (db *DB) run(ctx context.Context, open opening, fn func(*Tx) error) (err error) {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("acquire a connection: %w", late(ctx, err))
	}
	tx := db.newTx(conn)
	tx.conn, tx.open = conn, open
	defer func() {
		tx.closed.Store(true)
		if !tx.ended {
			rollback(ctx, conn)
		}
		conn.Release()
		for _, fn := range tx.later {
			if lerr := fn(); lerr != nil && err != nil {
				err = fmt.Errorf("%w (and the policy in force cannot be loaded: %w)", err, lerr)
			}
		}
	}()
	tx.queue.done, tx.queue.waiting = ctx.Done(), make([]statement, 0, 8) // a write of both sides by one statement each
	tx.queue.add(statement{sql: "begin isolation level " + open.isolation})
	tx.queue.add(open.then...)
	tx.queue.part = partAuthority
	if !open.waits {
		if err := tx.flush(ctx); err != nil {
			return open.failed(err)
		}
	}
	if err = fn(tx); err == nil && !tx.ended {
		err = tx.commit(ctx)
	}
	if tx.queue.failed != nil { // also when fn swallowed it, or made another error of it
		err = open.failed(tx.queue.failed)
	}
	return err
}

// failed explains errors of the opening. An error that says to begin again is
// returned as it is.
func (o opening) failed(err error) error {
	var failed *queueError
	switch {
	case !errors.As(err, &failed) || failed.again && o.queued:
		return err
	case failed.part > partFence:
		return failed.err
	}
	if err = failed.err; o.explain != nil {
		err = o.explain(err)
	}
	return fmt.Errorf("begin: %w", err)
}

// commit sends what waits and ends the transaction, and checks that it was
// committed indeed: a transaction in which an error was swallowed answers COMMIT
// with ROLLBACK. A session that is terminated while it commits may have
// committed already, and so may one whose connection ends before the answer:
// pgx calls that safe to retry, as it does a statement that it could not send.
func (tx *Tx) commit(ctx context.Context) error {
	q := &tx.queue
	switch {
	case q.failed != nil:
		return q.failed
	case tx.conn.Conn().IsClosed():
		return errLost
	case tx.implicit():
		if q.guard.statements != nil { // for both sides the shorter timeouts: should one run out, the write runs again
			copy(q.waiting[1].args, tx.db.bothArgs)
			q.both = true
		}
		q.waiting, q.guard, q.implicit = q.waiting[1:], guard{}, true
		if tx.open.unfenced != "" && len(q.waiting) == 2 {
			q.waiting = q.waiting[1:]
			q.waiting[0].sql = saysUnfenced(tx.open.unfenced, q.waiting[0].sql)
		}
	default:
		q.add(statement{sql: "commit", part: partCommit, take: committed})
	}
	results, err := tx.send(ctx)
	if err == nil {
		err = tx.fail(partCommit, results.Close())
	}
	if err == nil {
		tx.ended = true
		return nil
	}
	failed := q.failed
	switch {
	case failed.again && tx.open.queued, errors.Is(err, errSwallowed):
	case failed.again || unprepared(err):
		failed.part = partCommit
		failed.again, failed.err = false, fmt.Errorf("commit: nothing was sent, so nothing is committed: %w", busy(failed.err))
	case lost(err) && pgconn.SafeToRetry(err) && !tx.conn.Conn().IsClosed():
		failed.part = partCommit
		failed.err = fmt.Errorf("commit: nothing was sent, so nothing is committed: %w", busy(failed.err))
	case lost(err):
		failed.err = &repo.UnknownOutcomeError{Err: failed.err}
		failed.part = partCommit
	case failed.part == partCommit:
		failed.err = fmt.Errorf("commit: %w", failed.err)
	}
	return failed
}

// implicit reports whether what waits can be a transaction without BEGIN.
func (tx *Tx) implicit() bool {
	if !tx.open.implicit || tx.status() != 'I' || tx.queue.failed != nil {
		return false
	}
	for _, s := range tx.queue.waiting[1+len(tx.open.then):] {
		if !harmless(s.sql) {
			return false
		}
	}
	return true
}

func committed(results pgx.BatchResults) error {
	tag, err := results.Exec()
	if err == nil && tag.String() != "COMMIT" {
		err = errSwallowed
	}
	return err
}

var errLost = errors.New("commit: the connection had ended before, so nothing is committed")

var errSwallowed = errors.New("commit: the transaction was rolled back, as a statement in it had failed and the error was not returned")

// rollback ends the transaction also where ctx has ended. A connection that
// cannot be rolled back is closed by its release.
func rollback(ctx context.Context, conn *pgxpool.Conn) {
	if conn.Conn().IsClosed() || conn.Conn().PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	_, _ = conn.Exec(ctx, "rollback") // a failed one closes the connection, which rolls back as well
}

// Adopt joins a transaction that the application opened with pgx. It stays the
// application's to commit or to roll back. A transaction that is not READ
// COMMITTED is refused with an [*IsolationError]. When an operation inside
// returns an error for which [repo.Retryable] holds, roll back and run the
// whole transaction again.
func (db *DB) Adopt(ctx context.Context, tx pgx.Tx) (*Tx, error) {
	if err := inTransaction(tx.Conn()); err != nil {
		return nil, err
	}
	return db.AdoptHandle(ctx, tx) // not its connection, which soon serves somebody else
}

// AdoptConn joins the transaction in progress on the connection, as [DB.Adopt] does.
func (db *DB) AdoptConn(ctx context.Context, conn *pgx.Conn) (*Tx, error) {
	if err := inTransaction(conn); err != nil {
		return nil, err
	}
	return db.AdoptHandle(ctx, conn)
}

// AdoptHandle joins the transaction in progress behind q, as [DB.Adopt] does,
// and sends every statement through it. That there is a transaction, and that q
// refuses to work once it has ended, is for the caller to see to.
func (db *DB) AdoptHandle(ctx context.Context, q DBTX) (*Tx, error) {
	var level string
	if err := q.QueryRow(ctx, "select current_setting('transaction_isolation')").Scan(&level); err != nil {
		return nil, fmt.Errorf("adopt the transaction: %w", busy(err))
	}
	if level != "read committed" {
		return nil, &IsolationError{Level: level}
	}
	tx := db.newTx(q)
	tx.adopted = true
	return tx, nil
}

// inTransaction returns an error unless the connection is in a transaction that
// can go on.
func inTransaction(conn *pgx.Conn) error {
	switch conn.PgConn().TxStatus() {
	case 'T':
		return nil
	case 'E':
		return errors.New("adopt the transaction: a statement in it has failed: roll it back")
	default:
		return errors.New("adopt the transaction: the connection is in none: begin one first")
	}
}

// LockTenant locks every key of the tenant exclusively, for a transaction that
// will write by predicate after it wrote by key.
func (tx *Tx) LockTenant(ctx context.Context, migration, tenant string) error {
	known, err := tx.db.facts(ctx, tx.handle, migration)
	if err != nil {
		return err
	}
	if err := tx.lockTenant(known.id, migration, tenant, true); err != nil {
		return err
	}
	_, err = tx.handle.Exec(ctx, "select crossfade.lock_only($1, $2, null, true)", known.id, tenant)
	return err
}

// Yield makes the transaction give way: the locks of several keys at once are
// no longer waited for, and an operation that meets one held by somebody else
// fails with SQLSTATE 55P03. For copies, which can be tried again, and must not
// be the reason for which the server aborts a transaction of the application.
func (tx *Tx) Yield(ctx context.Context) error {
	if _, err := tx.handle.Exec(ctx, "select set_config('crossfade.yield', 'on', true)"); err != nil {
		return fmt.Errorf("let the transaction give way: %w", err)
	}
	return nil
}

// lockTenant notes in which mode the transaction takes a tenant's lock, and
// refuses an upgrade.
func (tx *Tx) lockTenant(id int32, migration, tenant string, exclusive bool) error {
	lock := tenantLock{migration: id, tenant: tenant}
	held, known := tx.tenants[lock]
	if known && exclusive && !held {
		return &LockUpgradeError{Migration: migration, Tenant: tenant}
	}
	if tx.tenants == nil {
		tx.tenants = map[tenantLock]bool{}
	}
	tx.tenants[lock] = held || exclusive
	return nil
}

// busy explains pgx's refusal of a connection whose rows are still open.
func busy(err error) error {
	if err != nil && pgconn.SafeToRetry(err) && err.Error() == "conn busy" {
		return fmt.Errorf("rows of an earlier query are still open, close them first: %w", err)
	}
	return err
}
