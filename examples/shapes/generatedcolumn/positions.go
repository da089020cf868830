// Package generatedcolumn shows a column that the database begins to compute: version 1 keeps the total of a position as
// its statements compute it, version 2 as a generated column.
//
// The domain reads the total and never writes it: what a position says when it is saved is not looked at, by either
// version, or they would differ for every caller that forgot to compute it. Where callers of version 1 computed it, its
// statements take that over first. Rows of version 1 with a wrong total, as there are in every such table, can have no
// counterpart in version 2: verification finds each of them, and they are put right before, by
//
//	update positions_v1 set total_cents = price_cents * quantity where total_cents <> price_cents * quantity;
//
// The expression of a generated column must be immutable, and must fail for the same values as the old statements: here
// both are out of range for the same ones. Nothing else is lost or refused. By hand are the SQL and this file: no line of
// Go besides.
package generatedcolumn

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen ./...

// Position is one position of an invoice.
type Position struct {
	TenantID   uuid.UUID
	ID         uuid.UUID
	PriceCents int64
	Quantity   int32
	TotalCents int64 // the database's: what is given to Save is not looked at
}

// ErrNotFound says that the tenant has no such position.
var ErrNotFound = errors.New("no such position")

// Positions keeps the positions of all tenants.
//
//crossfade:entity name=positions notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Positions interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Position, error)

	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (Position, error)

	// Largest reads up to limit positions of at least atLeast, those with the largest totals first.
	//
	//crossfade:list
	Largest(ctx context.Context, tenant uuid.UUID, atLeast int64, limit int) ([]Position, error)

	// Save inserts the position or replaces all of it.
	//
	//crossfade:write key=p.ID tenant=p.TenantID
	Save(ctx context.Context, p Position) error

	//crossfade:write key=id
	SetQuantity(ctx context.Context, tenant, id uuid.UUID, quantity int32) error

	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
