package severalatonce

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

// Thing has a wrong tag.
type Thing struct {
	A string `compare:"x"`
}

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Remove keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:read key=ids
	Fetch(ctx context.Context, tenant string, id int64) (shop.Customer, error)
	Count(ctx context.Context) int
	//crossfade:list
	Things(ctx context.Context, tenant string) ([]Thing, error)
}

/* want:
customers.go:11:2: Thing.A: compare tag: unknown item "x": it is one of -, ignore, safe, nilempty, decimal, json, unordered, by=, within=, func=
customers.go:14:1: Customers: delete=Remove: the interface has no method Remove
customers.go:19:2: Customers.Fetch: key=ids: there is no parameter ids; there is tenant, id
customers.go:20:2: Customers.Count: its last result is no error: a call that is refused or that fails must be able to say so; add an error result
*/
