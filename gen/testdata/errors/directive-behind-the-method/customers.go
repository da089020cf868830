package directivebehindthemethod

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	Fetch(ctx context.Context, tenant string, id int64) (shop.Customer, error) //crossfade:read key=id
}

/* want:
customers.go:13:2: Customers.Fetch: it has no directive: add //crossfade:read key=id above it, if that is what it does (the directives are read, list, lock, write, create, stream)
customers.go:13:77: //crossfade:read belongs to no method of an annotated interface: put it directly above the method, and //crossfade:entity above the interface
*/
