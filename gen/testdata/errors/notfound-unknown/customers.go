package notfoundunknown

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles
}

/* want:
customers.go:9:1: Customers: notfound=ErrNone: there is no ErrNone
*/
