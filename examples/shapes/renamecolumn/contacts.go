// Package renamecolumn shows how a column gets another name: version 1 calls a contact's number mobile, version 2 calls
// it phone, as the application does.
//
// There is no mapping at all: the queries of version 1 say "mobile as phone", so that both versions answer in the
// application's words. Nothing is lost or refused. By hand, besides SQL and this file: 0 lines.
package renamecolumn

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Contact is one person to call.
type Contact struct {
	TenantID, ID uuid.UUID
	Name         string
	Phone        *string // nil where none is known
}

// ErrNotFound says that the tenant has no contact with that id.
var ErrNotFound = errors.New("no such contact")

// Contacts keeps the contacts of all tenants.
//
//crossfade:entity name=contacts notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Contacts interface {
	// Get reads one contact.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Contact, error)

	// GetForUpdate reads one contact and keeps it from changing until the transaction ends.
	//
	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (Contact, error)

	// ByPhone reads up to limit contacts with a number, in the order of their ids.
	//
	//crossfade:list
	ByPhone(ctx context.Context, tenant uuid.UUID, phone string, limit int) ([]Contact, error)

	// Save inserts the contact or replaces all of it.
	//
	//crossfade:write key=c.ID tenant=c.TenantID
	Save(ctx context.Context, c Contact) error

	// ChangePhone changes the number and nothing else; nil says that none is known.
	//
	//crossfade:write key=id
	ChangePhone(ctx context.Context, tenant, id uuid.UUID, phone *string) error

	// Delete removes the contact.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	// Keys reads up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
