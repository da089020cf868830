package keymissing

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:read
	Fetch(ctx context.Context, tenant string, id int64) (shop.Customer, error)
	//crossfade:write
	Touch(ctx context.Context, tenant string, id int64) error
	//crossfade:lock
	Hold(ctx context.Context, tenant string, id int64) error
	//crossfade:create
	New(ctx context.Context, tenant string, name string) (shop.Customer, error)
	//crossfade:write key=id all
	Both(ctx context.Context, tenant string, id int64) error
}

/* want:
customers.go:14:2: Customers.Fetch: //crossfade:read needs its keys: key=id or keys=ids; a read by predicate is a list
customers.go:16:2: Customers.Touch: //crossfade:write needs its keys: key=id, keys=ids, or all for one by predicate
customers.go:18:2: Customers.Hold: //crossfade:lock needs its keys: key=id, keys=ids, or all for one by predicate
customers.go:20:2: Customers.New: //crossfade:create needs the key that the database made: key=result.ID, key=c.ID or keys=result[].ID
customers.go:22:2: Customers.Both: write names keys and says all: keep one
*/
