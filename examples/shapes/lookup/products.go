// Package lookup shows how a text that repeats becomes a table of its own: version 1 keeps the category of a product as
// text, version 2 keeps categories, one row for each text of a tenant, and a product refers to it.
//
// Nothing is lost or refused: categories are told apart by every character, also by case and spaces at the end. Their ids
// belong to version 2 alone. A category is added in a statement of its own before the product's, so that the second one
// sees what another transaction has added meanwhile; one of which no product is left stays. By hand, besides SQL and
// this file: 28 lines.
package lookup

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Product is one product of a catalogue.
type Product struct {
	TenantID, ID uuid.UUID
	Name         string
	Category     string
	PriceCents   int64
}

// ErrNotFound says that the tenant has no product with that id.
var ErrNotFound = errors.New("no such product")

// Products keeps the products of all tenants.
//
//crossfade:entity name=products notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Products interface {
	// Get reads one product.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Product, error)

	// GetForUpdate reads one product and keeps it from changing until the transaction ends.
	//
	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (Product, error)

	// ByCategory reads up to limit products of a category, in the order of their ids.
	//
	//crossfade:list
	ByCategory(ctx context.Context, tenant uuid.UUID, category string, limit int) ([]Product, error)

	// Save inserts the product or replaces all of it.
	//
	//crossfade:write key=p.ID tenant=p.TenantID
	Save(ctx context.Context, p Product) error

	// ChangeCategory moves the product to another category.
	//
	//crossfade:write key=id
	ChangeCategory(ctx context.Context, tenant, id uuid.UUID, category string) error

	// Delete removes the product.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	// Keys reads up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
