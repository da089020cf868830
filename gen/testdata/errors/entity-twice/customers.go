package entitytwice

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
//crossfade:entity name=x
type Customers interface {
	shop.Roles

	//crossfade:read key=id
	Fetch(ctx context.Context, tenant string, id int64) (shop.Customer, error)
}

/* want:
customers.go:10:1: Customers: it has two //crossfade:entity lines: join them
*/
