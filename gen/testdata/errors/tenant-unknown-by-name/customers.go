package tenantunknownbyname

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys tenant=shop
type Customers interface {
	//crossfade:list
	Count(ctx context.Context, tenant string) (int, error)
}

/* want:
customers.go:9:1: Customers: delete=Delete: the interface has no method Delete
customers.go:9:1: Customers: get=Get: the interface has no method Get
customers.go:9:1: Customers: keys=Keys: the interface has no method Keys
customers.go:9:1: Customers: put=Save: the interface has no method Save
customers.go:12:2: Customers.Count: it has no parameter shop, so that its tenant is unknown: add one, or name a field (tenant=c.TenantID) in the directive, or say tenant=none on the interface
*/
