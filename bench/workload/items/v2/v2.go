// Package v2 stores items in one table of version 2, by sqlc on pgx: each write is one statement that can be queued.
//
// It knows nothing of other versions or of the migration.
package v2

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/bench/workload/items"
	"github.com/crossfade-db/crossfade/bench/workload/items/v2/queries"
)

// repository is items.Items over sqlc's queries.
type repository struct{ q *queries.Queries }

// New returns the repository on db: a pool, or a transaction in progress.
func New(db queries.DBTX) items.Items { return repository{q: queries.New(db)} }

func (r repository) Get(ctx context.Context, tenant string, id int64) (items.Item, error) {
	row, err := r.q.Item(ctx, queries.ItemParams{Tenant: tenant, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return items.Item{}, items.ErrNotFound
	}
	return items.Item{
		Tenant: row.Tenant, ID: row.ID, Name: row.Title, Stock: row.OnHand, PriceCents: row.PriceCents, UpdatedAt: row.ChangedAt,
	}, err
}

func (r repository) SetStock(ctx context.Context, tenant string, id, stock int64, at time.Time) error {
	return r.q.SetStock(ctx, queries.SetStockParams{Tenant: tenant, ID: id, OnHand: stock, ChangedAt: at})
}

func (r repository) Save(ctx context.Context, item items.Item) error {
	return r.q.SaveItem(ctx, queries.SaveItemParams{
		Tenant: item.Tenant, ID: item.ID, Title: item.Name, OnHand: item.Stock, PriceCents: item.PriceCents, ChangedAt: item.UpdatedAt,
	})
}

func (r repository) Delete(ctx context.Context, tenant string, id int64) error {
	return r.q.DeleteItem(ctx, queries.DeleteItemParams{Tenant: tenant, ID: id})
}

func (r repository) Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error) {
	from := int64(math.MinInt64)
	if after != nil {
		from = *after
	}
	return r.q.ItemIDs(ctx, queries.ItemIDsParams{Tenant: tenant, After: from, MaxRows: int32(min(limit, math.MaxInt32))})
}
