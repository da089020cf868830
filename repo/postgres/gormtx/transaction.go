package gormtx

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"github.com/crossfade-db/crossfade/repo/postgres"
)

// cleanupTimeout bounds a rollback, which runs also after ctx has ended.
const cleanupTimeout = 5 * time.Second

// transaction is a transaction in progress: one that somebody else opened, one
// that (*gorm.DB).Begin opened on a pool, or a savepoint in either.
type transaction struct {
	statements
	ctx       context.Context // of BeginTx: Commit and Rollback get none
	begun     pgx.Tx          // nil unless it was begun here
	outer     *transaction    // of a savepoint, else nil
	savepoint string
	ended     atomic.Bool
}

var (
	_ gorm.Tx               = (*transaction)(nil)
	_ gorm.ConnPoolBeginner = (*transaction)(nil)
)

// savepoints numbers them; the same name twice would be lawful but hard to read.
var savepoints atomic.Uint64

// refuse returns why a statement cannot be sent.
func (t *transaction) refuse(query string) error {
	for s := t; s != nil; s = s.outer {
		if s.ended.Load() {
			return sql.ErrTxDone
		}
	}
	return postgres.RefuseControl(query)
}

// ExecContext implements [gorm.ConnPool].
func (t *transaction) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := t.refuse(query); err != nil {
		return nil, err
	}
	return t.statements.ExecContext(ctx, query, args...)
}

// QueryContext implements [gorm.ConnPool].
func (t *transaction) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := t.refuse(query); err != nil {
		return nil, err
	}
	return t.statements.QueryContext(ctx, query, args...)
}

// QueryRowContext implements [gorm.ConnPool].
func (t *transaction) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := t.refuse(query); err != nil {
		return statements{q: failing{err}}.QueryRowContext(ctx, query)
	}
	return t.statements.QueryRowContext(ctx, query, args...)
}

// BeginTx implements [gorm.ConnPoolBeginner]: a savepoint.
func (t *transaction) BeginTx(ctx context.Context, options *sql.TxOptions) (gorm.ConnPool, error) {
	if options != nil && (options.ReadOnly || options.Isolation != sql.LevelDefault && options.Isolation != sql.LevelReadCommitted) {
		return nil, errors.New("begin: a part of a transaction cannot have an isolation level of its own, nor be read only")
	}
	s := &transaction{
		statements: t.statements, ctx: ctx, outer: t,
		savepoint: "crossfade_gorm_" + strconv.FormatUint(savepoints.Add(1), 10),
	}
	if _, err := t.ExecContext(ctx, "savepoint "+s.savepoint); err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	return s, nil
}

// Commit implements [gorm.TxCommitter]. A savepoint that cannot be released,
// because a statement since has failed, is rolled back.
func (t *transaction) Commit() error {
	if err := t.end("COMMIT"); err != nil {
		return err
	}
	if t.begun != nil {
		return explain(t.ctx, t.begun.Commit(t.ctx))
	}
	if _, err := t.statements.ExecContext(t.ctx, "release savepoint "+t.savepoint); err != nil {
		return errors.Join(fmt.Errorf("commit: %w", err), t.undo())
	}
	return nil
}

// Rollback implements [gorm.TxCommitter].
func (t *transaction) Rollback() error {
	if err := t.end("ROLLBACK"); err != nil {
		return err
	}
	if t.begun == nil {
		return t.undo()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), cleanupTimeout)
	defer cancel()
	return t.begun.Rollback(ctx)
}

// end marks the transaction as ended, unless it is not this session's to end
// or has been already.
func (t *transaction) end(statement string) error {
	if t.begun == nil && t.outer == nil {
		return &postgres.ControlError{Statement: statement}
	}
	if err := t.refuse(""); err != nil {
		return err
	}
	if !t.ended.CompareAndSwap(false, true) {
		return sql.ErrTxDone
	}
	return nil
}

// undo rolls back to the savepoint and takes it away.
func (t *transaction) undo() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), cleanupTimeout)
	defer cancel()
	for _, statement := range []string{"rollback to savepoint ", "release savepoint "} {
		if _, err := t.statements.ExecContext(ctx, statement+t.savepoint); err != nil {
			return fmt.Errorf("roll back to the savepoint: %w", err)
		}
	}
	return nil
}

// StmtContext implements [gorm.Tx], which GORM asks of a transaction in a
// session with PrepareStmt: it is handed a statement that was prepared on some
// other connection, and gets one that fails.
func (*transaction) StmtContext(context.Context, *sql.Stmt) *sql.Stmt {
	return new(sql.Tx).StmtContext(refusal{context.Background()}, nil)
}

// refusal is a ctx that ended with [ErrPrepared]: the way to a *sql.Stmt that
// carries an error of ours.
type refusal struct{ context.Context }

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

func (refusal) Done() <-chan struct{} { return closed }
func (refusal) Err() error            { return ErrPrepared }
