// Package tenantcolumn shows how a table gets a tenant: version 1 finds the tenant of a task by its project, version 2
// has it in the task.
//
// The interface of the domain asks for the tenant already, and version 1 answers by a join: a task of somebody else is
// not there. Three things would differ between the versions if nothing were done about it. Tasks of version 1 have an
// id that no two tenants share; version 2 keeps that rule by a unique constraint of its own, since its key begins with
// the tenant. Saving over a task of another tenant must not take it away: both versions refuse it, version 1 by the
// subquery in its ON CONFLICT. And a project of another tenant is refused by both, version 1 by the subquery in VALUES,
// version 2 by its foreign key. A project that moved to another tenant took all of its tasks along without a word;
// from now on that is a write to each task.
//
// Where one tenant owns all old rows, see shape tenantconstant. Nothing is
// lost. By hand are the SQL and this file: no line of Go besides.
package tenantcolumn

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen ./...

// Task is one task of a project.
type Task struct {
	TenantID  uuid.UUID
	ID        uuid.UUID
	ProjectID uuid.UUID // of the same tenant
	Title     string
}

// ErrNotFound says that the tenant has no such task.
var ErrNotFound = errors.New("no such task")

// Tasks keeps the tasks of all tenants.
//
//crossfade:entity name=tasks notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Tasks interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Task, error)

	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (Task, error)

	// List reads up to limit tasks of a tenant in the order of their ids, those behind after.
	//
	//crossfade:list
	List(ctx context.Context, tenant, after uuid.UUID, limit int) ([]Task, error)

	// Save inserts the task or replaces all of it.
	//
	//crossfade:write key=t.ID tenant=t.TenantID
	Save(ctx context.Context, t Task) error

	//crossfade:write key=id
	Rename(ctx context.Context, tenant, id uuid.UUID, title string) error

	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
