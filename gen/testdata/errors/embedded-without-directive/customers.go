package embeddedwithoutdirective

import (
	"io"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	io.Closer
	error
}

/* want:
customers.go:10:6: Customers.Error: the source of this embedded method cannot be found: write the method into the interface itself, with its directive
customers.go:13:2: Customers.Close: its first parameter is no context.Context: the decision and the deadline travel in it; add ctx context.Context (it comes from package io; the method can be written into this interface too)
*/
