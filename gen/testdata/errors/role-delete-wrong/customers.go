package roledeletewrong

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Drop keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:write key=c.ID
	Drop(ctx context.Context, tenant string, c shop.Customer) error
	//crossfade:write all
	Purge(ctx context.Context, tenant string, since int64) error
}

/* want:
customers.go:14:2: Customers.Drop: it is the role delete=, and parameter c is neither the tenant nor the key: it must take the tenant and the key, as Keys returns it, and nothing else
*/
