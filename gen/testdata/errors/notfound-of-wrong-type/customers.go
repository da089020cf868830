package notfoundofwrongtype

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.Customer get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles
}

/* want:
customers.go:9:1: Customers: notfound=shop.Customer is no error variable, no error type and no func(error) bool
*/
