// Package notnull shows how a column that may be null gets a default: version 1 keeps null for a reader who never chose
// a language, version 2 keeps 'en', and its column is not null.
//
// There is no mapping: the queries of version 1 read null as the default, also where they look for a language. So the
// application has never seen the null when the new side begins to refuse it, and nothing is lost but the difference
// between a reader who chose the default and one who never chose. By hand, besides SQL and this file: 0 lines.
package notnull

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Reader is one reader of one tenant.
type Reader struct {
	TenantID, ID uuid.UUID
	Name         string
	Language     string // "en" for those who never chose
}

// ErrNotFound says that the tenant has no reader with that id.
var ErrNotFound = errors.New("no such reader")

// Readers keeps the readers of all tenants.
//
//crossfade:entity name=readers notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Readers interface {
	// Get reads one reader.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Reader, error)

	// ByLanguage reads up to limit readers of a language, in the order of their ids.
	//
	//crossfade:list
	ByLanguage(ctx context.Context, tenant uuid.UUID, language string, limit int) ([]Reader, error)

	// Save inserts the reader or replaces all of it.
	//
	//crossfade:write key=r.ID tenant=r.TenantID
	Save(ctx context.Context, r Reader) error

	// SetLanguage changes the language and nothing else.
	//
	//crossfade:write key=id
	SetLanguage(ctx context.Context, tenant, id uuid.UUID, language string) error

	// Delete removes the reader.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	// Keys reads up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
