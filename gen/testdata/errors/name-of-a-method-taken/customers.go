package nameofamethodtaken

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:list
	Route(ctx context.Context, tenant string) (int, error)
	//crossfade:list
	InTx(ctx context.Context, tenant string) (int, error)
}

/* want:
customers.go:14:2: Customers.Route: the generated repository has a method Route itself: rename this one
customers.go:16:2: Customers.InTx: the generated repository has a method InTx itself: rename this one
*/
