package interfacewithtypeparameters

import (
	"context"
)

//crossfade:entity notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers[T any] interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id int64) (T, error)
}

/* want:
customers.go:8:6: Customers: it has type parameters: declare an interface without any, `type X interface{ Customers[...] }`, and annotate that
*/
