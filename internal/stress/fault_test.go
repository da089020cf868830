package stress

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/crossfade-db/crossfade/flags"
)

// fault is how one call of one side goes wrong. It travels in the ctx of the
// operation, so that jobs are not touched, and happens once.
type fault struct {
	side flags.Side
	kind faultKind
	done atomic.Bool
}

type faultKind int

const (
	errorBefore faultKind = iota
	errorAfter            // what was written must not stay, or must be made up for
	brokenStatement
	swallowedFailure // the side hides that a statement failed
	panicBefore
	panicAfter
	slow // longer than the side without authority may take
	openRows
	faultKinds
)

var errInjected = errors.New("injected")

type faultKey struct{}

func withFault(ctx context.Context, f *fault) context.Context {
	return context.WithValue(ctx, faultKey{}, f)
}

// ofReads says which faults a read may have: others would make it lie, or keep
// a connection of the pool for ever.
var ofReads = map[faultKind]bool{errorBefore: true, brokenStatement: true, panicBefore: true, slow: true}

// faulty runs a call of the side, unless its operation is to go wrong here.
func (v version) faulty(ctx context.Context, writes bool, call func() error) error {
	if writes {
		defer stay(ctx)
	}
	f, _ := ctx.Value(faultKey{}).(*fault)
	if f == nil || f.side != v.side || f.done.Swap(true) {
		return call()
	}
	kind := f.kind
	if !writes && !ofReads[kind] {
		kind = errorBefore
	}
	switch kind {
	case errorBefore:
		return errInjected
	case errorAfter:
		return errors.Join(call(), errInjected)
	case brokenStatement:
		_, err := v.db.Exec(ctx, "select 1/0")
		return err
	case swallowedFailure:
		_, _ = v.db.Exec(ctx, "select 1/0")
		return nil
	case panicBefore:
		panic(errInjected)
	case panicAfter:
		_ = call()
		panic(errInjected)
	case slow:
		if _, err := v.db.Exec(ctx, "select pg_sleep(0.15)"); err != nil {
			return err
		}
	case openRows:
		rows, err := v.db.Query(ctx, "select generate_series(1, 10)")
		if err != nil {
			return err
		}
		rows.Next()
		return errInjected
	}
	return call()
}
