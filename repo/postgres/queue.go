package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// part says on whose behalf a statement is sent.
type part uint8

const (
	partOpening   part = iota // BEGIN and timeouts
	partFence                 // the fence, whose errors are typed
	partAuthority             // the side with authority, and records of the shim
	partOther                 // the side without authority, its savepoint included
	partCommit
)

// statement is one that waits to be sent.
type statement struct {
	sql  string
	args []any
	part part
	// take reads the statement's result. Nil means that nothing is read of it.
	take func(pgx.BatchResults) error
}

// queue holds the statements of a write that need no answer of their own, so
// that they travel together: BEGIN and the fence with the first statement that
// returns something, everything with COMMIT where none does.
type queue struct {
	waiting []statement
	// done is that of the operation's ctx. Statements under another deadline do
	// not wait.
	done <-chan struct{}
	// delay lets the sides' own statements wait, as far as they can.
	delay bool
	part  part // whose statements the sides send now
	// undo says that the first of those that wait leaves a failed part of the
	// transaction: in a failed transaction nothing else can be prepared.
	undo bool
	// guard protects what waits from the side without authority. It is sent only
	// if what waits is not a transaction of its own.
	guard guard
	// implicit says that the batch is its own transaction, without BEGIN: the
	// isolation is what the connection is set to.
	implicit bool
	both     bool // and is of both sides
	// failed is the failure of a statement that waited, or of the transaction:
	// nothing more is sent after it, whatever a side makes of it.
	failed *queueError
}

// guard are statements that belong before one of those that wait.
type guard struct {
	statements []statement
	at         int
}

// put puts the guard where it belongs.
func (q *queue) put() {
	q.waiting = slices.Insert(q.waiting, q.guard.at, q.guard.statements...)
	q.guard = guard{}
}

// queueError is a failure that was not the answer to the statement of a side.
type queueError struct {
	part part
	// again says that the transaction has written nothing and may run again, one
	// statement at a time: then every error reaches the side that it belongs to.
	again bool
	// careful says that it may do with a savepoint before the side without
	// authority, and with timeouts of its own for each.
	careful bool
	err     error
}

func (e *queueError) Error() string { return e.err.Error() }
func (e *queueError) Unwrap() error { return e.err }

func (q *queue) empty() bool {
	return len(q.waiting) == 0 && len(q.guard.statements) == 0 && q.failed == nil
}

func (q *queue) add(s ...statement) { q.waiting = append(q.waiting, s...) }

// delays reports whether a statement of the sides may wait.
func (q *queue) delays(ctx context.Context) bool { return q.delay && ctx.Done() == q.done }

// sqlcExec reports whether sqlc generated the statement for a method that
// returns an error alone: its first line is then "-- name: Method :exec".
func sqlcExec(sql string) bool {
	rest, ok := strings.CutPrefix(sql, "-- name: ")
	if !ok {
		return false
	}
	line, _, _ := strings.Cut(rest, "\n")
	return strings.HasSuffix(strings.TrimRight(line, " \r"), " :exec")
}

// Queue is the handle of a side whose sqlc statements may wait: see [Queued]. It
// is a [DBTX], on which a statement that sqlc generated as :exec is not sent at
// once, and whose command tag is empty. sqlc drops the tag. Code between sqlc and
// the handle that reads it, such as a wrapper that counts rows, must not be given
// a Queue.
type Queue struct{ *handle }

// Queued builds a side on a [Queue], by the unchanged constructor of a repository
// over sqlc's code:
//
//	sides, err := postgres.Sides(db, v1.New, postgres.Queued(v2.New))
//
// It says that nothing in the side reads the row count of a statement that sqlc
// generated as :exec. Outside of a write the side gets the handle as it is.
func Queued[R any](side Factory[R]) Factory[R] {
	if side == nil {
		return nil
	}
	return func(db DBTX) R {
		if h, ok := db.(*handle); ok {
			db = &Queue{handle: h}
		}
		return side(db)
	}
}

