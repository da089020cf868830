package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crossfade-db/crossfade/repo"
)

// ErrClosed is returned by a handle that is used after its operation or its
// transaction ended.
var ErrClosed = errors.New("the transaction that this handle belonged to has ended")

// UnknownMigrationError says that the ledger does not know a migration.
type UnknownMigrationError struct{ Migration string }

func (e *UnknownMigrationError) Error() string {
	return fmt.Sprintf("migration %q is not in the ledger: register it, or check the name with `crossfade status`", e.Migration)
}

// IsolationError says that a transaction is not READ COMMITTED.
type IsolationError struct{ Level string }

func (e *IsolationError) Error() string {
	return "crossfade needs a READ COMMITTED transaction, this one is " + e.Level +
		": a snapshot older than the key lock would lose updates"
}

// LedgerError says that the ledger cannot be used, and what to do.
type LedgerError struct{ Err error }

func (e *LedgerError) Error() string {
	return fmt.Sprintf("the ledger is absent or older than this program: run `crossfade init` on this database: %v", e.Err)
}

func (e *LedgerError) Unwrap() error { return e.Err }

// LockUpgradeError says that a transaction writes by predicate after it wrote
// by key: two of them would wait for each other for ever.
type LockUpgradeError struct{ Migration, Tenant string }

func (e *LockUpgradeError) Error() string {
	return e.Migration + ": a write by predicate after a write by key in one transaction: call Tx.LockTenant first"
}

// SQLSTATEs that the ledger's functions raise.
const (
	stateRefused   = "XF001"
	stateIsolation = "XF002"
	stateUnknown   = "XF003"
	stateCaptured  = "XF006"
)

// late says what to do when no connection was had before ctx ended.
func late(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("no free connection in time: raise the pool's MaxConns, or end long transactions: %w", err)
}

// translate turns what the ledger's functions raise into typed errors.
func translate(err error, migration string, epoch int64, tenant string) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return busy(err)
	}
	switch pg.Code {
	case stateRefused:
		return &repo.RefusedError{Migration: migration, Epoch: epoch, Tenant: tenant, Cause: err}
	case stateIsolation:
		return &IsolationError{Level: isolationOf(pg.Message)}
	case stateUnknown:
		return &UnknownMigrationError{Migration: migration}
	case "3F000", "42883", "42P01": // no such schema, function, table
		return &LedgerError{Err: err}
	}
	return err
}

// uncaptured turns a statement of the authority that capture refused into a
// [*repo.RefusedError]: the decision is older than the refusal. One that let the
// write run without a fence is of a process that slept through a step. Of the side
// without authority it is that side's failure, like any other.
func uncaptured(err error, scope repo.Scope) error {
	var pg *pgconn.PgError
	if err == nil || !errors.As(err, &pg) || pg.Code != stateCaptured {
		return err
	}
	var side *repo.SideError
	if errors.As(err, &side) && side.Side != scope.Decision.Plan().Authority {
		return err
	}
	return &repo.RefusedError{
		Migration: scope.Decision.Migration, Epoch: scope.Decision.Epoch, Tenant: scope.Tenant, Captured: unfenced(scope), Cause: err,
	}
}

func isolationOf(message string) string {
	const before = "it is "
	for i := len(message) - len(before); i >= 0; i-- {
		if message[i:i+len(before)] == before {
			return message[i+len(before):]
		}
	}
	return "another level"
}

// cause returns what a stale record says about an error, without any value.
func cause(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		text := "SQLSTATE " + pg.Code
		if pg.ConstraintName != "" {
			text += ", constraint " + pg.ConstraintName
		}
		if pg.TableName != "" {
			text += ", table " + pg.SchemaName + "." + pg.TableName
		}
		return text
	}
	var panicked *repo.PanicError
	if errors.As(err, &panicked) {
		return "panic"
	}
	inner := err
	for next := errors.Unwrap(inner); next != nil; next = errors.Unwrap(inner) {
		inner = next
	}
	return fmt.Sprintf("error of type %T", inner)
}
