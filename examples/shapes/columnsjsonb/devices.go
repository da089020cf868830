// Package columnsjsonb shows how columns become a document: version 1 keeps a column for each field of a device, version 2
// those that change with every model of it in one jsonb.
//
// The document of version 2 is written and read by one struct in its mapping; numbers are exact, since jsonb keeps them as
// decimals and the struct reads them by their types. Refused, by both versions alike (see Check): text that is not UTF-8,
// which encoding/json would replace in silence, and a gain that is infinite or not a number. Minus zero comes back as zero,
// which is equal. A document with a field that is not known is an error when it is read. By hand, besides SQL and this
// file: 33 lines.
package columnsjsonb

import (
	"context"
	"errors"
	"math"
	"unicode/utf8"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Device is one device with what it told last.
type Device struct {
	TenantID, ID uuid.UUID
	Serial       string
	Firmware     string
	Pulses       int64
	Gain         float64
	Alias        *string // nil where nobody gave one
}

var (
	// ErrNotFound says that the tenant has no device with that id.
	ErrNotFound = errors.New("no such device")
	// ErrRefused says that a device holds what one of the versions cannot store.
	ErrRefused = errors.New("a device has text that is not UTF-8, or a gain that is no number")
)

// Check returns ErrRefused for what only one version could store.
func (d Device) Check() error {
	alias := ""
	if d.Alias != nil {
		alias = *d.Alias
	}
	if !utf8.ValidString(d.Firmware) || !utf8.ValidString(alias) || math.IsNaN(d.Gain) || math.IsInf(d.Gain, 0) {
		return ErrRefused
	}
	return nil
}

// Devices keeps the devices of all tenants.
//
//crossfade:entity name=devices notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Devices interface {
	// Get reads one device.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Device, error)

	// GetForUpdate reads one device and keeps it from changing until the transaction ends.
	//
	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (Device, error)

	// ByFirmware reads up to limit devices with a firmware, in the order of their ids.
	//
	//crossfade:list
	ByFirmware(ctx context.Context, tenant uuid.UUID, firmware string, limit int) ([]Device, error)

	// Save inserts the device or replaces all of it.
	//
	//crossfade:write key=d.ID tenant=d.TenantID
	Save(ctx context.Context, d Device) error

	// CountPulses adds to the pulses and returns how many there are.
	//
	//crossfade:write key=id
	CountPulses(ctx context.Context, tenant, id uuid.UUID, more int64) (int64, error)

	// Delete removes the device.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	// Keys reads up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
