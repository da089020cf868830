package v1

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/customers"
)

// repository is customers.Customers over GORM.
type repository struct{ db *gorm.DB }

// New returns the repository on db: a pool, or a transaction in progress.
func New(db *gorm.DB) customers.Customers { return repository{db: db} }

func (r repository) Get(ctx context.Context, tenant, id uuid.UUID) (customers.Customer, error) {
	return r.first(r.one(ctx, tenant, id))
}

func (r repository) GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (customers.Customer, error) {
	return r.first(r.one(ctx, tenant, id).Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}))
}

func (r repository) List(ctx context.Context, tenant, after uuid.UUID, limit int) ([]customers.Customer, error) {
	var rows []customer
	err := r.db.WithContext(ctx).Where("tenant_id = ? and id > ?", tenant, after).Order("id").Limit(limit).Find(&rows).Error
	list := make([]customers.Customer, len(rows))
	for i, row := range rows {
		list[i] = row.domain()
	}
	return list, err
}

func (r repository) Save(ctx context.Context, c customers.Customer) error {
	if err := c.Check(); err != nil {
		return err
	}
	row := rowOf(c)
	return r.db.WithContext(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "tenant_id"}, {Name: "id"}},
		UpdateAll: true,
	}).Create(&row).Error
}

func (r repository) UpdateEmail(ctx context.Context, tenant, id uuid.UUID, email string, at time.Time) error {
	return found(r.one(ctx, tenant, id).Updates(map[string]any{"email": email, "updated_at": at}))
}

func (r repository) AddBalance(ctx context.Context, tenant, id uuid.UUID, cents int64, at time.Time) (int64, error) {
	var row customer
	balance := clause.Returning{Columns: []clause.Column{{Name: "balance_cents"}}}
	err := found(r.one(ctx, tenant, id).Model(&row).Clauses(balance).
		Updates(map[string]any{"balance_cents": gorm.Expr("balance_cents + ?", cents), "updated_at": at}))
	return row.BalanceCents, err
}

func (r repository) Delete(ctx context.Context, tenant, id uuid.UUID) error {
	return found(r.one(ctx, tenant, id).Delete(&customer{}))
}

func (r repository) Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error) {
	query := r.db.WithContext(ctx).Model(&customer{}).Where("tenant_id = ?", tenant)
	if after != nil {
		query = query.Where("id > ?", *after)
	}
	var ids []uuid.UUID
	err := query.Order("id").Limit(limit).Pluck("id", &ids).Error
	return ids, err
}

// one begins a statement about one row.
func (r repository) one(ctx context.Context, tenant, id uuid.UUID) *gorm.DB {
	return r.db.WithContext(ctx).Model(&customer{}).Where("tenant_id = ? and id = ?", tenant, id)
}

func (repository) first(query *gorm.DB) (customers.Customer, error) {
	var row customer
	err := query.Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = customers.ErrNotFound
	}
	return row.domain(), err
}

// found turns a statement that met no row into ErrNotFound.
func found(done *gorm.DB) error {
	if done.Error == nil && done.RowsAffected == 0 {
		return customers.ErrNotFound
	}
	return done.Error
}
