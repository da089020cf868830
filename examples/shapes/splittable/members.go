// Package splittable shows how one table becomes two: version 1 keeps members and what they say of themselves in one
// wide table, version 2 in members and member_profiles, which share the member's key.
//
// There is no mapping: the queries of version 2 join the two tables, and one statement writes both, so that a member
// without a profile cannot be seen, not even by a reader on a pool. Columns keep their names, and all columns of
// version 1 are NOT NULL or nullable as in version 2. Nothing is lost or refused. By hand, besides SQL and this file: 0 lines.
package splittable

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Member is one member with the profile that goes with it.
type Member struct {
	TenantID, ID uuid.UUID
	Email        string
	JoinedAt     time.Time
	Name, Bio    string
	Website      *string // nil where none is known
}

// ErrNotFound says that the tenant has no member with that id.
var ErrNotFound = errors.New("no such member")

// Members keeps the members of all tenants.
//
//crossfade:entity name=members notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Members interface {
	// Get reads one member.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Member, error)

	// GetForUpdate reads one member and keeps it from changing until the transaction ends.
	//
	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (Member, error)

	// ByName reads up to limit members of a name, in the order of their ids.
	//
	//crossfade:list
	ByName(ctx context.Context, tenant uuid.UUID, name string, limit int) ([]Member, error)

	// Save inserts the member or replaces all of it.
	//
	//crossfade:write key=m.ID tenant=m.TenantID
	Save(ctx context.Context, m Member) error

	// ChangeEmail changes the address and nothing else.
	//
	//crossfade:write key=id
	ChangeEmail(ctx context.Context, tenant, id uuid.UUID, email string) error

	// ChangeBio changes a part of the profile and nothing else.
	//
	//crossfade:write key=id
	ChangeBio(ctx context.Context, tenant, id uuid.UUID, bio string) error

	// Delete removes the member with its profile.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	// Keys reads up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
