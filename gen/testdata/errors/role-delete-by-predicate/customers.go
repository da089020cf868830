package roledeletebypredicate

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Purge keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:write all
	Purge(ctx context.Context, tenant string, since int64) error
}

/* want:
customers.go:14:2: Customers.Purge: it is the role delete=, and is no //crossfade:write of one key
*/
