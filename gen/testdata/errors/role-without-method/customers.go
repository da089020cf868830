package rolewithoutmethod

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Remove keys=Keys
type Customers interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id int64) (shop.Customer, error)
	//crossfade:write key=c.ID
	Save(ctx context.Context, tenant string, c shop.Customer) error
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id int64) error
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error)
}

/* want:
customers.go:9:1: Customers: delete=Remove: the interface has no method Remove
*/
