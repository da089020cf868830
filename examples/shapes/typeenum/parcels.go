// Package typeenum shows how a text becomes an enumeration of the database: the status of a parcel is any text in
// version 1 and a parcel_status in version 2.
//
// Version 2 needs no mapping: sqlc is told that the column holds a Status. That of version 1 reads what was written
// over the years ("Packed", "delivered ") as the status that is meant, and refuses any other. A row with another one
// cannot be copied: the migration stays at dual until it is mended (select distinct status finds it). Lists go by id,
// for an enumeration sorts in the order of its declaration and a text by its letters. By hand, besides SQL and this
// file: 22 lines, in v1/mapping.go.
package typeenum

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Parcel is one parcel of one tenant.
type Parcel struct {
	TenantID, ID uuid.UUID
	Address      string
	Status       Status
}

// Status says how far a parcel is. Any but the three is an error.
type Status string

// The statuses.
const (
	Packed    Status = "packed"
	Shipped   Status = "shipped"
	Delivered Status = "delivered"
)

// ErrNotFound says that the tenant has no parcel with that id.
var ErrNotFound = errors.New("no such parcel")

// Parcels keeps the parcels of all tenants.
//
//crossfade:entity name=parcels notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Parcels interface {
	// Get reads one parcel.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Parcel, error)

	// ByStatus reads up to limit parcels of a status, in the order of their ids.
	//
	//crossfade:list
	ByStatus(ctx context.Context, tenant uuid.UUID, status Status, limit int) ([]Parcel, error)

	// Save inserts the parcel or replaces all of it.
	//
	//crossfade:write key=p.ID tenant=p.TenantID
	Save(ctx context.Context, p Parcel) error

	// SetStatus changes the status and nothing else.
	//
	//crossfade:write key=id
	SetStatus(ctx context.Context, tenant, id uuid.UUID, status Status) error

	// Delete removes the parcel.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	// Keys reads up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
