package directivewordunknown

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:read id
	Fetch(ctx context.Context, tenant string, id int64) (shop.Customer, error)
	//crossfade:list key=id
	List(ctx context.Context, tenant string, id int64) ([]shop.Customer, error)
}

/* want:
customers.go:13:2: //crossfade:read: unknown word "id": it takes key=..., keys=..., tenant=..., unordered, by=...
customers.go:14:2: Customers.Fetch: it has no directive: add //crossfade:read key=id above it, if that is what it does (the directives are read, list, lock, write, create, stream)
customers.go:15:2: //crossfade:list: unknown word "key=id": it takes tenant=..., unordered, by=...
customers.go:16:2: Customers.List: it has no directive: add //crossfade:list above it, if that is what it does (the directives are read, list, lock, write, create, stream)
*/
