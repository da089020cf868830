package keyoftwotypes

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:read key=id
	Fetch(ctx context.Context, tenant string, id string) (shop.Customer, error)
	//crossfade:read key=id,name
	Pair(ctx context.Context, tenant string, id int64, name string) (shop.Customer, error)
}

/* want:
customers.go:14:2: Customers.Fetch: its key has type (string), and Keys returns keys of type (int64): the texts of one key could differ, and with them its lock; use the same types
customers.go:16:2: Customers.Pair: its key has type (int64, string), and Keys returns keys of type (int64): the texts of one key could differ, and with them its lock; use the same types
*/
