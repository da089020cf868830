package streamwithoutdirective

import (
	"context"
	"iter"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:list
	All(ctx context.Context, tenant string) iter.Seq2[shop.Customer, error]
	//crossfade:list
	Each(ctx context.Context, tenant string, fn func(shop.Customer) error) error
}

/* want:
customers.go:15:2: Customers.All: it returns an iterator: use //crossfade:stream
customers.go:17:2: Customers.Each: it calls a function for its rows: use //crossfade:stream
*/
