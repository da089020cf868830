package roleputofanothertype

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

type order struct{ ID int64 }

//crossfade:entity notfound=shop.ErrNone get=Get put=Store delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:write key=o.ID
	Store(ctx context.Context, tenant string, o order) error
}

/* want:
customers.go:16:2: Customers.Store: it is the role put= and takes order, but Get returns shop.Customer: a copy writes what it has read
*/
