package typeunknown

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:read key=id
	Fetch(ctx context.Context, tenant string, id int64) (Custmer, error)
	//crossfade:list
	List(ctx context.Context, tenant string, f shop.Filter) ([]map[string]*Missing, error)
}

/* want:
customers.go:14:2: Customers.Fetch: it does not type-check: undefined: Custmer
customers.go:16:2: Customers.List: it does not type-check: undefined: shop.Filter
*/
