package methodwithoutctx

import (
	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:read key=id
	Fetch(tenant string, id int64) (shop.Customer, error)
	//crossfade:list
	Size() (int, error)
}

/* want:
customers.go:12:2: Customers.Fetch: its first parameter is no context.Context: the decision and the deadline travel in it; add ctx context.Context
customers.go:14:2: Customers.Size: its first parameter is no context.Context: the decision and the deadline travel in it; add ctx context.Context
*/
