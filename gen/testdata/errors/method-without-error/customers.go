package methodwithouterror

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:read key=id
	Fetch(ctx context.Context, tenant string, id int64) shop.Customer
	//crossfade:write key=id
	Touch(ctx context.Context, tenant string, id int64)
	//crossfade:read key=id
	Swapped(ctx context.Context, tenant string, id int64) (error, shop.Customer)
	//crossfade:read key=id
	Double(ctx context.Context, tenant string, id int64) (error, error)
}

/* want:
customers.go:14:2: Customers.Fetch: its last result is no error: a call that is refused or that fails must be able to say so; add an error result
customers.go:16:2: Customers.Touch: its last result is no error: a call that is refused or that fails must be able to say so; add an error result
customers.go:18:2: Customers.Swapped: its last result is no error: a call that is refused or that fails must be able to say so; add an error result
customers.go:20:2: Customers.Double: it has more than one error result: keep the last one
*/
