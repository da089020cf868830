// Package shows shows generated types in every way, and hides them in some.
package shows

import (
	"context"

	"example.com/loaded/querydb"
)

type (
	Alias             = querydb.Row
	Embedded          struct{ querydb.Row }
	Field             struct{ Rows []querydb.Row }
	Interface         interface{ Rows() *querydb.Row }
	List              []map[string]querydb.Row
	Method            struct{}
	Generic[T any]    struct{ Value T }
	Constraint[T row] struct{ value T }
	row               interface{ querydb.Row | int }
	wrapped           struct{ Row querydb.Row }
)

func (Method) Get(ctx context.Context) (querydb.Row, error) { return querydb.Row{}, nil }

func Function(f func(chan *querydb.Row)) {}

func ThroughUnexported() *wrapped { return nil }

func InstanceOf() Generic[querydb.Row] { return Generic[querydb.Row]{} }

var Variable [2]querydb.Row

// What follows hides them.

type (
	Hidden        struct{ rows []querydb.Row }
	HiddenGeneric struct{ Generic[int] }
	Recursive     struct{ Next *Recursive }
)

func (Hidden) get() querydb.Row { return querydb.Row{} }

func unexported(querydb.Row) {}

func Harmless(Hidden, *Recursive) (context.Context, error) { return nil, nil }
