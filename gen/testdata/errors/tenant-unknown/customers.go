package tenantunknown

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:list
	Count(ctx context.Context) (int, error)
	//crossfade:write key=c.ID
	Replace(ctx context.Context, c *shop.Customer) error
	//crossfade:list
	Unnamed(context.Context, string) (int, error)
}

/* want:
customers.go:14:2: Customers.Count: it has no parameter tenant, so that its tenant is unknown: add one, or name a field (tenant=c.TenantID) in the directive, or say tenant=none on the interface
customers.go:16:2: Customers.Replace: it has no parameter tenant, so that its tenant is unknown: add tenant=c.TenantID to the directive
customers.go:18:2: Customers.Unnamed: it has no parameter tenant, so that its tenant is unknown: its parameters have no names; name them
*/
