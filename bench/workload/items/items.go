// Package items is the entity that the benchmark reads and writes: the domain struct, its repository interface and,
// generated from it, the routed repository and the comparison. The packages below it store items in their own ways.
//
// It never touches a database.
package items

import (
	"context"
	"errors"
	"time"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Item is one thing on one tenant's shelf, as the application sees it whatever version stores it.
type Item struct {
	Tenant string
	ID     int64
	Name   string
	// Stock is how many there are.
	Stock int64
	// PriceCents is in hundredths.
	PriceCents int64
	// UpdatedAt is when the application last changed the item, to the microsecond.
	UpdatedAt time.Time
}

// ErrNotFound says that the tenant has no item with that id.
var ErrNotFound = errors.New("no such item")

// Items keeps the items of all tenants.
//
//crossfade:entity name=items notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Items interface {
	// Get reads one item; one that is not there is ErrNotFound.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id int64) (Item, error)

	// SetStock changes the stock and nothing else. An item that is not there stays so, which is no error: the
	// statement can be queued, as nobody looks at its row count.
	//
	//crossfade:write key=id
	SetStock(ctx context.Context, tenant string, id, stock int64, at time.Time) error

	// Save inserts the item or replaces all of it.
	//
	//crossfade:write key=item.ID tenant=item.Tenant
	Save(ctx context.Context, item Item) error

	// Delete removes the item, if it is there.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id int64) error

	// Keys returns up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error)
}
