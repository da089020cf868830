package pgtest

import (
	"errors"
	"fmt"
	"strings"
)

// ErrGiven comes back, wrapped, from methods that would stop or start a server that is not ours.
var ErrGiven = errors.New("the server was named by " + EnvURL + ": start one with Config.Own to control it")

// NotFoundError says that no PostgreSQL server programs were found on this machine.
type NotFoundError struct {
	// Looked holds the places that were searched, in order.
	Looked []string
}

// Error names the places that were searched and the ways to get the programs.
func (e *NotFoundError) Error() string {
	return "no PostgreSQL server programs (initdb and postgres) found in " + strings.Join(e.Looked, ", ") +
		": install them with `sudo apt-get install postgresql` (Debian, Ubuntu) or `brew install postgresql@17` (Homebrew)," +
		" or set PGBIN to their folder, or name a running server in " + EnvURL
}

// GivenServerError says that the server named by EnvURL cannot be used. It never shows the password.
type GivenServerError struct {
	// Server is the server's address, user and database, or empty when the DSN could not be read.
	Server string
	// Err is the reason.
	Err error
}

// Error names the server, the reason and the remedy.
func (e *GivenServerError) Error() string {
	where := ""
	if e.Server != "" {
		where = " (" + e.Server + ")"
	}
	return fmt.Sprintf("the server named by %s%s cannot be used: %v: correct the variable, or unset it to start a throw-away server",
		EnvURL, where, e.Err)
}

// Unwrap returns the reason.
func (e *GivenServerError) Unwrap() error { return e.Err }

// PoolerNotFoundError says that the machine has no PgBouncer.
type PoolerNotFoundError struct{}

func (*PoolerNotFoundError) Error() string {
	return "pgbouncer was not found: run scripts/ensure-pgbouncer.sh, which installs it or prints the command"
}
