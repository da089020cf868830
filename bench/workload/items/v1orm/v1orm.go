// Package v1orm stores items in the table of package v1, by GORM: the old side of applications that come from it.
//
// It knows nothing of other versions or of the migration.
package v1orm

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/crossfade-db/crossfade/bench/workload/items"
)

// item is a row.
type item struct {
	Tenant     string `gorm:"primaryKey"`
	ID         int64  `gorm:"primaryKey;autoIncrement:false"`
	Name       string
	Stock      int64
	PriceCents int64
	UpdatedAt  time.Time `gorm:"autoUpdateTime:false"`
}

// TableName names the table for GORM.
func (item) TableName() string { return "bench.items" }

// repository is items.Items over GORM.
type repository struct{ db *gorm.DB }

// New returns the repository on db: a pool, or a transaction in progress.
func New(db *gorm.DB) items.Items { return repository{db: db} }

func (r repository) Get(ctx context.Context, tenant string, id int64) (items.Item, error) {
	var row item
	err := r.one(ctx, tenant, id).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = items.ErrNotFound
	}
	return items.Item(row), err
}

func (r repository) SetStock(ctx context.Context, tenant string, id, stock int64, at time.Time) error {
	return r.one(ctx, tenant, id).Updates(map[string]any{"stock": stock, "updated_at": at}).Error
}

func (r repository) Save(ctx context.Context, i items.Item) error {
	row := item(i)
	return r.db.WithContext(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "tenant"}, {Name: "id"}},
		UpdateAll: true,
	}).Create(&row).Error
}

func (r repository) Delete(ctx context.Context, tenant string, id int64) error {
	return r.one(ctx, tenant, id).Delete(&item{}).Error
}

func (r repository) Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error) {
	query := r.db.WithContext(ctx).Model(&item{}).Where("tenant = ?", tenant)
	if after != nil {
		query = query.Where("id > ?", *after)
	}
	var ids []int64
	err := query.Order("id").Limit(limit).Pluck("id", &ids).Error
	return ids, err
}

// one begins a statement about one row.
func (r repository) one(ctx context.Context, tenant string, id int64) *gorm.DB {
	return r.db.WithContext(ctx).Model(&item{}).Where("tenant = ? and id = ?", tenant, id)
}
