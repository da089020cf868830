package rolegetwithmore

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=GetAt put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:read key=id
	GetAt(ctx context.Context, tenant string, id int64, version int) (shop.Customer, error)
}

/* want:
customers.go:14:2: Customers.GetAt: it is the role get=, and parameter version is neither the tenant nor the key: it must take the tenant and the key, as Keys returns it, and nothing else
*/
