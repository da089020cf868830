package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Problem is what is wrong with the server, as far as a caller would act on it.
type Problem int

// What can be wrong with a server.
const (
	// BadDSN: the connection string cannot be read.
	BadDSN Problem = iota + 1
	// Unreachable: no server answers there.
	Unreachable
	// Lost: the connection broke, or the server is shutting down. A change that
	// was being committed may have been made or not.
	Lost
	// Denied: the server refuses the user, or the user lacks a privilege.
	Denied
	// NoDatabase: the server has no database of that name.
	NoDatabase
	// ReadOnly: the server takes no writes, as a standby does.
	ReadOnly
	// TooManyConnections: the server has no connection left.
	TooManyConnections
	// TimedOut: no answer came in time, or the pool had no free connection.
	TimedOut
	// NotPrepared: the session does not know a statement that was prepared on
	// the connection, because a pooler gave the connection another session.
	NotPrepared
	// DiskFull: the server has no room for what it should write.
	DiskFull
)

var problems = map[Problem]string{
	BadDSN:             "the DSN cannot be read: it looks like postgres://user:password@host:5432/database",
	Unreachable:        "the server cannot be reached: check host and port, and that it runs",
	Lost:               "the connection to the server was lost",
	Denied:             "the server refuses the user or its privileges",
	NoDatabase:         "the database does not exist: create it or correct the DSN",
	ReadOnly:           "the server is read-only: name the primary in the DSN",
	TooManyConnections: "the server has no connection left: close some or raise max_connections",
	TimedOut:           "no answer in time: the server is slow or the pool has no free connection",
	DiskFull:           "the server's disk is full: make room on it",
	NotPrepared:        "the DSN leads to a pooler that loses prepared statements: add default_query_exec_mode=cache_describe to it",
}

func (p Problem) String() string { return problems[p] }

// ServerError says that the server could not do what was asked, and why. The
// password of a DSN is never part of it.
type ServerError struct {
	Operation string
	Problem   Problem
	Err       error
}

func (e *ServerError) Error() string {
	return fmt.Sprintf("%s: %s: %v", e.Operation, e.Problem, e.Err)
}

func (e *ServerError) Unwrap() error { return e.Err }

// wrap names the operation in err, and tells a server's problems apart.
func wrap(operation string, err error) error {
	if err == nil {
		return nil
	}
	if isOurs(err) {
		return err
	}
	if p := problemOf(err); p != 0 {
		return &ServerError{Operation: operation, Problem: p, Err: err}
	}
	if missingTables(err) {
		return fmt.Errorf("%s: %w", operation, &VersionError{Want: newest, Err: err})
	}
	return fmt.Errorf("%s: %w", operation, err)
}

// wrapMigrate is wrap for Migrate, where a missing table is no sign of a
// missing ledger.
func wrapMigrate(err error) error {
	if missingTables(err) {
		return fmt.Errorf("%s: %w", migrateOperation, err)
	}
	return wrap(migrateOperation, err)
}

const migrateOperation = "migrate the ledger"

// isOurs reports whether err says already what to do.
func isOurs(err error) bool {
	var (
		unknown  *UnknownMigrationError
		define   *DefinitionError
		conflict *ConflictError
		input    *InputError
		server   *ServerError
		version  *VersionError
		open     *RampOpenError
		ramp     *RampStateError
		pooler   *PoolerError
	)
	return errors.As(err, &unknown) || errors.As(err, &define) || errors.As(err, &conflict) ||
		errors.As(err, &input) || errors.As(err, &server) || errors.As(err, &version) ||
		errors.As(err, &open) || errors.As(err, &ramp) || errors.As(err, &pooler)
}

func problemOf(err error) Problem {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		return BadDSN
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return problemOfState(pg.Code)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return TimedOut
	}
	if errors.Is(err, context.Canceled) {
		return 0
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return Unreachable
	}
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, pgx.ErrTxClosed) || strings.Contains(err.Error(), "conn closed") {
		return Lost
	}
	return 0
}

// problemOfState reads a SQLSTATE (PostgreSQL's manual, appendix A).
func problemOfState(code string) Problem {
	switch {
	case code == "3D000":
		return NoDatabase
	case preparedLost(code):
		return NotPrepared
	case code == "53100":
		return DiskFull
	case code == "25006":
		return ReadOnly
	case code == "53300":
		return TooManyConnections
	case code == "57014", code == "55P03":
		return TimedOut
	case code == "57P03": // starting up or shutting down
		return Unreachable
	case strings.HasPrefix(code, "28"), code == "42501":
		return Denied
	case strings.HasPrefix(code, "08"), code == "57P01", code == "57P02", code == "57P05":
		return Lost
	}
	return 0
}

// missingTables reports whether a statement named a schema, table, column or
// function that the ledger lacks.
func missingTables(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	switch pg.Code {
	case "3F000", "42P01", "42883", "42703":
		return true
	}
	return false
}
