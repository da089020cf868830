package v1

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/examples/shapes/mergetables"
	"github.com/crossfade-db/crossfade/examples/shapes/mergetables/v1/queries"
)

// GetForUpdate locks both rows, in statements of their own: the absent side of an outer join cannot be locked, and one
// that waited would see the settings as they were.
func (r *Repository) GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (mergetables.Subscriber, error) {
	_, err := r.q.LockSubscriber(ctx, queries.LockSubscriberParams{TenantID: tenant, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return mergetables.Subscriber{}, mergetables.ErrNotFound
	}
	if err == nil {
		err = r.q.LockSettings(ctx, queries.LockSettingsParams{TenantID: tenant, ID: id})
	}
	if err != nil {
		return mergetables.Subscriber{}, err
	}
	return r.Get(ctx, tenant, id)
}
