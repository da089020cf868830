package repo

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/versions"
)

// Config wires a route. Migration, Flag, Backend and Copier are required.
type Config[R any] struct {
	Migration versions.Migration
	// Flag decides the stage; it must be the flag of this migration.
	Flag flags.Decider
	// Backend runs the two sides.
	Backend Backend[R]
	// Copier copies a key from side to side. The generated constructor fills it in.
	Copier Copier[R]
	// Comparer compares reads at the stages that ask for it. Nil means that
	// nothing is compared.
	Comparer *Comparer
	// Meter is told how the calls of both sides go. Nil means nobody; the
	// guardrails of the control plane need the member of the fleet here.
	Meter Meter
}

// Route leads one entity's operations to its sides. It may be used by any
// number of goroutines.
type Route[R any] struct {
	migration versions.Migration
	flag      flags.Decider
	backend   Backend[R]
	plain     plain[R] // the backend too, where it has reads without a session
	copier    Copier[R]
	comparer  *Comparer
	source    any // whose connections comparisons take: see [pool]
	meter     Meter
	stats     *stats
}

// NewRoute checks the wiring and returns the route, or a [*ConfigError].
func NewRoute[R any](cfg Config[R]) (*Route[R], error) {
	bad := func(problem string) (*Route[R], error) {
		return nil, &ConfigError{Migration: cfg.Migration.Name, Problem: problem}
	}
	switch {
	case cfg.Migration.Name == "":
		return bad("the migration has no name: take it from a versions.Registry")
	case cfg.Flag == nil:
		return bad("Flag is nil: take it from the fleet's member, or use flags.Unguarded in tests")
	case cfg.Flag.Migration() != cfg.Migration.Name:
		return bad(fmt.Sprintf("the flag is that of migration %q", cfg.Flag.Migration()))
	case cfg.Backend == nil:
		return bad("Backend is nil: use postgres.Sides or repo.NewValues")
	case cfg.Copier == nil:
		return bad("Copier is nil: use the generated constructor")
	}
	r := &Route[R]{
		migration: cfg.Migration, flag: cfg.Flag, backend: cfg.Backend,
		copier: cfg.Copier, comparer: cfg.Comparer, meter: cfg.Meter, stats: &stats{},
	}
	r.plain, _ = cfg.Backend.(plain[R])
	switch b := cfg.Backend.(type) {
	case pooled:
		r.source = b.Pool()
	case sparing:
		r.source = r
	}
	return r, nil
}

// InTx returns the route inside a transaction in progress. A transaction of
// another backend makes every operation fail with an error that says so.
func (r *Route[R]) InTx(tx Tx) *Route[R] {
	bound, err := r.backend.InTx(tx)
	if err != nil {
		bound = brokenBackend[R]{err: fmt.Errorf("%s: use the transaction: %w", r.migration.Name, err)}
	}
	inTx := *r
	inTx.backend, inTx.plain = bound, nil
	return &inTx
}

// Migration returns the migration that the route serves.
func (r *Route[R]) Migration() versions.Migration { return r.migration }

// Flag returns the decider of the route.
func (r *Route[R]) Flag() flags.Decider { return r.flag }

// Backend returns the backend that runs the sides.
func (r *Route[R]) Backend() Backend[R] { return r.backend }

// Copier returns what copies a key from side to side.
func (r *Route[R]) Copier() Copier[R] { return r.copier }

// Stats are counts since the route was made.
type Stats struct {
	// Fallbacks are reads that the other side answered, as the authority erred.
	Fallbacks int64
	// StaleReads are reads that the other side answered, as the key was stale.
	StaleReads int64
	// StaleRecorded are writes whose side without authority failed.
	StaleRecorded int64
	// Repaired are stale keys that a write copied first.
	Repaired int64
	// Refused are transactions that the fence refused and that were decided anew.
	Refused int64
	// Lapsed are reads that did not count because the lease ran out during
	// them.
	Lapsed int64
}

type stats struct{ fallbacks, staleReads, staleRecorded, repaired, refused, lapsed atomic.Int64 }

// Stats returns the counts. It may be called at any time.
func (r *Route[R]) Stats() Stats {
	return Stats{
		Fallbacks: r.stats.fallbacks.Load(), StaleReads: r.stats.staleReads.Load(),
		StaleRecorded: r.stats.staleRecorded.Load(), Repaired: r.stats.repaired.Load(), Refused: r.stats.refused.Load(),
		Lapsed: r.stats.lapsed.Load(),
	}
}

