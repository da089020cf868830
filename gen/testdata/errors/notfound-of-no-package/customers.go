package notfoundofnopackage

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=pgx.ErrNoRows get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles
}

/* want:
customers.go:9:1: Customers: notfound=pgx.ErrNoRows: the package pgx is not imported here
*/
