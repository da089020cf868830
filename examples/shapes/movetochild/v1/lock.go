package v1

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/examples/shapes/movetochild"
	"github.com/crossfade-db/crossfade/examples/shapes/movetochild/v1/queries"
)

// GetForUpdate locks in a statement of its own: one that waited would see the children as they were.
func (r *Repository) GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (movetochild.Shipment, error) {
	_, err := r.q.LockShipment(ctx, queries.LockShipmentParams{TenantID: tenant, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return movetochild.Shipment{}, movetochild.ErrNotFound
	}
	if err != nil {
		return movetochild.Shipment{}, err
	}
	return r.Get(ctx, tenant, id)
}
