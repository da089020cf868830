// Package movetochild shows how a column moves from a parent to the rows of its child table: version 1 keeps the carrier
// on a shipment, version 2 on every parcel of it, where later each may have its own. The entity is the shipment with its
// parcels, and says one carrier as long as both versions are written.
//
// Parcels travel as arrays, one for each column, so that one statement reads a shipment and one writes it. Refused, by
// both versions alike (see Check): a shipment without parcels, of which version 2 could not say the carrier. Parcels of
// one shipment by several carriers, which version 2 can hold, are an error when they are read: the application writes
// none before version 1 is retired. By hand, besides SQL and this file: 52 lines.
package movetochild

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Shipment is one shipment with its parcels.
type Shipment struct {
	TenantID, ID uuid.UUID
	SentAt       time.Time
	Carrier      string
	Parcels      []Parcel // at least one
}

// Parcel is one parcel of a shipment.
type Parcel struct {
	Barcode string
	Grams   int32
}

// Check returns ErrNoParcels for a shipment that version 2 could not store, so that both versions refuse the same ones.
func (s Shipment) Check() error {
	if len(s.Parcels) == 0 {
		return ErrNoParcels
	}
	return nil
}

var (
	// ErrNotFound says that the tenant has no shipment with that id.
	ErrNotFound = errors.New("no such shipment")
	// ErrNoParcels says that a shipment without parcels cannot be stored.
	ErrNoParcels = errors.New("a shipment has at least one parcel")
	// ErrCarriers says that a stored shipment cannot be read before its parcels agree.
	ErrCarriers = errors.New("the parcels of a shipment are of several carriers")
)

// Shipments keeps the shipments of all tenants.
//
//crossfade:entity name=shipments notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Shipments interface {
	// Get reads one shipment.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Shipment, error)

	// GetForUpdate reads one shipment and keeps it from changing until the transaction ends.
	//
	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (Shipment, error)

	// ByCarrier reads up to limit shipments by a carrier, in the order of their ids.
	//
	//crossfade:list
	ByCarrier(ctx context.Context, tenant uuid.UUID, carrier string, limit int) ([]Shipment, error)

	// Save inserts the shipment or replaces all of it.
	//
	//crossfade:write key=s.ID tenant=s.TenantID
	Save(ctx context.Context, s Shipment) error

	// ChangeCarrier changes the carrier and nothing else.
	//
	//crossfade:write key=id
	ChangeCarrier(ctx context.Context, tenant, id uuid.UUID, carrier string) error

	// Delete removes the shipment with its parcels.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	// Keys reads up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
