package streamthatcannotfail

import (
	"context"
	"iter"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:stream
	All(ctx context.Context, tenant string) iter.Seq[shop.Customer]
}

/* want:
customers.go:15:2: Customers.All: its iterator cannot say that it failed: return one iter.Seq2[T, error] and nothing else
*/
