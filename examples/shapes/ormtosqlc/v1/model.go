// Package v1 stores listeners by GORM: the code that the application had before.
package v1

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/crossfade-db/crossfade/examples/shapes/ormtosqlc"
)

// Row is a row of listeners.
type Row struct {
	TenantID    uuid.UUID `gorm:"primaryKey"`
	ID          uuid.UUID `gorm:"primaryKey"`
	Name        string
	Topics      []string `gorm:"serializer:json"`
	CreditCents int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
	DeletedAt   gorm.DeletedAt
}

// TableName implements GORM's interface.
func (Row) TableName() string { return "listeners" }

func (r *Repository) one(ctx context.Context, tenant, id uuid.UUID) *gorm.DB {
	return r.orm.WithContext(ctx).Model(&Row{}).Where("tenant_id = ? and id = ?", tenant, id)
}

// GetForUpdate reads one listener and locks the row.
func (r *Repository) GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (ormtosqlc.Listener, error) {
	var row Row
	err := r.one(ctx, tenant, id).Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return ormtosqlc.Listener{}, ormtosqlc.ErrNotFound
	}
	return r.listenerFromRow(row), err
}

// ByTopic reads the listeners of a topic.
func (r *Repository) ByTopic(ctx context.Context, tenant uuid.UUID, topic string, after uuid.UUID, limit int) ([]ormtosqlc.Listener, error) {
	var rows []Row
	contained, err := json.Marshal([]string{topic})
	if err != nil {
		return nil, err
	}
	err = r.orm.WithContext(ctx).Where("tenant_id = ? and id > ? and topics @> ?::jsonb", tenant, after, string(contained)).
		Order("id").Limit(limit).Find(&rows).Error
	list := make([]ormtosqlc.Listener, len(rows))
	for i, row := range rows {
		list[i] = r.listenerFromRow(row)
	}
	return list, err
}

// AddCredit adds cents and returns the sum.
func (r *Repository) AddCredit(ctx context.Context, tenant, id uuid.UUID, cents int64) (int64, error) {
	var row Row
	done := r.one(ctx, tenant, id).Model(&row).Clauses(clause.Returning{Columns: []clause.Column{{Name: "credit_cents"}}}).
		Update("credit_cents", gorm.Expr("credit_cents + ?", cents))
	if done.Error == nil && done.RowsAffected == 0 {
		return 0, ormtosqlc.ErrNotFound
	}
	return row.CreditCents, done.Error
}