// maxRefusals bounds how often one operation decides anew: each refusal means
// that a policy was published meanwhile.
const maxRefusals = 10

// decided runs fn under a decision, and again under a new one as long as the
// fence refuses, or the lease runs out during a read. Inside a transaction of the application a refusal is
// returned: the whole transaction must run again.
//
// An operation of one key is decided by that key, every other one for all keys
// of the tenant.
func (r *Route[R]) decided(ctx context.Context, tenant string, keys Keys, fn func(use flags.Use) error) error {
	subject := subjectOf(tenant, &keys)
	for t := (tries{}); ; {
		use, err := r.flag.Enter(ctx, subject)
		if err != nil {
			return err
		}
		t.applyTo(&use)
		if err = fn(use); err == nil {
			return nil
		}
		if err = r.anew(ctx, subject, &use.Decision, &t, err); err != nil {
			return err
		}
	}
}

func subjectOf(tenant string, keys *Keys) flags.Subject {
	return flags.Subject{Tenant: tenant, Key: keys.Only()}
}

// tries says how often one operation was decided anew, and what it learned.
type tries struct {
	refusals int
	fenced   bool // capture refused it: it needs the fence
}

func (t *tries) applyTo(use *flags.Use) {
	if t.fenced {
		use.Unfenced = false
	}
}

// anew prepares another try of an operation that failed under a decision. It
// returns the operation's error where there is none.
func (r *Route[R]) anew(ctx context.Context, subject flags.Subject, d *flags.Decision, t *tries, err error) error {
	if !Retryable(err) {
		return err
	}
	var refused *RefusedError
	if errors.As(err, &refused) {
		r.stats.refused.Add(1)
		t.fenced = t.fenced || refused.Captured
	}
	if r.later(ctx, subject, *d) {
		return err
	}
	if ferr := r.flag.Refused(ctx, subject, *d); ferr != nil {
		return fmt.Errorf("%w (and the policy in force cannot be loaded: %w)", err, ferr)
	}
	if r.backend.Transactional() || t.refusals >= maxRefusals || ctx.Err() != nil {
		return err
	}
	t.refusals++
	return nil
}

// later leaves it to the transaction in which the operation was refused to have
// the policy loaded when it has ended, where it can: many that are refused at once
// would otherwise each hold a connection and wait for another one.
func (r *Route[R]) later(ctx context.Context, subject flags.Subject, d flags.Decision) bool {
	ending, ok := r.backend.(interface{ Later(fn func() error) bool })
	return ok && ending.Later(func() error { return r.flag.Refused(ctx, subject, d) })
}

// held returns a [*LapsedError] unless the lease held from the decision until
// now. Inside a transaction of the application the fence, whose lock a step
// waits for, says more than the lease.
func (r *Route[R]) held(use *flags.Use, tenant string) error {
	if r.plain == nil && r.backend.Transactional() || use.Held() {
		return nil
	}
	r.stats.lapsed.Add(1)
	return &LapsedError{Migration: r.migration.Name, Epoch: use.Epoch, Tenant: tenant}
}

func (r *Route[R]) scope(op Op, d flags.Decision, tenant string, keys Keys) Scope {
	return Scope{Op: op, Decision: d, Tenant: tenant, Keys: keys}
}

// writeScope is the scope of an operation whose closure may run again: its
// arguments are restored before.
func (r *Route[R]) writeScope(op Op, d flags.Decision, tenant string, keys Keys) Scope {
	scope := r.scope(op, d, tenant, keys)
	scope.Repeatable = true
	return scope
}

// guard runs fn and turns its panic into a [*PanicError].
func guard(fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return fn()
}

// brokenBackend answers every operation with an error.
type brokenBackend[R any] struct{ err error }

func (b brokenBackend[R]) Read(context.Context, Scope, bool, func(context.Context, Session[R]) error) error {
	return b.err
}

func (b brokenBackend[R]) Write(context.Context, Scope, bool, func(context.Context, Session[R]) error) error {
	return b.err
}
func (b brokenBackend[R]) InTx(Tx) (Backend[R], error) { return nil, b.err }
func (b brokenBackend[R]) Transactional() bool         { return true }
