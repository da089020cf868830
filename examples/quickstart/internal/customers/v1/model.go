// Package v1 stores customers in one table, by GORM: the code that the application had before.
//
// It knows nothing of version 2 or of the migration.
package v1

import (
	"time"

	"github.com/google/uuid"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/customers"
)

// customer is a row of quickstart_v1.customers.
type customer struct {
	TenantID     uuid.UUID          `gorm:"primaryKey"`
	ID           uuid.UUID          `gorm:"primaryKey"`
	FullName     string             `gorm:"not null"`
	Email        string             `gorm:"not null"`
	Address      *customers.Address `gorm:"serializer:json"`
	BalanceCents int64              `gorm:"not null"`
	UpdatedAt    time.Time          `gorm:"autoUpdateTime:false"` // the caller's, so that both versions store the same
}

// TableName implements GORM's interface.
func (customer) TableName() string { return "quickstart_v1.customers" }

func rowOf(c customers.Customer) customer {
	return customer{
		TenantID: c.TenantID, ID: c.ID, FullName: c.FullName, Email: c.Email, Address: c.Address,
		BalanceCents: c.BalanceCents, UpdatedAt: c.UpdatedAt,
	}
}

func (r customer) domain() customers.Customer {
	return customers.Customer{
		TenantID: r.TenantID, ID: r.ID, FullName: r.FullName, Email: r.Email, Address: r.Address,
		BalanceCents: r.BalanceCents, UpdatedAt: r.UpdatedAt.UTC(),
	}
}
