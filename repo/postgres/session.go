package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
)

// session is one operation inside a transaction or a snapshot.
type session[R any] struct {
	b         *sides[R]
	tx        *Tx
	migration int32
	scope     repo.Scope
	found     *lookup
	owned     bool // the transaction is this operation's own
	queued    bool // its statements may wait
	snapshot  bool // all its statements see one moment
	made      [2]R
	has       [2]bool
}

func (b *sides[R]) session(tx *Tx, migration int32, scope repo.Scope, found *lookup) *session[R] {
	return &session[R]{b: b, tx: tx, migration: migration, scope: scope, found: found}
}

// Sent returns how many statements the transaction has been sent through its
// handle: a side that sent none has written nothing.
func (s *session[R]) Sent() int { return s.tx.sent }

// lasting is a ctx that does not end with the operation's: in a transaction of
// the application, which goes on, what must be said is said.
func (s *session[R]) lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.owned {
		return ctx, func() {}
	}
	return context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
}

// DB returns what the session's statements run on.
func (s *session[R]) DB() DBTX { return s.tx.handle }

func (s *session[R]) Side(side flags.Side) R {
	if !s.has[side] {
		if side == flags.NewSide && s.b.goesOn(s.scope) && !s.snapshot {
			s.made[side], s.has[side] = s.b.next(s.tx), true
		} else {
			s.made[side], s.has[side] = s.b.make[side](s.tx.handle), true
		}
	}
	return s.made[side]
}

func (s *session[R]) Stale() []repo.StaleKey { return s.found.stale }

func (s *session[R]) Complete(side flags.Side) bool {
	return side == flags.NewSide || !s.found.incomplete
}

func (s *session[R]) Missed(side flags.Side) bool { return !s.Complete(side) }

func (s *session[R]) Lock(ctx context.Context, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	err := s.tx.flush(ctx) // whether the fence saw triggers of capture
	if err == nil {
		lock := statement{part: partAuthority, args: []any{s.migration, s.scope.Tenant, keys}}
		if lock.sql = "select crossfade.lock_keys($1, $2, $3)"; s.found.captured {
			lock.sql, lock.take = "select crossfade.lock_made($1, $2, $3)", s.found.take // what the insert recorded
		}
		err = s.own(ctx, lock)
	}
	if err == nil && s.found.captured {
		err = s.tx.flush(ctx)
	}
	if err != nil {
		return fmt.Errorf("lock the keys that the database made: %w", err)
	}
	return nil
}

// sameAgain looks at the stale records once more, and reports whether the
// ledger says the same as before the read.
func (s *session[R]) sameAgain(ctx context.Context) (bool, error) {
	var again lookup
	s.tx.queue.add(lookStatement(s.migration, s.scope, &again), clearsStatement(&again.clears)) // the count after the records
	if err := s.tx.ask(ctx); err != nil {
		return false, fmt.Errorf("look at the stale keys again: %w", busy(err))
	}
	return s.found.same(&again), nil
}

// own executes a statement of the shim itself, which waits where statements do.
func (s *session[R]) own(ctx context.Context, sent statement) error {
	s.tx.sent++
	switch {
	case s.queued:
		s.tx.queue.add(sent)
		return nil
	case sent.take == nil:
		_, err := s.tx.exec(ctx, sent.sql, sent.args)
		return err
	}
	s.tx.queue.add(sent)
	return s.tx.ask(ctx)
}

const recordStaleSQL = `
insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause)
select $1, $2, $3, k, $5, $6 from unnest($4::text[]) k
where k = '*' or not exists (
    select from crossfade.stale_keys s
    where s.migration_id = $1 and s.tenant = $2 and s.key = k and s.side = $3)`

// RecordStale adds no second record for a key that has one: both would be read
// and deleted under the same key lock.
func (s *session[R]) RecordStale(ctx context.Context, side flags.Side, keys []string, why error) error {
	ctx, cancel := s.lasting(ctx)
	defer cancel()
	s.tx.closeOpen()
	record := statement{part: partAuthority, sql: recordStaleSQL, args: []any{
		s.migration, s.scope.Tenant, side.String(), keys, s.scope.Decision.Epoch, cause(why),
	}}
	if err := s.own(ctx, record); err != nil {
		return fmt.Errorf("record a stale key: %w (after the %s side failed: %w)", err, side, why)
	}
	return nil
}

func (s *session[R]) ClearStale(ctx context.Context, records []repo.StaleKey) error {
	if len(records) == 0 {
		return nil
	}
	ids := make([]int64, len(records))
	for i, r := range records {
		ids[i] = r.ID
	}
	clears := statement{part: s.tx.queue.part, sql: "delete from crossfade.stale_keys where id = any($1)", args: []any{ids}}
	if err := s.own(ctx, clears); err != nil {
		return fmt.Errorf("clear stale records: %w", err)
	}
	return nil
}

// doomSQL fails, so that PostgreSQL itself refuses to commit. A savepoint of the
// application that is rolled back takes the write and the failure with it.
const doomSQL = `do $$ begin raise exception using errcode = 'XF005',
	message = 'crossfade: a write failed on one side: roll the transaction back'; end $$`

// Doom does nothing in a transaction of the operation's own, which is rolled
// back as the operation returns an error.
func (s *session[R]) Doom(ctx context.Context, _ flags.Side, _ []string, _ error) error {
	if s.owned {
		return nil
	}
	ctx, cancel := s.lasting(ctx)
	defer cancel()
	s.tx.closeOpen()
	var pg *pgconn.PgError
	if _, err := s.tx.handle.Exec(ctx, doomSQL); !errors.As(err, &pg) {
		return err
	}
	return nil // that is how it should fail; so does a transaction that had failed before
}

