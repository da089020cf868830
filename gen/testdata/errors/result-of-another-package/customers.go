package resultofanotherpackage

import (
	"context"
	"net/http"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

// Visit holds a type of another package.
type Visit struct {
	Cookie  http.Cookie
	Request *http.Request
}

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:list
	Visits(ctx context.Context, tenant string) ([]Visit, error)
}

/* want:
customers.go:13:2: Request.Body: a reader cannot be compared: tag the field `compare:"ignore"`, or give a function by `compare:"func=Name"` (the field belongs to package net/http)
customers.go:13:2: Request.Cancel: a channel cannot be compared: tag the field `compare:"ignore"`, or give a function by `compare:"func=Name"` (the field belongs to package net/http)
customers.go:13:2: Request.GetBody: a function cannot be compared: tag the field `compare:"ignore"`, or give a function by `compare:"func=Name"` (the field belongs to package net/http)
*/
