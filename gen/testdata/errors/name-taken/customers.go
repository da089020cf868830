package nametaken

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

// RoutedCustomers is taken.
type RoutedCustomers struct{}

// NewRoutedCustomers is taken.
func NewRoutedCustomers() {}

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles
}

/* want:
customers.go:16:6: Customers: NewRoutedCustomers is generated for it, and that name is declared already: rename one of them
customers.go:16:6: Customers: RoutedCustomers is generated for it, and that name is declared already: rename one of them
*/
