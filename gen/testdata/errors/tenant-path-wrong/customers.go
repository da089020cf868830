package tenantpathwrong

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:write key=c.ID tenant=c.Shop
	One(ctx context.Context, c shop.Customer) error
	//crossfade:write keys=cs[].ID tenant=cs[].TenantID
	Many(ctx context.Context, cs []shop.Customer) error
	//crossfade:create key=result.ID tenant=result.TenantID
	New(ctx context.Context, name string) (shop.Customer, error)
}

/* want:
customers.go:14:2: Customers.One: tenant=c.Shop: c has no field Shop
customers.go:16:2: Customers.Many: tenant=cs[].TenantID: a call has one tenant, known before it: name a parameter or a field of one
customers.go:18:2: Customers.New: tenant=result.TenantID: a call has one tenant, known before it: name a parameter or a field of one
*/
