package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/fence"
	"github.com/crossfade-db/crossfade/repo"
)

// Factory builds a side on a handle. It is called often and must be cheap; what
// it returns must keep no statement, row or transaction beyond the call.
type Factory[R any] func(DBTX) R

// sides is the backend of one entity: the pool's own form has a nil tx.
type sides[R any] struct {
	db      *DB
	make    [2]Factory[R]
	direct  [2]R
	tx      *Tx
	options SidesOptions
	care    *care
	// next is the routed repository of the migration that goes on from the new
	// side, in a transaction or, with nil, outside of one: see [Chain].
	next    func(*Tx) R
	nextOut R // outside of a transaction
}

// SidesOptions are settings that few migrations need.
type SidesOptions struct {
	// Deferrable names, per side, the deferrable constraints of its tables. In
	// a transaction of the application they are checked right after the side
	// without authority has written, so that COMMIT cannot fail on its behalf.
	// A transaction of this package's own checks all constraints there.
	Deferrable map[flags.Side][]string
}

// Sides returns the backend of two sides in this database. Nil factories, and
// factories that return nil, are errors.
func Sides[R any](db *DB, oldSide, newSide Factory[R], options ...SidesOptions) (repo.Backend[R], error) {
	if db == nil {
		return nil, errors.New("postgres.Sides: db is nil: make it with postgres.New")
	}
	b := &sides[R]{db: db, make: [2]Factory[R]{oldSide, newSide}, care: &care{}}
	for _, o := range options {
		b.options = o
	}
	for i, factory := range b.make {
		side := flags.Side(i) //nolint:gosec // 0 or 1
		if factory == nil {
			return nil, fmt.Errorf("postgres.Sides: the %s side is nil: give its factory", side)
		}
		b.direct[i] = factory(db.pool)
		if repo.NilSide(b.direct[i]) {
			return nil, fmt.Errorf("postgres.Sides: the factory of the %s side returned nil", side)
		}
	}
	return b, nil
}

// Transactional implements [repo.Backend].
func (b *sides[R]) Transactional() bool { return b.tx != nil }

// InTx implements [repo.Backend].
func (b *sides[R]) InTx(tx repo.Tx) (repo.Backend[R], error) {
	own, ok := tx.(*Tx)
	switch {
	case !ok || own == nil:
		return nil, fmt.Errorf("%T is not a *postgres.Tx", tx)
	case b.tx != nil:
		return nil, errors.New("the repository is in a transaction already")
	case own.db.pool != b.db.pool:
		return nil, errors.New("the transaction is one of another database")
	}
	bound := *b
	bound.tx = own
	return &bound, nil
}

// Read implements [repo.Backend].
func (b *sides[R]) Read(ctx context.Context, scope repo.Scope, look bool, fn func(context.Context, repo.Session[R]) error) error {
	switch {
	case b.tx != nil:
		return b.join(ctx, scope, false, look, fn)
	case !look:
		return fn(ctx, direct[R]{b, b.goesOn(scope)})
	}
	known, err := b.db.facts(ctx, b.db.pool, scope.Decision.Migration)
	if err != nil {
		return err
	}
	id := known.id
	var found lookup
	open := opening{
		isolation: "repeatable read read only",
		then:      append(b.db.timeouts(), lookStatement(id, scope, &found)),
		explain:   explain(scope),
	}
	return b.db.run(ctx, open, func(tx *Tx) error {
		s := b.session(tx, id, scope, &found)
		s.snapshot = true
		return fn(ctx, s)
	})
}

// Write implements [repo.Backend].
//
// A write that can be repeated is tried with its statements in a queue first:
// what needs no answer travels together. Should one of them fail, nothing was
// written, and the write runs again with every statement sent at once, so that
// each error reaches the side, or the rule of the ladder, that it is for.
//
// Both sides in one batch have no savepoint between them. Where that fails for
// the sake of the side without authority, of the fence, or of a timeout, the
// write runs again with a savepoint, and so do the next ones: what fails once
// fails again.
func (b *sides[R]) Write(ctx context.Context, scope repo.Scope, look bool, fn func(context.Context, repo.Session[R]) error) error {
	if b.tx != nil {
		return b.join(ctx, scope, true, look, fn)
	}
	if !scope.Repeatable || b.goesOn(scope) { // two fences, of which each has its own errors
		return b.write(ctx, scope, look, sentAtOnce, fn)
	}
	how := oneBatch
	if scope.Decision.Guarded() && !b.care.ended() {
		how = savepoints
	}
	for {
		var failed *queueError
		err := b.write(ctx, scope, look, how, fn)
		switch {
		case how == sentAtOnce || !errors.As(err, &failed) || !failed.again:
			return err
		case failed.careful:
			how = savepoints
			b.care.begin()
		default:
			how = sentAtOnce
		}
	}
}

