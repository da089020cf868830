package ledger

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// PoolerError says that an operation needs one session of the server for itself,
// and that the DSN leads to a pooler, which may hand every transaction to
// another session. Nothing was changed.
type PoolerError struct{ Operation string }

func (e *PoolerError) Error() string {
	return e.Operation + ": the DSN leads to a connection pooler, such as PgBouncer: " +
		"give a DSN with the host and port of the PostgreSQL server itself for this one operation; everything else may go through the pooler"
}

// Pooled reports whether the connection leads to a pooler. The server says at
// the start which of its processes serves the connection; a pooler says
// something of its own, since the process changes.
func Pooled(ctx context.Context, conn *pgx.Conn) (bool, error) {
	var pid uint32
	// Without a prepared statement, which a pooler could lose.
	err := conn.QueryRow(ctx, "select pg_catalog.pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&pid)
	if err != nil {
		return false, wrap("look for a pooler", err)
	}
	return pid != conn.PgConn().PID(), nil
}

// Direct returns a [*PoolerError] unless the connection leads to the server
// itself. Whatever takes session locks, or changes tables over several
// transactions, asks this first.
func Direct(ctx context.Context, conn *pgx.Conn, operation string) error {
	pooled, err := Pooled(ctx, conn)
	if err == nil && pooled {
		err = &PoolerError{Operation: operation}
	}
	return err
}

// direct is Direct for database/sql.
func direct(ctx context.Context, conn *sql.Conn, operation string) error {
	return conn.Raw(func(driver any) error {
		c, ok := driver.(*stdlib.Conn)
		if !ok {
			return errors.New("the driver is not pgx")
		}
		return Direct(ctx, c.Conn(), operation)
	})
}

// preparedLost reports whether the server does not know a statement that the
// program has prepared, or knows another one under its name: a pooler handed the
// connection to another session.
func preparedLost(code string) bool { return code == "26000" || code == "42P05" }
