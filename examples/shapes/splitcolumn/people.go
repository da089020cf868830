// Package splitcolumn shows how one column becomes two: version 1 keeps a
// person's name in full_name, version 2 in first_name and last_name. By hand are
// the SQL of each version, this file and v2/mapping.go; crossfade gen writes the
// rest.
//
// It knows nothing of either version's tables.
package splitcolumn

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Person is one person of one tenant.
type Person struct {
	TenantID uuid.UUID
	ID       uuid.UUID
	FullName string
	Email    string
	BornOn   *time.Time // nil where it is not known
}

// ErrNotFound says that the tenant has no person with that id.
var ErrNotFound = errors.New("no such person")

// People keeps the people of all tenants.
//
//crossfade:entity name=people notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type People interface {
	// Get reads one person.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Person, error)

	// List reads up to limit people in the order of their ids, those behind after; uuid.Nil starts at the first.
	//
	//crossfade:list
	List(ctx context.Context, tenant, after uuid.UUID, limit int) ([]Person, error)

	// Save inserts the person or replaces all of it.
	//
	//crossfade:write key=p.ID tenant=p.TenantID
	Save(ctx context.Context, p Person) error

	// Rename changes the name and nothing else.
	//
	//crossfade:write key=id
	Rename(ctx context.Context, tenant, id uuid.UUID, fullName string) error

	// Delete removes the person.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	// Keys returns up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
