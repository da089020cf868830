package keyknowntoolate

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:write key=result.ID
	Save2(ctx context.Context, tenant string, name string) (shop.Customer, error)
	//crossfade:write key=result
	Save3(ctx context.Context, tenant string, name string) error
	//crossfade:create key=c.ID
	New(ctx context.Context, tenant string, c shop.Customer) error
	//crossfade:create key=id
	NewID(ctx context.Context, tenant string, id int64) error
}

/* want:
customers.go:14:2: Customers.Save2: key=result.ID: the result is known only after the call: that is a //crossfade:create
customers.go:16:2: Customers.Save3: key=result: the method has no result besides the error
customers.go:18:2: Customers.New: key=c.ID: it is passed by value, so that the key which the database makes cannot appear in it: use key=result..., pass a pointer, or use //crossfade:write if the caller makes the key
customers.go:20:2: Customers.NewID: key=id: it is passed by value, so that the key which the database makes cannot appear in it: use key=result..., pass a pointer, or use //crossfade:write if the caller makes the key
*/
