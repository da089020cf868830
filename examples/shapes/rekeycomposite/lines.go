// Package rekeycomposite shows how a row with a key of one part gets one of several: version 1 knows the lines of orders
// by an id that the database makes, version 2 by their order and their place in it.
//
// The key of the domain is what both have, the order and the place: version 1 needs unique (tenant_id, order_id, place)
// before anything else happens. Its own id is no part of the domain: no answer shows it, copies do not carry it, and a
// line that comes back from version 2 gets another one. Where others still refer to it, it has to become a field of the
// domain and a column of version 2 first, as the number does in shape rekeyuuid. What was the change of a column, moving
// a line to another place, concerns two keys now, and both are locked. Nothing is refused. By hand are the SQL, this
// file and the lines of mapping.go that take a page's first key apart.
package rekeycomposite

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen ./...

// Line is one line of an order.
type Line struct {
	TenantID uuid.UUID
	OrderID  uuid.UUID
	Place    int32
	Article  string
	Quantity int32
}

// Key is what a line is known by.
type Key struct {
	OrderID uuid.UUID
	Place   int32
}

// ErrNotFound says that the tenant has no such line.
var ErrNotFound = errors.New("no such line")

// Lines keeps the lines of all orders.
//
//crossfade:entity name=lines notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Lines interface {
	//crossfade:read key=orderID,place
	Get(ctx context.Context, tenant, orderID uuid.UUID, place int32) (Line, error)

	//crossfade:lock key=orderID,place
	GetForUpdate(ctx context.Context, tenant, orderID uuid.UUID, place int32) (Line, error)

	// List reads the lines of an order in their places.
	//
	//crossfade:list
	List(ctx context.Context, tenant, orderID uuid.UUID) ([]Line, error)

	// Save inserts the line or replaces all of it.
	//
	//crossfade:write key=l.OrderID,l.Place tenant=l.TenantID
	Save(ctx context.Context, l Line) error

	//crossfade:write key=orderID,place
	SetQuantity(ctx context.Context, tenant, orderID uuid.UUID, place, quantity int32) error

	// Move puts a line in another place of its order, which must be free.
	//
	//crossfade:write key=orderID,fromPlace key=orderID,toPlace
	Move(ctx context.Context, tenant, orderID uuid.UUID, fromPlace, toPlace int32) error

	//crossfade:write key=orderID,place
	Delete(ctx context.Context, tenant, orderID uuid.UUID, place int32) error

	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *Key, limit int) ([]Key, error)
}
