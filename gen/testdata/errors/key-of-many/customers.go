package keyofmany

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:read key=cs[].ID
	One(ctx context.Context, tenant string, cs []shop.Customer) (shop.Customer, error)
	//crossfade:read keys=id
	Single(ctx context.Context, tenant string, id int64) (shop.Customer, error)
	//crossfade:read keys=id[]
	NoSlice(ctx context.Context, tenant string, id int64) (shop.Customer, error)
	//crossfade:read keys=css[].X[]
	Nested(ctx context.Context, tenant string, css []struct{ X []int64 }) (shop.Customer, error)
	//crossfade:write keys=a,b
	Mixed(ctx context.Context, tenant string, a []string, b []string) error
}

/* want:
customers.go:14:2: Customers.One: key=cs[].ID: it names several keys: use keys=
customers.go:16:2: Customers.Single: keys=id: it is no slice: use key= for one key
customers.go:18:2: Customers.NoSlice: keys=id[]: id is no slice
customers.go:20:2: Customers.Nested: keys=css[].X[]: it has [] twice
customers.go:22:2: Customers.Mixed: keys=a,b: the parts of a key come from different slices
*/
