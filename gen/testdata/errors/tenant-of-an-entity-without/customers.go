package tenantofanentitywithout

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys tenant=none
type Customers interface {
	//crossfade:list tenant=tenant
	Count(ctx context.Context, tenant string) (int, error)
}

/* want:
customers.go:9:1: Customers: delete=Delete: the interface has no method Delete
customers.go:9:1: Customers: get=Get: the interface has no method Get
customers.go:9:1: Customers: keys=Keys: the interface has no method Keys
customers.go:9:1: Customers: put=Save: the interface has no method Save
customers.go:12:2: Customers.Count: tenant=tenant, but the entity says tenant=none
*/
