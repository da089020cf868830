// Package movetoparent shows how a column moves from the rows of a child table to their parent: version 1 keeps the
// currency on every line of an order, version 2 on the order. The entity is the order with its lines.
//
// Lines travel as arrays, one for each column, so that one statement reads an order and one writes it. Refused, by both
// versions alike (see Check): an order without lines, which version 1 could not say the currency of. Lines of one order in
// several currencies, which only version 1 can hold, are an error when they are read: backfill names the key, and the
// order is put right first. By hand, besides SQL and this file: 52 lines.
package movetoparent

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Order is one order with its lines.
type Order struct {
	TenantID, ID uuid.UUID
	PlacedAt     time.Time
	Currency     string
	Lines        []Line // at least one
}

// Line is one line of an order.
type Line struct {
	SKU      string
	Quantity int32
}

// Check returns ErrNoLines for an order that version 1 could not store, so that both versions refuse the same ones.
func (o Order) Check() error {
	if len(o.Lines) == 0 {
		return ErrNoLines
	}
	return nil
}

var (
	// ErrNotFound says that the tenant has no order with that id.
	ErrNotFound = errors.New("no such order")
	// ErrNoLines says that an order without lines cannot be stored.
	ErrNoLines = errors.New("an order has at least one line")
	// ErrCurrencies says that a stored order cannot be read before its lines agree.
	ErrCurrencies = errors.New("the lines of an order are in several currencies")
)

// Orders keeps the orders of all tenants.
//
//crossfade:entity name=orders notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Orders interface {
	// Get reads one order.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Order, error)

	// GetForUpdate reads one order and keeps it from changing until the transaction ends.
	//
	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (Order, error)

	// ByCurrency reads up to limit orders in a currency, in the order of their ids.
	//
	//crossfade:list
	ByCurrency(ctx context.Context, tenant uuid.UUID, currency string, limit int) ([]Order, error)

	// Save inserts the order or replaces all of it.
	//
	//crossfade:write key=o.ID tenant=o.TenantID
	Save(ctx context.Context, o Order) error

	// ChangeCurrency changes the currency and nothing else.
	//
	//crossfade:write key=id
	ChangeCurrency(ctx context.Context, tenant, id uuid.UUID, currency string) error

	// Delete removes the order with its lines.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	// Keys reads up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