// delivery is how the statements of a write are sent.
type delivery uint8

const (
	oneBatch   delivery = iota // both sides together, where everything can wait
	savepoints                 // the side without authority behind a savepoint
	sentAtOnce
)

// care is for writes that fail on the side without authority.
type care struct{ left atomic.Int32 }

// carefulWrites is how many writes have a savepoint after one that needed it.
const carefulWrites = 256

func (c *care) begin() { c.left.Store(carefulWrites) }

// ended reports whether a write may go without a savepoint, and counts it.
func (c *care) ended() bool { return c.left.Load() <= 0 || c.left.Add(-1) < 0 }

// write runs one operation in a transaction of its own. In a queue the opening
// waits for the first statement, unless the stale records have to be known
// before it.
func (b *sides[R]) write(
	ctx context.Context, scope repo.Scope, look bool, how delivery, fn func(context.Context, repo.Session[R]) error,
) error {
	queue := how != sentAtOnce
	known, err := b.db.facts(ctx, b.db.pool, scope.Decision.Migration)
	if err != nil {
		return err
	}
	plan := scope.Decision.Plan()
	open := opening{isolation: "read committed", explain: explain(scope), queued: queue, waits: queue && !look}
	open.implicit = open.waits && how == oneBatch && scope.Decision.Guarded() && known.committed && !(plan.WritesBoth && known.deferred)
	var found lookup
	if unfenced(scope) && !look {
		open.then = []statement{b.db.unfenced(scope.Decision.Migration)}
		if b.db.atConnect && !strings.Contains(scope.Decision.Migration, "*/") {
			open.unfenced = scope.Decision.Migration
		}
	} else {
		call := fenceCall{migration: known.id, scope: scope, lock: true, look: look}
		if !b.db.atConnect || plan.WritesBoth { // both sides in one batch have timeouts of their own
			call.timeouts = b.db.timeoutArgs
		}
		open.then = call.statements(&found)
	}
	return b.db.run(ctx, open, func(tx *Tx) error {
		tx.queue.delay = queue && scope.Op.Queue
		s := b.session(tx, known.id, scope, &found)
		s.owned, s.queued = true, queue
		return uncaptured(fn(ctx, s), scope)
	})
}

// unfenced reports whether an operation needs neither fence nor key lock. Only
// writes ever do without: a locking read would exclude nobody.
func unfenced(scope repo.Scope) bool {
	kind := scope.Op.Kind
	return (kind == repo.KindWrite || kind == repo.KindCreate) && scope.Decision.Guarded() && scope.Decision.Plan().Unfenced
}

// explain types the errors that the ledger's functions raise for a scope.
func explain(scope repo.Scope) func(error) error {
	return func(err error) error {
		return translate(err, scope.Decision.Migration, scope.Decision.Epoch, scope.Tenant)
	}
}

// join runs an operation inside the application's transaction. The fence comes
// with every use, since a savepoint of the application that is rolled back
// takes the locks with it.
//
// A READ COMMITTED transaction has no snapshot that a look-up and a read could
// share: a key may go stale, and even be repaired, between them. A read
// therefore looks again afterwards, and counts only when the ledger said the
// same both times and no record was deleted in between; otherwise it is read
// again, at last under locks. A stream cannot be read again: see [repo.Seq].
func (b *sides[R]) join(ctx context.Context, scope repo.Scope, lock, look bool, fn func(context.Context, repo.Session[R]) error) error {
	if lock || !look || scope.Op.Kind == repo.KindStream {
		_, err := b.joinOnce(ctx, scope, lock, look, fn)
		return err
	}
	for attempt := range maxLooks {
		if attempt >= optimisticLooks {
			_, err := b.joinOnce(ctx, scope, true, look, fn)
			var upgrade *LockUpgradeError
			if !errors.As(err, &upgrade) {
				return err
			}
		}
		s, err := b.joinOnce(ctx, scope, false, look, fn)
		if s == nil || ctx.Err() != nil {
			return err
		}
		same, lerr := s.sameAgain(ctx)
		if lerr != nil {
			return errors.Join(err, lerr)
		}
		if same {
			return err
		}
	}
	return fmt.Errorf("%s: its stale keys changed at each of %d readings: run the reconciler, and try again", scope.Op, maxLooks)
}