// Together compares what transactions of others had ended before fn and after
// it, in a transaction that sees more with each statement; a snapshot is one
// moment by itself.
func (s *session[R]) Together(ctx context.Context, fn func(context.Context) error) (bool, error) {
	if s.snapshot {
		return true, fn(ctx)
	}
	before, err := s.ended(ctx)
	if err != nil {
		return false, err
	}
	if err = fn(ctx); err != nil {
		return false, err
	}
	after, err := s.ended(ctx)
	return before == after, err
}

// ended names the transactions whose effects the next statement sees, besides
// its own.
func (s *session[R]) ended(ctx context.Context) (snapshot string, err error) {
	if err = s.tx.QueryRow(ctx, "select pg_current_snapshot()::text").Scan(&snapshot); err != nil {
		err = fmt.Errorf("look at the transaction's snapshot: %w", busy(err))
	}
	return snapshot, err
}

// Waiting reports whether statements of the sides wait: what they cost is known
// when the operation has ended.
func (s *session[R]) Waiting() bool { return s.queued && len(s.tx.queue.waiting) > 0 }

// Err implements [repo.Session].
func (s *session[R]) Err() error {
	if s.tx.queue.failed == nil {
		return nil
	}
	return s.tx.queue.failed
}

// Last implements [repo.Session]. In a queue the side's statements and COMMIT
// travel with those of the side with authority that still wait. Where everything
// waits, that is the whole transaction: should anything in it fail, nothing was
// written, and the write runs again. Otherwise the side has a savepoint and its
// own timeouts, and deferrable constraints are checked before COMMIT, which then
// cannot fail for that side's sake.
func (s *session[R]) Last(ctx context.Context, fn func(context.Context) error) error {
	if !s.queued {
		return s.Protect(ctx, fn)
	}
	q, before, saved := &s.tx.queue, len(s.tx.queue.waiting), false
	q.guard = guard{at: before, statements: []statement{
		{sql: "savepoint crossfade_other", part: partOther, take: func(results pgx.BatchResults) error {
			_, err := results.Exec()
			saved = err == nil
			return err
		}},
		timeoutsOther(s.b.db.otherArgs[0], s.b.db.otherArgs[1]),
	}}
	q.part, q.delay = partOther, true
	err := fn(ctx)
	s.tx.closeOpen()
	if err == nil && q.failed == nil {
		if !s.tx.implicit() {
			q.add(statement{sql: "set constraints all immediate", part: partOther})
		}
		err = s.tx.commit(ctx)
	}
	q.part, q.delay = partAuthority, false
	switch {
	case s.tx.ended:
		return nil
	case q.failed != nil && (q.failed.part != partOther || !saved || lost(q.failed.err) || s.tx.conn.Conn().IsClosed()):
		return q.failed // nobody can go on: see Err
	case saved:
		if err == nil { // the side made nothing of it
			err = q.failed
		}
		q.failed, q.undo = nil, true
		q.waiting = []statement{
			{sql: "rollback to savepoint crossfade_other", part: partAuthority},
			{sql: "release savepoint crossfade_other", part: partAuthority},
		}
	default: // nothing of it was sent
		q.waiting, q.guard = q.waiting[:before], guard{}
	}
	return err
}

// Protect runs fn in a savepoint with the timeouts of the side without
// authority. Deferrable constraints are checked inside, so that COMMIT cannot
// fail for that side's sake. Timeouts outlive a RELEASE, and are put back.
func (s *session[R]) Protect(ctx context.Context, fn func(context.Context) error) error {
	var before [2]string
	open := &pgx.Batch{}
	open.Queue("savepoint crossfade_other")
	open.Queue("select current_setting('statement_timeout'), current_setting('lock_timeout')").
		QueryRow(func(row pgx.Row) error { return row.Scan(&before[0], &before[1]) })
	other := timeoutsOther(s.b.db.otherArgs[0], s.b.db.otherArgs[1])
	open.Queue(other.sql, other.args...)
	if err := s.tx.handle.SendBatch(ctx, open).Close(); err != nil {
		return fmt.Errorf("set a savepoint: %w", busy(err))
	}
	err := fn(ctx)
	s.tx.closeOpen()
	if err == nil {
		shut := &pgx.Batch{}
		s.queueConstraints(shut, "immediate")
		back := timeoutsOther(before[0], before[1])
		shut.Queue(back.sql, back.args...)
		s.queueConstraints(shut, "deferred")
		shut.Queue("release savepoint crossfade_other")
		if err = s.tx.handle.SendBatch(ctx, shut).Close(); err == nil {
			return nil
		}
	}
	// By simple protocol: in a failed transaction only the exit from it can be
	// prepared, not what follows.
	ctx, cancel := s.lasting(ctx)
	defer cancel()
	const undo = "rollback to savepoint crossfade_other; release savepoint crossfade_other"
	if _, uerr := s.tx.handle.Exec(ctx, undo, pgx.QueryExecModeSimpleProtocol); uerr != nil {
		return errors.Join(err, fmt.Errorf("undo to the savepoint: %w", uerr))
	}
	return err
}

// queueConstraints switches the deferrable constraints of the side without
// authority: all of them in a transaction of our own, the named ones in a
// transaction of the application, whose own deferred work is not to be blamed.
func (s *session[R]) queueConstraints(batch *pgx.Batch, mode string) {
	if s.owned {
		if mode == "immediate" {
			batch.Queue("set constraints all immediate")
		}
		return
	}
	for _, name := range s.b.options.Deferrable[s.scope.Decision.Plan().Authority.Other()] {
		batch.Queue("set constraints " + pgx.Identifier{name}.Sanitize() + " " + mode)
	}
}
