package directivewordwithoutvalue

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:read key
	Fetch(ctx context.Context, tenant string, id int64) (shop.Customer, error)
	//crossfade:read key=
	Find(ctx context.Context, tenant string, id int64) (shop.Customer, error)
}

/* want:
customers.go:13:2: //crossfade:read: key needs a value, as in key=VALUE
customers.go:14:2: Customers.Fetch: it has no directive: add //crossfade:read key=id above it, if that is what it does (the directives are read, list, lock, write, create, stream)
customers.go:15:2: //crossfade:read: key= is empty
customers.go:16:2: Customers.Find: it has no directive: add //crossfade:read key=id above it, if that is what it does (the directives are read, list, lock, write, create, stream)
*/
