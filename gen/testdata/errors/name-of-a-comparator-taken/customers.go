package nameofacomparatortaken

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

// Order is compared.
type Order struct{ ID int64 }

// DiffOrder is in the way.
func DiffOrder(a, b Order) bool { return a == b }

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:list
	Orders(ctx context.Context, tenant string) ([]Order, error)
}

/* want:
customers.go:13:6: DiffOrder: it stands where the comparison of Order is generated: rename it, or make it a func(served, other Order) []compare.Diff, which is then used instead
*/
