package backfill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
)

// ConfigError says what is wrong with the wiring of a worker.
type ConfigError struct{ Problem string }

func (e *ConfigError) Error() string { return "backfill: " + e.Problem }

// StageError says that a tenant stands where this work is not possible.
type StageError struct {
	Migration string
	Tenant    string
	Kind      string // of the job
	Stage     flags.Stage
}

func (e *StageError) Error() string {
	step := "step it to dual first"
	if e.Stage.Plan().Authority == flags.NewSide {
		step = "step it down to rampdown first"
	}
	return fmt.Sprintf("%s: tenant %q stands at %s, where not both sides are written: %s, then request the %s again",
		e.Migration, e.Tenant, e.Stage, step, e.Kind)
}

// TurnedError says that the authority passed to the other side of a tenant
// while a backfill was copying from it.
type TurnedError struct {
	Migration string
	Tenant    string
	From      flags.Side // the side that was copied from
	Stage     flags.Stage
}

func (e *TurnedError) Error() string {
	return fmt.Sprintf("%s: tenant %q went to %s, whose authority is the %s side, while the %s side was being copied: request a new backfill",
		e.Migration, e.Tenant, e.Stage, e.From.Other(), e.From)
}

// NotSettledError says that somebody may still act on an older policy under
// which a tenant's writes go to one side alone.
type NotSettledError struct {
	Migration string
	Tenant    string // empty: any tenant
	Epoch     int64
	Stage     flags.Stage // of the tenant under that policy
	// Acknowledged and Drained tell which half is missing.
	Acknowledged, Drained bool
	// Processes are those that act on the epoch or an older one.
	Processes []string
}

func (e *NotSettledError) Error() string {
	var missing []string
	if !e.Acknowledged {
		text := "acknowledged by every process"
		if len(e.Processes) > 0 {
			text += " (still on it: " + strings.Join(e.Processes, ", ") + ")"
		}
		missing = append(missing, text)
	}
	if !e.Drained {
		missing = append(missing, "drained of its transactions")
	}
	who := "some tenant"
	if e.Tenant != "" {
		who = fmt.Sprintf("tenant %q", e.Tenant)
	}
	return fmt.Sprintf("%s: epoch %d, at which %s stood at %s, is not yet %s",
		e.Migration, e.Epoch, who, e.Stage, strings.Join(missing, " nor "))
}

// UncopiedError says that keys of a tenant could not be copied. They are
// recorded as stale, with their reasons.
type UncopiedError struct {
	Migration string
	Tenant    string
	Keys      int64
	Reason    string // of one of them
}

func (e *UncopiedError) Error() string {
	return fmt.Sprintf("%s: %d keys of tenant %q cannot be copied, one of them because of %s: mend the cause and request the job again",
		e.Migration, e.Keys, e.Tenant, e.Reason)
}

// InconclusiveError says that nothing could be said about some keys of a
// tenant, which is therefore not verified.
type InconclusiveError struct {
	Migration string
	Tenant    string
	Keys      int64
}

func (e *InconclusiveError) Error() string {
	return fmt.Sprintf("%s: nothing can be said about %d keys of tenant %q, which are stale or cannot be compared: reconcile, then verify again",
		e.Migration, e.Keys, e.Tenant)
}

// UnknownTenantError says that a job names a tenant which the application's
// iterator does not.
type UnknownTenantError struct {
	Migration string
	Tenant    string
}

func (e *UnknownTenantError) Error() string {
	return fmt.Sprintf("%s: tenant %q is none of the application's tenants: check its name", e.Migration, e.Tenant)
}

// staleError says that a stale record forbids a copy.
type staleError struct {
	side  flags.Side
	stage flags.Stage
	whole bool // the record covers the whole tenant
}

func (e *staleError) Error() string {
	return fmt.Sprintf("a record that the %s side is stale, which at %s cannot be repaired", e.side, e.stage)
}

// tenantsError joins the failures of single tenants.
type tenantsError struct {
	all    int
	failed []error
}

func (e *tenantsError) Error() string {
	const shown = 3
	texts := make([]string, 0, shown)
	for _, err := range e.failed[:min(shown, len(e.failed))] {
		texts = append(texts, describe(err))
	}
	text := strings.Join(texts, "; ")
	if len(e.failed) > 1 || e.all > 1 {
		text = fmt.Sprintf("%d of %d tenants failed: %s", len(e.failed), e.all, text)
	}
	return text
}

func (e *tenantsError) Unwrap() []error { return e.failed }

// Errors between the parts of this package.
var (
	errMoved     = errors.New("another policy is in force")
	errRestarted = errors.New("the tenant's walk begins anew")
	errUnguarded = errors.New("the flag's decisions are unguarded: copying needs the ledger's own")
)

// class is what a failed transaction calls for.
type class int

const (
	classData     class = iota // a key cannot be copied: find it
	classMoved                 // decide again
	classConflict              // locks: wait and try again
	classLost                  // the job is somebody else's, or ctx ended
	classServer                // the connection: go on from the checkpoints
	classFatal                 // the wiring or the SQL: no key can be copied
)

