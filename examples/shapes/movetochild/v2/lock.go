package v2

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/examples/shapes/movetochild"
	"github.com/crossfade-db/crossfade/examples/shapes/movetochild/v2/queries"
)

// GetForUpdate locks the shipment and its parcels, in statements of their own: one that waited would see the parcels as
// they were.
func (r *Repository) GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (movetochild.Shipment, error) {
	_, err := r.q.LockShipment(ctx, queries.LockShipmentParams{TenantID: tenant, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return movetochild.Shipment{}, movetochild.ErrNotFound
	}
	if err == nil {
		err = r.q.LockParcels(ctx, queries.LockParcelsParams{TenantID: tenant, ID: id})
	}
	if err != nil {
		return movetochild.Shipment{}, err
	}
	return r.Get(ctx, tenant, id)
}
