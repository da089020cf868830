package nametwice

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity name=x notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Others interface{ shop.Roles }

//crossfade:entity name=x notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles
}

/* want:
customers.go:12:1: Customers: it and Others are both called x: give one of them another name=
*/
