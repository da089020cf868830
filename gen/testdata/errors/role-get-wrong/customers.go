package rolegetwrong

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=GetMany put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:read keys=ids
	GetMany(ctx context.Context, tenant string, ids []int64) ([]shop.Customer, error)
}

/* want:
customers.go:14:2: Customers.GetMany: it is the role get=, and is no //crossfade:read of one key that returns (T, error) or (T, bool, error)
*/
