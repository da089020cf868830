package directivewordtwice

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:list unordered unordered
	List(ctx context.Context, tenant string, id int64) ([]shop.Customer, error)
}

/* want:
customers.go:13:2: //crossfade:list: unordered is there twice
customers.go:14:2: Customers.List: it has no directive: add //crossfade:list above it, if that is what it does (the directives are read, list, lock, write, create, stream)
*/
