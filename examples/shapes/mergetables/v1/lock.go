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
func (r *Repository) GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (mergetables.Account, error) {
	_, err := r.q.LockAccount(ctx, queries.LockAccountParams{TenantID: tenant, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return mergetables.Account{}, mergetables.ErrNotFound
	}
	if err == nil {
		err = r.q.LockSettings(ctx, queries.LockSettingsParams{TenantID: tenant, ID: id})
	}
	if err != nil {
		return mergetables.Account{}, err
	}
	return r.Get(ctx, tenant, id)
}
