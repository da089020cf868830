package tenantisapath

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys tenant=c.TenantID
type Customers interface {
	shop.Roles

	//crossfade:list
	Count(ctx context.Context, tenant string) (int, error)
}

/* want:
customers.go:9:1: Customers: tenant=c.TenantID is no name of a parameter: a field belongs to the directive of its method
*/
