package repo

import (
	"context"

	"github.com/crossfade-db/crossfade/flags"
)

// Scope says on whose behalf a backend works: one operation under one decision.
type Scope struct {
	Op       Op
	Decision flags.Decision
	Tenant   string
	Keys     Keys
	// Repeatable says that fn may run more than once, and before it is known
	// whether the decision still holds: a write may then send the fence together
	// with the first statement of fn.
	Repeatable bool
}

// StaleKey is a key of which one side missed a write.
type StaleKey struct {
	ID   int64
	Key  string // StaleAll for every key of the tenant
	Side flags.Side
}

// StaleAll is the key of a stale record that covers a whole tenant: a write by
// predicate whose side without authority failed.
const StaleAll = "*"

// Backend runs the sides of one migration. repo/postgres and [NewValues]
// implement it; applications only pass it on.
type Backend[R any] interface {
	// Read runs fn for an operation that writes nothing. With look, the
	// session knows the stale records of the scope, and both sides and the
	// records are read in one snapshot; in a transaction of the application, fn
	// runs again until the records were the same before and after it, unless
	// the operation is a stream. Without look the session has no
	// snapshot and no records.
	Read(ctx context.Context, s Scope, look bool, fn func(context.Context, Session[R]) error) error
	// Write runs fn in one transaction behind the fence, with the scope's keys
	// locked and, with look, their stale records read under the locks. It
	// commits when fn returns nil and otherwise rolls back. A decision that
	// the ledger no longer holds is a *[RefusedError]: nothing was written then,
	// and fn has not run unless the scope is repeatable.
	Write(ctx context.Context, s Scope, look bool, fn func(context.Context, Session[R]) error) error
	// InTx returns the same backend inside a transaction in progress, or an
	// error when tx is not of its kind.
	InTx(tx Tx) (Backend[R], error)
	// Transactional reports whether the backend is bound to a transaction of
	// the application: its reads are not compared.
	Transactional() bool
}

// Session is what a backend hands to an operation. It is valid until the
// function that it was given to returns, and only for one goroutine.
type Session[R any] interface {
	// Side returns the side, bound to the session's transaction or snapshot.
	Side(flags.Side) R
	// Stale returns the stale records of the scope that were looked up, and of
	// keys that were locked later, where the database records what is written.
	Stale() []StaleKey
	// Complete reports whether the side holds every key: the old side does
	// until the tenant reaches new. Known after a look.
	Complete(flags.Side) bool
	// Missed reports whether the side is known to have missed writes that no
	// stale record tells: the old side did at new. Known after a look.
	Missed(flags.Side) bool
	// Lock locks more keys of the scope's tenant: those the database made.
	Lock(ctx context.Context, keys []string) error
	// Together runs fn, which reads both sides, and reports whether all that it
	// read is of one moment. A session that cannot tell does not run fn.
	Together(ctx context.Context, fn func(context.Context) error) (bool, error)
	// Protect runs fn so that its failure undoes what fn did and nothing else.
	Protect(ctx context.Context, fn func(context.Context) error) error
	// Last runs fn, which writes the side without authority, as Protect does. It
	// is the last part of an operation that succeeds: in a transaction of the
	// operation's own it may be committed here. After an error the operation may
	// go on, unless Err returns one.
	Last(ctx context.Context, fn func(context.Context) error) error
	// Err is not nil once nothing more can be done in the session: the fence
	// refused, a statement failed that was to be sent later, or it is not known
	// whether the transaction was committed.
	Err() error
	// RecordStale records the keys as stale on the side, in the transaction.
	RecordStale(ctx context.Context, side flags.Side, keys []string, cause error) error
	// ClearStale deletes exactly these records, in the transaction.
	ClearStale(ctx context.Context, records []StaleKey) error
	// Doom is called when the operation fails although the authority may have
	// written, because the side misses that. The transaction can then no longer
	// be committed, also where the application opened it and goes on after the
	// error. A backend that cannot undo a write records the keys as stale.
	Doom(ctx context.Context, side flags.Side, keys []string, cause error) error
}

// Tx is a transaction in progress, of the backend's own kind: for repo/postgres
// a *postgres.Tx.
type Tx interface {
	// CrossfadeTx marks the type.
	CrossfadeTx()
}

// Copier copies and walks the keys of one entity through the two sides.
// Generated code provides it as a [CopyBy].
type Copier[R any] interface {
	// Copy makes the key on side to equal to side from: it writes there what
	// from holds, or deletes there where from has none. The caller holds the
	// key's lock. It is idempotent.
	Copy(ctx context.Context, from, to R, tenant, key string) error
	// Has reports whether the side holds the key.
	Has(ctx context.Context, side R, tenant, key string) (bool, error)
	// Keys returns up to limit keys of a side in its own order, those behind
	// after; an empty after means from the start.
	Keys(ctx context.Context, side R, tenant, after string, limit int) ([]string, error)
	// NotFound reports whether an error of a side says that a key is absent.
	NotFound(error) bool
	// Diff compares one key on both sides; absent on both is equal.
	Diff(ctx context.Context, old, new R, tenant, key string) ([]Diff, error)
	// Mix returns the old side's list with those values replaced for whose keys
	// fromNew says so and that the new side's list has; neither list is changed.
	// It is false for answers that are no lists of the entity's values.
	Mix(oldList, newList any, fromNew func(key string) bool) (any, bool)
}
