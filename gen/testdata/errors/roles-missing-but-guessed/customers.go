package rolesmissingbutguessed

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

// ErrNotFound can be guessed.
var ErrNotFound = shop.ErrNone

//crossfade:entity name=customers get=Get
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
customers.go:12:1: Customers: //crossfade:entity lacks put=, delete=, keys=, notfound=: backfill and repair copy a key from side to side by the interface's own methods, which read it, write all of it, delete it, walk the keys, and tell that it is not there; add notfound=ErrNotFound put=Save delete=Delete keys=Keys
*/
