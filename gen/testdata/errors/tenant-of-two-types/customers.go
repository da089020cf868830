package tenantoftwotypes

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:list
	Count(ctx context.Context, tenant int64) (int, error)
}

/* want:
customers.go:14:2: Customers.Count: tenant=tenant is of type int64, and other methods of the entity have tenants of type string: texts of one tenant could differ; use one type
*/
