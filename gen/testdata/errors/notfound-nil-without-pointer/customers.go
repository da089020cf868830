package notfoundnilwithoutpointer

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=nil get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles
}

/* want:
customers.go:9:1: Customers: notfound=nil, but Get returns neither a pointer nor (T, bool, error)
*/
