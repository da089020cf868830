package directivetwice

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:read key=id
	//crossfade:lock key=id
	Fetch(ctx context.Context, tenant string, id int64) (shop.Customer, error)
}

/* want:
customers.go:15:2: Customers.Fetch: it has two directives, read and lock: keep one
*/
