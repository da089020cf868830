package gormtx

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// ErrRowsOpen says that a statement could not be sent because the rows of an
// earlier one on the same transaction are still open: a connection serves one
// at a time. Nothing is lost: close them, or read them to the end, and go on.
var ErrRowsOpen = errors.New("rows of an earlier query are still open on this transaction: close them first")

// ErrPrepared refuses GORM's PrepareStmt: its statements belong to another
// connection, and pgx prepares and caches statements by itself.
var ErrPrepared = errors.New("PrepareStmt cannot be used here: leave it out, pgx prepares and caches statements by itself")

// ErrNoSQLDB refuses (*gorm.DB).DB and Connection: what lies below is pgx.
var ErrNoSQLDB = errors.New("there is no *sql.DB below this session: it runs on pgx")

// ErrUnbound is what a template of [Dialector] answers to every statement.
var ErrUnbound = errors.New("this *gorm.DB is a template without a connection: use the session that Opener.DB returns")

// ErrNoTransaction says that a *gorm.DB to be adopted is in no transaction.
var ErrNoTransaction = errors.New("adopt the transaction: the *gorm.DB is in none: " +
	"pass the one that Begin returned or that Transaction hands to its function")

// LostError says that the connection of the transaction is closed, and the
// transaction rolled back. Mostly a ctx ended while a statement ran on it, on
// this or on the other side of the transaction: pgx closes the connection then.
type LostError struct{ Err error }

func (e *LostError) Error() string {
	return "the connection is closed and the transaction rolled back, " +
		"as when the ctx of a statement in it ends: run the whole transaction again: " + e.Err.Error()
}

func (e *LostError) Unwrap() error { return e.Err }

// EndedError says that a statement ended an adopted transaction without its
// *sql.Tx taking notice: all that is still sent through that would commit by
// itself. Roll the *sql.Tx back and send nothing more.
type EndedError struct{}

func (*EndedError) Error() string {
	return "a statement ended the adopted transaction behind the back of its *sql.Tx: " +
		"send nothing more through that, as it would commit by itself, and roll it back"
}

// ForeignDriverError says that a transaction to be adopted does not run on pgx.
type ForeignDriverError struct {
	// Pool is the type of the transaction.
	Pool string
	Err  error
}

func (e *ForeignDriverError) Error() string {
	return fmt.Sprintf("adopt the transaction: what lies below the %s is not pgx's driver for database/sql, "+
		"open the database with github.com/jackc/pgx/v5/stdlib or gorm.io/driver/postgres: %v", e.Pool, e.Err)
}

func (e *ForeignDriverError) Unwrap() error { return e.Err }

// explain says what an error of the connection means for the transaction. What
// PostgreSQL itself reports passes unchanged: GORM looks at its very type.
func explain(ctx context.Context, err error) error {
	var pg *pgconn.PgError
	switch {
	case err == nil, errors.As(err, &pg):
		return err
	case pgconn.SafeToRetry(err) && strings.Contains(err.Error(), "conn busy"):
		return fmt.Errorf("%w: %w", ErrRowsOpen, err)
	case errors.Is(err, pgconn.ErrConnClosed), ctx.Err() != nil && pgconn.Timeout(err) && !pgconn.SafeToRetry(err):
		return &LostError{Err: err}
	}
	return err
}
