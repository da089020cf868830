package nameofgotaken

import (
	"context"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

type error interface{ Error() string }

func new() {}

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles
}

/* want:
customers.go:9:6: error: generated code uses the error that Go declares: rename this one
customers.go:11:6: new: generated code uses the new that Go declares: rename this one
*/
