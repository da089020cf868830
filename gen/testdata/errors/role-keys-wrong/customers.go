package rolekeyswrong

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=IDs
type Customers interface {
	shop.Roles

	//crossfade:list
	IDs(ctx context.Context, tenant string, limit int) ([]int64, error)
}

/* want:
customers.go:14:2: Customers.IDs: it is the role keys=, and its shape is not (ctx context.Context, tenant string, after *K, limit int) ([]K, error): up to limit keys behind after, in an order of the side's own
*/