const (
	optimisticLooks = 5
	maxLooks        = 100
)

// joinOnce fences and runs fn. The session is nil when fn did not run.
func (b *sides[R]) joinOnce(
	ctx context.Context, scope repo.Scope, lock, look bool, fn func(context.Context, repo.Session[R]) error,
) (*session[R], error) {
	tx := b.tx
	if tx.refused != nil {
		return nil, tx.refused
	}
	if lock && !look && unfenced(scope) && !tx.fenced {
		if err := tx.markUnfenced(ctx, scope.Decision.Migration); err != nil {
			return nil, err
		}
		return b.within(ctx, b.session(tx, 0, scope, &lookup{}), fn)
	}
	known, err := b.db.facts(ctx, tx.handle, scope.Decision.Migration)
	if err != nil {
		return nil, err
	}
	id := known.id
	if lock {
		exclusive := scope.Keys.All() || len(scope.Keys.List()) > fence.MaxKeys
		if err := tx.lockTenant(id, scope.Decision.Migration, scope.Tenant, exclusive); err != nil {
			return nil, err
		}
	}
	var found lookup
	tx.queueFenced()
	tx.queue.add(fenceCall{migration: id, scope: scope, lock: lock, look: lock && look, joined: true}.statements(&found)...)
	if look && !lock {
		tx.queue.add(clearsStatement(&found.clears), lookStatement(id, scope, &found)) // the count before the records
	}
	if err := tx.ask(ctx); err != nil {
		err = explain(scope)(err)
		if repo.Retryable(err) {
			tx.refused = err
		}
		return nil, err
	}
	tx.unfenced, tx.marked = "", tx.marked || found.captured
	return b.within(ctx, b.session(tx, id, scope, &found), fn)
}

// within runs fn in the application's transaction and ends the operation, also
// after a panic, which the application may recover from.
func (b *sides[R]) within(
	ctx context.Context, s *session[R], fn func(context.Context, repo.Session[R]) error,
) (_ *session[R], err error) {
	tx := b.tx
	defer func() {
		if repo.Retryable(err) {
			tx.refused = err
		}
		if tx.adopted && tx.marked { // who opened it sends statements of which nothing is known here
			tx.closeOpen()
			ctx, cancel := s.lasting(ctx)
			defer cancel()
			if merr := tx.unmark(ctx); err == nil {
				err = merr
			}
		}
	}()
	return s, uncaptured(fn(ctx, s), s.scope)
}

// direct is the session of a plain read: each statement on a pooled connection.
type direct[R any] struct {
	b      *sides[R]
	goesOn bool
}

var errNoTransaction = errors.New("a plain read has no transaction")

func (d direct[R]) Side(side flags.Side) R {
	if d.goesOn && side == flags.NewSide {
		return d.b.nextOut
	}
	return d.b.direct[side]
}

func (direct[R]) Stale() []repo.StaleKey               { return nil }
func (direct[R]) Complete(flags.Side) bool             { return false }
func (direct[R]) Missed(flags.Side) bool               { return false }
func (direct[R]) Lock(context.Context, []string) error { return errNoTransaction }

func (direct[R]) Doom(context.Context, flags.Side, []string, error) error { return errNoTransaction }

func (direct[R]) ClearStale(context.Context, []repo.StaleKey) error { return errNoTransaction }

func (direct[R]) Together(context.Context, func(context.Context) error) (bool, error) {
	return false, nil
}

func (direct[R]) Last(context.Context, func(context.Context) error) error { return errNoTransaction }
func (direct[R]) Err() error                                              { return nil }

func (direct[R]) Protect(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) }

func (direct[R]) RecordStale(context.Context, flags.Side, []string, error) error {
	return errNoTransaction
}
