package directivebehindaspace

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	// crossfade:read key=id
	Fetch(ctx context.Context, tenant string, id int64) (shop.Customer, error)
}

/* want:
customers.go:13:2: this comment is no directive: write //crossfade: without a space before it
customers.go:14:2: Customers.Fetch: it has no directive: add //crossfade:read key=id above it, if that is what it does (the directives are read, list, lock, write, create, stream)
*/
