package roleputwrong

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Rename delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:write key=id
	Rename(ctx context.Context, tenant string, id int64, name string) error
}

/* want:
customers.go:14:2: Customers.Rename: it is the role put=, and is no //crossfade:write of one value, which inserts it or replaces all of it
*/
