// Package uniquevalues shows a unique column whose values move between rows: version 1 calls it handle, version 2 login.
// Two players may swap theirs.
//
// Both versions have the constraint, deferrable and initially immediate: a swap is one UPDATE, which a constraint that
// cannot be deferred refuses half-way. The ladder needs it too. Copies go key by key: after a swap of which one side knows
// nothing, each of the two players waits there for the value that the other one still has. Backfill and repair therefore
// copy such keys in one transaction, with the constraints deferred, and can do so only where the constraint is deferrable.
// A swap locks the keys of both players, in one order, and names both, or the second one would never be copied.
//
// A constraint that is deferrable cannot be what ON CONFLICT or a foreign key refers to; here that is the primary key.
// Nothing is lost or refused. By hand are the SQL and this file: no line of Go besides.
package uniquevalues

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen ./...

// Player is one player of one tenant.
type Player struct {
	TenantID uuid.UUID
	ID       uuid.UUID
	Login    string // no two players of a tenant have the same
	Score    int64
}

// ErrNotFound says that the tenant has no such player.
var ErrNotFound = errors.New("no such player")

// Players keeps the players of all tenants.
//
//crossfade:entity name=players notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Players interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Player, error)

	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (Player, error)

	// ByLogin finds the player who has a login.
	//
	//crossfade:list
	ByLogin(ctx context.Context, tenant uuid.UUID, login string) (Player, error)

	// List reads up to limit players in the order of their ids, those behind after.
	//
	//crossfade:list
	List(ctx context.Context, tenant, after uuid.UUID, limit int) ([]Player, error)

	// Save inserts the player or replaces all of it.
	//
	//crossfade:write key=p.ID tenant=p.TenantID
	Save(ctx context.Context, p Player) error

	//crossfade:write key=id
	Rename(ctx context.Context, tenant, id uuid.UUID, login string) error

	// Swap gives each of two players the login of the other.
	//
	//crossfade:write key=firstID key=secondID
	Swap(ctx context.Context, tenant, firstID, secondID uuid.UUID) error

	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