// Exec implements [DBTX].
func (q *Queue) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if sqlcExec(sql) {
		return pgconn.CommandTag{}, ExecLater(ctx, q.handle, sql, args...)
	}
	return q.handle.Exec(ctx, sql, args...)
}

// ExecLater executes a statement of which only the error counts, for sides that
// are written by hand. In a write whose statements may wait it is sent with the
// next one that cannot, or with COMMIT, and nil is returned; should it fail
// then, the write is undone and runs again with every statement sent at once,
// so that the side gets the error here. Everywhere else it is executed at once.
//
// Arguments may be changed afterwards. A statement that must find its row is
// not for ExecLater: nobody learns how many rows it changed.
func ExecLater(ctx context.Context, db DBTX, sql string, args ...any) error {
	if strings.TrimSpace(sql) == "" {
		return errors.New("execute a statement later: it is empty")
	}
	h, ok := db.(*handle)
	if q, is := db.(*Queue); is {
		h, ok = q.handle, true
	}
	if !ok || !h.queue.delays(ctx) {
		_, err := db.Exec(ctx, sql, args...)
		return err
	}
	if err := h.refuse(sql); err != nil {
		return err
	}
	return h.later(ctx, sql, args)
}

// flush sends what waits.
func (h *handle) flush(ctx context.Context) error {
	if h.queue.empty() {
		return nil
	}
	results, err := h.send(ctx)
	if err != nil {
		return err
	}
	return h.fail(partOpening, results.Close())
}

// ask sends what waits in a transaction of the application, which goes on
// where that failed.
func (h *handle) ask(ctx context.Context) error {
	h.sent++
	err := h.flush(ctx)
	if failed := h.queue.failed; failed != nil {
		err, h.queue.failed = failed.err, nil
	}
	return err
}

// send sends what waits and, behind it, more; the first result of the returned
// ones is that of more. An error is that of a statement that waited.
func (h *handle) send(ctx context.Context, more ...*pgx.QueuedQuery) (pgx.BatchResults, error) {
	q := &h.queue
	if q.failed != nil {
		return nil, q.failed
	}
	q.put()
	if q.undo {
		if err := h.leave(ctx); err != nil {
			return nil, err
		}
	}
	sent := q.waiting
	q.waiting = nil
	batch := &pgx.Batch{QueuedQueries: make([]*pgx.QueuedQuery, 0, len(sent)+len(more))}
	queries := make([]pgx.QueuedQuery, len(sent))
	for i, s := range sent {
		queries[i].SQL, queries[i].Arguments = s.sql, s.args
		batch.QueuedQueries = append(batch.QueuedQueries, &queries[i])
	}
	batch.QueuedQueries = append(batch.QueuedQueries, more...)
	results := h.q.SendBatch(ctx, batch)
	for i, s := range sent {
		take := s.take
		if take == nil {
			take = ignore
		}
		if err := take(results); err != nil {
			cerr := results.Close()
			switch {
			case i == 0 && errors.Is(cerr, err) && h.unsent(err):
				err = &unsentError{err}
			case cerr != nil:
				err = cerr
			}
			return nil, h.fail(s.part, err)
		}
	}
	return results, nil
}

func ignore(results pgx.BatchResults) error {
	_, err := results.Exec()
	return err
}

// fail notes the failure of a statement that waited. A batch of which a
// statement could not even be prepared was not executed at all: it is not known
// whose fault that is.
func (h *handle) fail(of part, err error) error {
	if err == nil {
		return nil
	}
	again := of == partOpening || of == partAuthority || of == partOther || h.queue.implicit && !refused(err) && (h.queue.both || !timedOut(err))
	if unprepared(err) {
		again = !cut(err)
	} else if lost(err) {
		again = false
	}
	careful := again && (isolation(err) || h.queue.both && (of != partAuthority || timedOut(err)))
	h.queue.failed = &queueError{part: of, err: err, again: again, careful: careful}
	return h.queue.failed
}

