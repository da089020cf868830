package bywithoutlist

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:list unordered by=Name
	Count(ctx context.Context, tenant string) (int, error)
	//crossfade:list unordered by=Number
	Find(ctx context.Context, tenant string) ([]shop.Customer, error)
	//crossfade:list by=ID
	Order(ctx context.Context, tenant string) ([]shop.Customer, error)
	//crossfade:list unordered
	Check(ctx context.Context, tenant string) error
}

/* want:
customers.go:14:2: Customers.Count: unordered, and its first result, of type int, is no slice: a slice inside of it is tagged where it is declared, with `compare:"unordered"`
customers.go:16:2: Customers.Find: by=Number: Customer has no field Number
customers.go:18:2: Customers.Order: by=ID needs unordered
customers.go:20:2: Customers.Check: unordered, and it has no result besides the error
*/
