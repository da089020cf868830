// Package shop does not compile before its code is generated, and imports a
// package of which the same is true, and one that is not there at all.
package shop

import (
	"context"
	"errors"

	"github.com/crossfade-db/crossfade/gen/testdata/broken/middle"
	"github.com/crossfade-db/crossfade/gen/testdata/broken/mixin"
	"github.com/crossfade-db/crossfade/gen/testdata/broken/notyet"
)

// ErrNone says that there is no such order.
var ErrNone = errors.New("none")

// Orders embeds an interface of a package that does not compile.
//
//crossfade:entity notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Orders interface {
	mixin.Reader
	//crossfade:write key=o.ID
	Save(ctx context.Context, tenant string, o mixin.Order) error
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id int64) error
	//crossfade:list
	Notes(ctx context.Context, tenant string, like middle.Note) ([]middle.Note, error)
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error)
}

// Open needs generated code.
func Open() (*RoutedOrders, error) {
	return NewRoutedOrders(notyet.Config())
}
