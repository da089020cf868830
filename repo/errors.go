package repo

import (
	"errors"
	"fmt"

	"github.com/crossfade-db/crossfade/flags"
)

// RefusedError says that the fence refused a transaction: its policy is no
// longer the ledger's. Outside of a transaction the router decides again and
// repeats by itself. In a transaction that the application opened it is
// returned: roll back and run the whole transaction again.
type RefusedError struct {
	Migration string
	Epoch     int64
	Tenant    string
	// Captured says that capture refused a write that ran without a fence: it
	// was decided by a policy that is long replaced. The next try is fenced.
	Captured bool
	Cause    error
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s: policy of epoch %d is no longer in force: run the transaction again", e.Migration, e.Epoch)
}

func (e *RefusedError) Unwrap() error { return e.Cause }

// LapsedError says that the process lost its lease while it was reading, so that
// what it read may be of a policy that is no longer in force. A plain read is
// thrown away and repeated by the router itself. A stream returns this error at
// its next row, because rows were handed out already: throw them away and run
// the whole stream again.
type LapsedError struct {
	Migration string
	Epoch     int64
	Tenant    string
}

func (e *LapsedError) Error() string {
	return fmt.Sprintf("%s: the lease on the policy of epoch %d ran out during the read: throw away what was read, and read again", e.Migration, e.Epoch)
}

// Retryable reports whether the error says to begin again: the whole
// transaction after a [*RefusedError], the whole stream after a [*LapsedError].
func Retryable(err error) bool {
	var refused *RefusedError
	var lapsed *LapsedError
	return errors.As(err, &refused) || errors.As(err, &lapsed)
}

// SideError says that the side without authority failed a write that is
// strict (stage live). Nothing was written on either side.
type SideError struct {
	Op   Op
	Side flags.Side
	Err  error
}

func (e *SideError) Error() string {
	return fmt.Sprintf("%s: the %s side failed, nothing was written: %v", e.Op, e.Side, e.Err)
}

func (e *SideError) Unwrap() error { return e.Err }

// errTenantStale says why a write by predicate cannot run at live.
var errTenantStale = errors.New("a write by predicate was missed here: run the reconciler for the tenant first")

// PanicError is a panic of the side without authority, or of a comparator,
// turned into an error.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %T", e.Value) }

// ConfigError says what is wrong with the wiring of a route.
type ConfigError struct {
	Migration string
	Problem   string
}

func (e *ConfigError) Error() string {
	return fmt.Sprintf("route of migration %q: %s", e.Migration, e.Problem)
}

// UnknownOutcomeError says that the connection was lost while the transaction
// was being committed: it may or may not have been.
type UnknownOutcomeError struct{ Err error }

func (e *UnknownOutcomeError) Error() string {
	return fmt.Sprintf("commit: the outcome is unknown: %v", e.Err)
}

func (e *UnknownOutcomeError) Unwrap() error { return e.Err }
