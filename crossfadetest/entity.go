package crossfadetest

import (
	"context"
	"iter"
	"reflect"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/repo"
)

// Entity is what this package needs to know of an entity's interface R.
// crossfade gen writes it.
type Entity[R any] struct {
	// Name is what the entity is called, such as customers.
	Name string
	// Spread returns an R that asks pick, for each call anew, who serves it.
	Spread func(pick func() R) R
	// NotFound reports whether an error says that the key is absent.
	NotFound func(error) bool
	// Operations are the methods of R.
	Operations []Method[R]
	// Get names the operation that reads one key. [Contract] asks for every key
	// by it at the end of a sequence. Empty means that it does not.
	Get string
	// Options come before those that a test gives: the constants of
	// enumerations, for one.
	Options []Option
}

// Method is one method of R: an [Operation].
type Method[R any] interface {
	name() string
	kind() repo.Kind
	draw(d *Draw) call[R]
}

// Operation is one method of R with arguments A and the answer V.
type Operation[R, A, V any] struct {
	// Name is the method's.
	Name string
	// Kind is what its directive says.
	Kind repo.Kind
	// Draw draws arguments. A is a struct with an exported field for each
	// argument, in the method's order, ctx apart.
	Draw func(*Draw) A
	// Call calls the method. It must not keep the arguments.
	Call func(context.Context, R, A) (V, error)
	// Compare tells how two answers differ. Nil means by reflection.
	Compare compare.Func[V]
	// GoCode is the call as Go code, with "{0}" for the first argument and so on:
	// "r.Get(ctx, {0}, {1})".
	GoCode string
	// Results is how many results stand before the error.
	Results int
}

func (o Operation[R, A, V]) name() string { return o.Name }

func (o Operation[R, A, V]) kind() repo.Kind { return o.Kind }

func (o Operation[R, A, V]) draw(d *Draw) call[R] {
	d.operation = o.Name
	args := o.Draw(d)
	return call[R]{
		operation: o.Name,
		results:   o.Results,
		code:      o.GoCode,
		arguments: fieldsOf(reflect.ValueOf(args)),
		run: func(ctx context.Context, r R) (any, error) {
			return o.Call(ctx, r, repo.Clone(args))
		},
		compare: func(served, other any) []compare.Diff {
			return compare.Run(o.Compare, served.(V), other.(V)) // both come from run
		},
	}
}

// call is an operation with its arguments.
type call[R any] struct {
	operation string
	results   int
	code      string
	arguments []reflect.Value
	run       func(context.Context, R) (any, error)
	compare   func(served, other any) []compare.Diff
}

func fieldsOf(v reflect.Value) []reflect.Value {
	fields := make([]reflect.Value, v.NumField())
	for i := range fields {
		fields[i] = v.Field(i)
	}
	return fields
}

// None is the answer of operations that return nothing but an error.
type None struct{}

// CollectSeq runs an iterator to its end, or to its first error.
func CollectSeq[T any](rows iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for row, err := range rows {
		if err != nil {
			return all, err
		}
		all = append(all, row)
	}
	return all, nil
}

// CollectEach returns the rows that a method hands to its callback.
func CollectEach[T any](run func(each func(T) error) error) ([]T, error) {
	var all []T
	err := run(func(row T) error {
		all = append(all, row)
		return nil
	})
	return all, err
}