// classify tells errors of a chunk's transaction apart. ctx is the job's.
func classify(ctx context.Context, err error) class {
	var pg *pgconn.PgError
	var unknown *repo.UnknownOutcomeError
	var server *ledger.ServerError
	var policy *flags.NoPolicyError
	var config *ConfigError
	switch {
	case ctx.Err() != nil || errors.Is(err, ledger.ErrJobLost):
		return classLost
	case errors.Is(err, errMoved) || repo.Retryable(err):
		return classMoved
	case errors.As(err, &unknown) || errors.As(err, &server) || errors.As(err, &policy):
		return classServer
	case errors.As(err, &config) || errors.Is(err, errUnguarded):
		return classFatal
	case errors.As(err, &pg):
		return classifyState(pg.Code)
	case errors.Is(err, context.DeadlineExceeded):
		return classConflict // the transaction's own age
	case connectionLost(err):
		return classServer
	}
	return classData
}

func classifyState(code string) class {
	switch code {
	case "55P03", "40P01", "40001", "57014":
		return classConflict
	case "57P01", "57P02", "57P03", "57P05", "25006", "25P03":
		return classServer
	}
	switch code[:2] {
	case "08", "53":
		return classServer
	case "42", "XF":
		return classFatal
	}
	return classData
}

func connectionLost(err error) bool {
	var network net.Error
	var connect *pgconn.ConnectError
	return errors.As(err, &network) || errors.As(err, &connect) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "conn closed")
}

// describe says what an error is without any value of the application.
func describe(err error) string {
	var pg *pgconn.PgError
	var panicked *repo.PanicError
	var server *ledger.ServerError
	if text, ok := ours(err); ok || err == nil {
		return text
	}
	switch {
	case errors.As(err, &panicked):
		return fmt.Sprintf("a panic of type %T", panicked.Value)
	case errors.As(err, &pg):
		return describeState(pg)
	case errors.As(err, &server):
		return server.Problem.String()
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	inner := err
	for next := errors.Unwrap(inner); next != nil; next = errors.Unwrap(inner) {
		inner = next
	}
	return fmt.Sprintf("an error of type %T", inner)
}

func describeState(pg *pgconn.PgError) string {
	text := "SQLSTATE " + pg.Code
	if strings.HasPrefix(pg.Code, "42") { // names of columns and functions, never values
		text += " (" + pg.Message + ")"
	}
	if pg.ConstraintName != "" {
		text += ", constraint " + pg.ConstraintName
	}
	if pg.TableName != "" {
		text += ", table " + pg.SchemaName + "." + pg.TableName
	}
	return text
}

// ours returns the text of an error that is known to hold no values.
func ours(err error) (string, bool) {
	var (
		config  *ConfigError
		stage   *StageError
		turned  *TurnedError
		settled *NotSettledError
		copied  *UncopiedError
		said    *InconclusiveError
		tenant  *UnknownTenantError
		stale   *staleError
		walk    *walkError
		tenants *tenantsError
		wrong   *ledger.StageError
		repairs *UnrepairedError
		first   *NotBackfilledError
	)
	switch {
	case errors.As(err, &tenants):
		return tenants.Error(), true
	case errors.As(err, &config):
		return config.Error(), true
	case errors.As(err, &stage):
		return stage.Error(), true
	case errors.As(err, &turned):
		return turned.Error(), true
	case errors.As(err, &settled):
		return settled.Error(), true
	case errors.As(err, &copied):
		return copied.Error(), true
	case errors.As(err, &said):
		return said.Error(), true
	case errors.As(err, &tenant):
		return tenant.Error(), true
	case errors.As(err, &stale):
		return stale.Error(), true
	case errors.As(err, &walk):
		return walk.Error(), true
	case errors.As(err, &repairs):
		return repairs.Error(), true
	case errors.As(err, &first):
		return first.Error(), true
	case errors.As(err, &wrong):
		return wrong.Error(), true
	case errors.Is(err, errUnguarded):
		return errUnguarded.Error(), true
	}
	return "", false
}

// UnrepairedError says that stale keys are left after a reconcile job.
type UnrepairedError struct {
	Migration string
	Repairs   Repairs
}

func (e *UnrepairedError) Error() string {
	text := fmt.Sprintf("%s: %d stale keys repaired", e.Migration, e.Repairs.Repaired)
	if e.Repairs.Failed > 0 {
		text += fmt.Sprintf(", %d cannot be copied: their records say why", e.Repairs.Failed)
	}
	if e.Repairs.Left > 0 {
		text += fmt.Sprintf(", %d left, as their tenants stand where they cannot be repaired", e.Repairs.Left)
	}
	return text
}

// NotBackfilledError says that a tenant cannot be verified, as its sides do not
// hold the same keys yet.
type NotBackfilledError struct {
	Migration string
	Tenant    string
}

func (e *NotBackfilledError) Error() string {
	return fmt.Sprintf("%s: tenant %q is not backfilled: run a backfill first", e.Migration, e.Tenant)
}
