// Package v2split stores items in two tables of version 2, by sqlc on pgx: each write is two statements whose row
// counts are asked for, so that neither can be queued.
//
// It knows nothing of other versions or of the migration.
package v2split

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/bench/workload/items"
	"github.com/crossfade-db/crossfade/bench/workload/items/v2split/queries"
)

// repository is items.Items over sqlc's queries.
type repository struct{ q *queries.Queries }

// New returns the repository on db: a transaction in progress, or a pool, on which a write is not atomic.
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
	found, err := r.q.TouchArticle(ctx, queries.TouchArticleParams{Tenant: tenant, ID: id, ChangedAt: at})
	if err != nil || found == 0 {
		return err
	}
	_, err = r.q.SetLevel(ctx, queries.SetLevelParams{Tenant: tenant, ID: id, OnHand: stock})
	return err
}

func (r repository) Save(ctx context.Context, item items.Item) error {
	_, err := r.q.SaveArticle(ctx, queries.SaveArticleParams{
		Tenant: item.Tenant, ID: item.ID, Title: item.Name, PriceCents: item.PriceCents, ChangedAt: item.UpdatedAt,
	})
	if err != nil {
		return err
	}
	_, err = r.q.SaveLevel(ctx, queries.SaveLevelParams{Tenant: item.Tenant, ID: item.ID, OnHand: item.Stock})
	return err
}

func (r repository) Delete(ctx context.Context, tenant string, id int64) error {
	if _, err := r.q.DeleteLevel(ctx, queries.DeleteLevelParams{Tenant: tenant, ID: id}); err != nil {
		return err
	}
	_, err := r.q.DeleteArticle(ctx, queries.DeleteArticleParams{Tenant: tenant, ID: id})
	return err
}

func (r repository) Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error) {
	from := int64(math.MinInt64)
	if after != nil {
		from = *after
	}
	return r.q.ItemIDs(ctx, queries.ItemIDsParams{Tenant: tenant, After: from, MaxRows: int32(min(limit, math.MaxInt32))})
}
