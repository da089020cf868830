// Package shadow has parameters, types and functions with the names that
// generated code likes for itself.
package shadow

import (
	"context"
	"errors"
)

// ErrNone says that there is no such row.
var ErrNone = errors.New("none")

type (
	served struct{ ID, Name string }
	side   struct{ other other }
	other  struct{ Name string }
	c      []side
)

// customersKeyText, opSidesGet and v are taken.
func customersKeyText() string { return v }

const (
	v               = "v"
	opSidesGet      = 1
	sidesCopier     = 2
	sidesSearchArgs = 3
	diffServedList  = 4
)

// Sides has every unlucky name.
//
//crossfade:entity notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Sides interface {
	//crossfade:read key=r
	Get(repo context.Context, tenant string, r string) (served, error)
	//crossfade:list
	Search(ctx context.Context, tenant string, context, compare, side, args string, _ int, _ bool, nil bool) ([]served, error)
	//crossfade:list
	All(_ context.Context, tenant string, _ ...int) (c, []served, error)
	//crossfade:list
	Lower(_ context.Context, tenant string, out, err, struct_ string, string int, len int) (out2 []side, error2 int, err2 error)
	//crossfade:write key=ctx.ID
	Save(context context.Context, tenant string, ctx served) error
	//crossfade:write key=key
	Delete(error context.Context, tenant string, key string) error
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *string, limit int) ([]string, error)
}
