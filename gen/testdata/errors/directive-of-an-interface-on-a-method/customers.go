package directiveofaninterfaceonamethod

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:entity get=Get
	Fetch(ctx context.Context, tenant string, id int64) (shop.Customer, error)
}

/* want:
customers.go:14:2: Customers.Fetch: //crossfade:entity stands above a method: put it above the interface
*/