// leave leaves the failed part of the transaction, by simple protocol where a
// statement has failed. What waits goes with it where it can: a record of stale
// keys, and COMMIT.
func (h *handle) leave(ctx context.Context) error {
	q := &h.queue
	q.undo = false
	if h.status() != 'E' {
		return nil
	}
	text, args, n := together(q.waiting)
	tag, err := h.q.Exec(ctx, text, append([]any{pgx.QueryExecModeSimpleProtocol}, args...)...)
	if err == nil && q.waiting[n-1].part == partCommit && tag.String() != "COMMIT" {
		err = errSwallowed
	}
	if err != nil {
		return h.fail(partAuthority, fmt.Errorf("undo what the side without authority did: %w", err))
	}
	q.waiting = q.waiting[n:]
	return nil
}

// together writes the first n statements as one text, of which one alone may
// have arguments.
func together(waiting []statement) (sql string, args []any, n int) {
	var text strings.Builder
	for _, s := range waiting {
		if s.take != nil && s.part != partCommit || len(s.args) > 0 && args != nil {
			break
		}
		if len(s.args) > 0 {
			args = s.args
		}
		text.WriteString(s.sql)
		text.WriteString(";\n")
		n++
	}
	return text.String(), args, n
}

// status is the state of the transaction as the server told last: I, T or E.
func (h *handle) status() byte {
	if conn, ok := h.q.(interface{ Conn() *pgx.Conn }); ok {
		return conn.Conn().PgConn().TxStatus()
	}
	return 'T'
}

// lost reports whether an error leaves open what the server did.
func lost(err error) bool {
	var pg *pgconn.PgError
	switch {
	case unprepared(err):
		return false
	case errors.As(err, &pg):
		return pg.SeverityUnlocalized == "FATAL" || pg.SeverityUnlocalized == "PANIC"
	}
	return true
}

// isolation reports whether the fence refused the transaction's isolation level.
func isolation(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == stateIsolation
}

// timedOut reports whether a statement, or its wait for a lock, took too long.
func timedOut(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "57014" || pg.Code == "55P03") // query_canceled, lock_not_available
}

// refused reports whether the fence says that the decision does not count.
func refused(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == stateRefused || pg.Code == stateUnknown)
}

// unprepared reports whether a batch failed before any of it was executed.
func unprepared(err error) bool {
	var before pgx.ErrPreprocessingBatch
	var unsent *unsentError
	return errors.As(err, &before) || errors.As(err, &unsent)
}

// unsentError is pgx's refusal of a batch in the modes in which it has no type
// for that: an argument cannot be encoded, say.
type unsentError struct{ err error }

func (e *unsentError) Error() string { return e.err.Error() }
func (e *unsentError) Unwrap() error { return e.err }

// unsent reports whether a batch of which the first statement and the whole have
// the same error was not sent: in these modes that error is the server's, or the
// end of the connection, or comes before everything.
func (h *handle) unsent(err error) bool {
	conn, ok := h.q.(interface{ Conn() *pgx.Conn })
	if !ok || conn.Conn().IsClosed() || pgconn.SafeToRetry(err) {
		return false
	}
	var pg *pgconn.PgError
	mode := conn.Conn().Config().DefaultQueryExecMode
	return (mode == pgx.QueryExecModeExec || mode == pgx.QueryExecModeSimpleProtocol) && !errors.As(err, &pg)
}

// cut reports whether an error is that of a connection or of a ctx, and not of a
// statement.
func cut(err error) bool {
	var pg *pgconn.PgError
	var network net.Error
	switch {
	case errors.As(err, &pg):
		return pg.SeverityUnlocalized == "FATAL" || pg.SeverityUnlocalized == "PANIC"
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return true
	}
	return pgconn.SafeToRetry(err) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
