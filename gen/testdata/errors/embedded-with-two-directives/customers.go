package embeddedwithtwodirectives

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

type first interface {
	//crossfade:list
	Count(ctx context.Context, tenant string) (int, error)
}

type second interface {
	//crossfade:write all
	Count(ctx context.Context, tenant string) (int, error)
}

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	first
	second
}

/* want:
customers.go:20:6: Customers: Count is embedded twice with different directives: write the method into the interface itself, with its directive
*/
