package accounts

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/crossfade-db/crossfade/flags"
)

// ErrInjected is the error of a side that was made to fail.
var ErrInjected = errors.New("injected")

// Fault is how one call of one side goes wrong. It travels in the ctx of the
// operation, so that jobs are not touched, and happens once.
type Fault struct {
	Side flags.Side
	Kind FaultKind
}

// FaultKind says what goes wrong.
type FaultKind int

// The kinds of faults.
const (
	ErrorBefore FaultKind = iota
	ErrorAfter            // what was written must not stay, or must be made up for
	BrokenStatement
	SwallowedFailure // the side hides that a statement failed
	PanicBefore
	PanicAfter
	Slow // longer than the side without authority may take
	OpenRows
	FaultKinds // how many there are
)

type faultKey struct{}

type pending struct {
	Fault
	done atomic.Bool
}

// WithFault has the first call of the fault's side under the ctx go wrong.
func WithFault(ctx context.Context, f Fault) context.Context {
	return context.WithValue(ctx, faultKey{}, &pending{Fault: f})
}

// ofReads says which faults a read may have: others would make it lie, or keep
// a connection of the pool for ever.
var ofReads = map[FaultKind]bool{ErrorBefore: true, BrokenStatement: true, PanicBefore: true, Slow: true}

// faulty runs a call of the side, unless its operation is to go wrong here.
func (v version) faulty(ctx context.Context, writes bool, call func() error) error {
	if writes {
		defer stay(ctx)
	}
	f, _ := ctx.Value(faultKey{}).(*pending)
	if f == nil || f.Side != v.side || f.done.Swap(true) {
		return call()
	}
	kind := f.Kind
	if !writes && !ofReads[kind] {
		kind = ErrorBefore
	}
	switch kind {
	case ErrorBefore:
		return ErrInjected
	case ErrorAfter:
		return errors.Join(call(), ErrInjected)
	case BrokenStatement:
		_, err := v.db.Exec(ctx, "select 1/0")
		return err
	case SwallowedFailure:
		_, _ = v.db.Exec(ctx, "select 1/0")
		return nil
	case PanicBefore:
		panic(ErrInjected)
	case PanicAfter:
		_ = call()
		panic(ErrInjected)
	case Slow:
		if _, err := v.db.Exec(ctx, "select pg_sleep(0.15)"); err != nil {
			return err
		}
	case OpenRows:
		rows, err := v.db.Query(ctx, "select generate_series(1, 10)") //nolint:rowserrcheck // they stay open on purpose
		if err != nil {
			return err
		}
		rows.Next()
		return ErrInjected
	}
	return call()
}

// Late is a decider whose operations may come long after they were decided, as
// those of a process that was stopped until its lease had run out.
type Late struct{ flags.Decider }

// Delay is how late an operation is, once, and how long it then stays in its
// transaction.
type Delay struct {
	// Between runs between the decision and its use. Nil does nothing.
	Between func(ctx context.Context)
	// Forgotten says that nobody waits for the operation meanwhile: only the
	// fence stands between it and the data.
	Forgotten bool
	Stay      time.Duration
}

type delayKey struct{}

type delayed struct {
	Delay
	done, stayed atomic.Bool
}

// WithDelay has the operation under the ctx be late.
func WithDelay(ctx context.Context, d Delay) context.Context {
	return context.WithValue(ctx, delayKey{}, &delayed{Delay: d})
}

// stay keeps a delayed operation in its transaction.
func stay(ctx context.Context) {
	if d, _ := ctx.Value(delayKey{}).(*delayed); d != nil && !d.stayed.Swap(true) {
		Pause(ctx, d.Stay)
	}
}

// Enter implements [flags.Decider].
func (l Late) Enter(ctx context.Context, s flags.Subject) (flags.Use, error) {
	d, _ := ctx.Value(delayKey{}).(*delayed)
	if d == nil || d.Between == nil || d.done.Swap(true) {
		return l.Decider.Enter(ctx, s)
	}
	if !d.Forgotten {
		use, err := l.Decider.Enter(ctx, s)
		if err == nil {
			d.Between(ctx)
		}
		return use, err
	}
	use, err := l.Decider.Enter(context.Background(), s) // no pin holds it either
	if err != nil {
		return use, err
	}
	use.Done()
	d.Between(ctx)
	return flags.Use{Decision: use.Decision}, nil
}

// Pause waits for a while, or until ctx ends.
func Pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
