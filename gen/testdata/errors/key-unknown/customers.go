package keyunknown

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

type keyed struct{}

func (keyed) Key() int64 { return 1 }

func (keyed) Near(int) int64 { return 1 }

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:read key=ids
	Fetch(ctx context.Context, tenant string, id int64) (shop.Customer, error)
	//crossfade:read key=c.Number
	Like(ctx context.Context, tenant string, c shop.Customer) (shop.Customer, error)
	//crossfade:read key=c.name
	Named(ctx context.Context, tenant string, c shop.Customer) (shop.Customer, error)
	//crossfade:read key=id
	Unnamed(_ context.Context, tenant string, _ int64) (shop.Customer, error)
	//crossfade:read key=1d
	Odd(ctx context.Context, tenant string, id int64) (shop.Customer, error)
	//crossfade:read key=c.
	Dot(ctx context.Context, tenant string, c shop.Customer) (shop.Customer, error)
	//crossfade:read key=c.ID()
	Call(ctx context.Context, tenant string, c shop.Customer) (shop.Customer, error)
	//crossfade:read key=k.Key
	Method(ctx context.Context, tenant string, k keyed) (shop.Customer, error)
	//crossfade:read key=k.Near()
	Args(ctx context.Context, tenant string, k keyed) (shop.Customer, error)
	//crossfade:lock key=id
	Nothing(_ context.Context, tenant string) error
}

/* want:
customers.go:20:2: Customers.Fetch: key=ids: there is no parameter ids; there is tenant, id
customers.go:22:2: Customers.Like: key=c.Number: c has no field Number
customers.go:24:2: Customers.Named: key=c.name: c has no field name
customers.go:26:2: Customers.Unnamed: key=id: there is no parameter id; there is tenant
customers.go:28:2: Customers.Odd: key=1d: "1d" is no name of a parameter
customers.go:30:2: Customers.Dot: key=c.: "" is no name of a field
customers.go:32:2: Customers.Call: key=c.ID(): c.ID is a field: write it without ()
customers.go:34:2: Customers.Method: key=k.Key: k.Key is a method: write Key()
customers.go:36:2: Customers.Args: key=k.Near(): k.Near is no method without arguments and with one result
customers.go:38:2: Customers.Nothing: key=id: there is no parameter id; there is tenant
*/
