package rolesmissing

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity
type Customers interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id int64) (shop.Customer, error)
	//crossfade:write key=c.ID
	Save(ctx context.Context, tenant string, c shop.Customer) error
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id int64) error
}

/* want:
customers.go:9:1: Customers: //crossfade:entity lacks get=, put=, delete=, keys=, notfound=: backfill and repair copy a key from side to side by the interface's own methods, which read it, write all of it, delete it, walk the keys, and tell that it is not there; add notfound=... (an error variable, an error type, a func(error) bool, or nil) get=Get put=Save delete=Delete keys=Keys, and a method Keys(ctx context.Context, tenant string, after *K, limit int) ([]K, error) with //crossfade:list
*/
