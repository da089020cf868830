package streamthatisnone

import (
	"context"
	"iter"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:stream
	All(ctx context.Context, tenant string) ([]shop.Customer, error)
	//crossfade:stream
	Count(ctx context.Context, tenant string, fn func(shop.Customer) error) (int, error)
	//crossfade:stream
	Seq(ctx context.Context, tenant string) (iter.Seq[shop.Customer], error)
}

/* want:
customers.go:15:2: Customers.All: it is no stream: return one iter.Seq2[T, error], or take a func(T) error and return an error; a method that returns a slice is a //crossfade:list
customers.go:17:2: Customers.Count: it is no stream: return one iter.Seq2[T, error], or take a func(T) error and return an error; a method that returns a slice is a //crossfade:list
customers.go:19:2: Customers.Seq: its iterator cannot say that it failed: return one iter.Seq2[T, error] and nothing else
*/
