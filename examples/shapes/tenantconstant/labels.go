// Package tenantconstant shows how a table gets a tenant where one tenant owns all that there is: version 1 knows no
// tenants, version 2 has the tenant in each row.
//
// The interface of the domain asks for the tenant already, and version 1 answers with a constant, owning_tenant(), which
// is a function of the database, so that no code has to be told. For all other tenants nothing is there, and nothing can
// be saved: version 1 could not hold it, and the way back would be closed. Version 2 refuses it too, by the constraint
// one_tenant. A second tenant becomes possible by dropping that constraint, once the old side is retired; so does a name
// that two tenants share.
//
// Nothing is lost. By hand are the SQL and this file: no line of Go besides.
package tenantconstant

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen ./...

// Label is one label.
type Label struct {
	TenantID uuid.UUID
	ID       uuid.UUID
	Name     string // no two labels have the same
}

// ErrNotFound says that the tenant has no such label.
var ErrNotFound = errors.New("no such label")

// Labels keeps the labels of all tenants.
//
//crossfade:entity name=labels notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Labels interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Label, error)

	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (Label, error)

	// ByName finds the label of a name.
	//
	//crossfade:list
	ByName(ctx context.Context, tenant uuid.UUID, name string) (Label, error)

	// Save inserts the label or replaces all of it.
	//
	//crossfade:write key=l.ID tenant=l.TenantID
	Save(ctx context.Context, l Label) error

	//crossfade:write key=id
	Rename(ctx context.Context, tenant, id uuid.UUID, name string) error

	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
