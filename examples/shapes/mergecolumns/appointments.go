// Package mergecolumns shows how two columns become one: version 1 keeps the start of an appointment in a date and a
// time of day, version 2 in one timestamptz.
//
// The mapping of version 1 cuts an instant in two, in UTC, and puts it together again; version 2 needs none. Nothing is
// lost: 24:00, which a time of day can be, is 00:00 of the next day. A day that is infinite is refused. By hand,
// besides SQL and this file: 24 lines, in v1/mapping.go.
package mergecolumns

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Appointment is one appointment of one tenant.
type Appointment struct {
	TenantID, ID uuid.UUID
	Title        string
	StartsAt     time.Time // to the microsecond
}

// ErrNotFound says that the tenant has no appointment with that id.
var ErrNotFound = errors.New("no such appointment")

// Appointments keeps the appointments of all tenants.
//
//crossfade:entity name=appointments notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Appointments interface {
	// Get reads one appointment.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Appointment, error)

	// Between reads up to limit appointments that start at from or later and before until, the earliest first.
	//
	//crossfade:list
	Between(ctx context.Context, tenant uuid.UUID, from, until time.Time, limit int) ([]Appointment, error)

	// Save inserts the appointment or replaces all of it.
	//
	//crossfade:write key=a.ID tenant=a.TenantID
	Save(ctx context.Context, a Appointment) error

	// Move changes the start and nothing else.
	//
	//crossfade:write key=id
	Move(ctx context.Context, tenant, id uuid.UUID, startsAt time.Time) error

	// Delete removes the appointment.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	// Keys reads up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
