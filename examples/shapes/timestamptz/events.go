// Package timestamptz shows how a timestamp gets a time zone: version 1 keeps when something happened as a timestamp
// without one, which has always been meant in UTC, version 2 as timestamptz.
//
// The mapping of version 1 says UTC, on every way in and out, so that neither the zone of a time.Time nor that of the
// session matters; version 2 needs none. (sqlc can be told to write a timestamp as time.Time. Then the types agree,
// nothing is asked of a mapping, and pgx writes what the clock showed in the zone of that value.) Times in a zone with
// summer time cannot be moved without loss, since an hour of each autumn is there twice. An infinite time is refused. By
// hand, besides SQL and this file: 17 lines, in v1/mapping.go.
package timestamptz

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Event is something that happened to a tenant.
type Event struct {
	TenantID, ID uuid.UUID
	Kind         string
	At           time.Time // to the microsecond
}

// ErrNotFound says that the tenant has no event with that id.
var ErrNotFound = errors.New("no such event")

// Events keeps the events of all tenants.
//
//crossfade:entity name=events notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Events interface {
	// Get reads one event.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Event, error)

	// Since reads up to limit events at a time or later, the earliest first.
	//
	//crossfade:list
	Since(ctx context.Context, tenant uuid.UUID, since time.Time, limit int) ([]Event, error)

	// Save inserts the event or replaces all of it.
	//
	//crossfade:write key=e.ID tenant=e.TenantID
	Save(ctx context.Context, e Event) error

	// Correct changes the time and nothing else.
	//
	//crossfade:write key=id
	Correct(ctx context.Context, tenant, id uuid.UUID, at time.Time) error

	// Delete removes the event.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	// Keys reads up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
