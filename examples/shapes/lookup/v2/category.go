// Package v2 stores categories in a table of their own. It knows nothing of version 1.
package v2

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/examples/shapes/lookup"
	"github.com/crossfade-db/crossfade/examples/shapes/lookup/v2/queries"
)

// Save adds the category, unless it is there, and then the product.
func (r *Repository) Save(ctx context.Context, p lookup.Product) error {
	if err := r.q.AddCategory(ctx, queries.AddCategoryParams{TenantID: p.TenantID, Name: p.Category}); err != nil {
		return err
	}
	return r.q.SaveProduct(ctx, queries.SaveProductParams{
		TenantID: p.TenantID, ID: p.ID, Name: p.Name, Category: p.Category, PriceCents: p.PriceCents,
	})
}

// ChangeCategory adds the category, unless it is there, and then moves the product.
func (r *Repository) ChangeCategory(ctx context.Context, tenant, id uuid.UUID, category string) error {
	if err := r.q.AddCategory(ctx, queries.AddCategoryParams{TenantID: tenant, Name: category}); err != nil {
		return err
	}
	rows, err := r.q.ChangeCategory(ctx, queries.ChangeCategoryParams{TenantID: tenant, ID: id, Category: category})
	if err == nil && rows == 0 {
		return lookup.ErrNotFound
	}
	return err
}

// GetForUpdate locks in a statement of its own: one that waited would join the category as it was.
func (r *Repository) GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (lookup.Product, error) {
	_, err := r.q.LockProduct(ctx, queries.LockProductParams{TenantID: tenant, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return lookup.Product{}, lookup.ErrNotFound
	}
	if err != nil {
		return lookup.Product{}, err
	}
	return r.Get(ctx, tenant, id)
}
