// Package embedded has an interface that is put together from others: of this
// package and of another, generic, and with directives here and there.
package embedded

import (
	"context"
	"errors"

	"github.com/crossfade-db/crossfade/gen/internal/golden/embedded/base"
)

// ErrNone says that there is no such order.
var ErrNone = errors.New("no order")

type saver interface {
	//crossfade:write key=o.ID
	Save(ctx context.Context, tenant string, o base.Order) error
}

type writer interface {
	saver
	interface {
		//crossfade:write key=id
		Delete(ctx context.Context, tenant string, id int64) error
	}
}

// reader is embedded a second time, with the same directive.
type reader = base.Reader

// Orders is all of them.
//
//crossfade:entity name=orders notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Orders interface {
	base.Reader
	base.Counter
	base.Walker[int64]
	writer
	reader

	// Count has no directive where it comes from.
	//
	//crossfade:list
	Count(ctx context.Context, tenant string, buyer string) (int, error)
}
