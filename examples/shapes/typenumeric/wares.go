// Package typenumeric shows how a floating point number becomes a decimal: version 1 keeps a price as double precision,
// version 2 as numeric(12, 2).
//
// There is no mapping: the queries of version 1 round what they read to hundredths, as numeric(12, 2) does, and compare
// and add what is rounded. What arithmetic left behind the hundredths (0.1 + 0.2) is nothing that the application means.
// Both refuse a price of more than ten digits before the point; a row of version 1 that holds one, or an infinity,
// cannot be copied, and the migration stays at dual until it is mended. By hand, besides SQL and this file: 0 lines.
package typenumeric

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Ware is something that a tenant sells.
type Ware struct {
	TenantID, ID uuid.UUID
	Name         string
	Price        decimal.Decimal // rounded to hundredths, half away from zero; below 10,000,000,000
}

// ErrNotFound says that the tenant has no ware with that id.
var ErrNotFound = errors.New("no such ware")

// Wares keeps the wares of all tenants.
//
//crossfade:entity name=wares notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Wares interface {
	// Get reads one ware.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Ware, error)

	// Cheapest reads up to limit wares that cost most at the most, the cheapest first.
	//
	//crossfade:list
	Cheapest(ctx context.Context, tenant uuid.UUID, most decimal.Decimal, limit int) ([]Ware, error)

	// Save inserts the ware or replaces all of it.
	//
	//crossfade:write key=w.ID tenant=w.TenantID
	Save(ctx context.Context, w Ware) error

	// Raise adds to the price and returns the sum.
	//
	//crossfade:write key=id
	Raise(ctx context.Context, tenant, id uuid.UUID, by decimal.Decimal) (decimal.Decimal, error)

	// Delete removes the ware.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	// Keys reads up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
