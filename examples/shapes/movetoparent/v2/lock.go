package v2

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/examples/shapes/movetoparent"
	"github.com/crossfade-db/crossfade/examples/shapes/movetoparent/v2/queries"
)

// GetForUpdate locks in a statement of its own: one that waited would see the children as they were.
func (r *Repository) GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (movetoparent.Order, error) {
	_, err := r.q.LockOrder(ctx, queries.LockOrderParams{TenantID: tenant, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return movetoparent.Order{}, movetoparent.ErrNotFound
	}
	if err != nil {
		return movetoparent.Order{}, err
	}
	return r.Get(ctx, tenant, id)
}
