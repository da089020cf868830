// Package ormtosqlc shows how code moves from GORM to sqlc while its tables stay what they are. Both versions are ways to
// the same rows, and that turns one rule of the ladder around.
//
// Whatever the stage, a write must be done once. Done by both versions, as dual stages do, credit that is added would be
// added twice, triggers and hooks would run twice, and a backfill would write every row over itself, and what the domain
// does not show (created_at, deleted_at) would be gone if one version forgot it. So v2.SameTables stands between the
// repository and its two sides: a write runs by the version with authority, and the other one answers it without a
// statement, backfill's and repair's copies included. There is nothing to be stale, nothing to copy, and a writer that
// goes past the application harms nobody.
//
// What the ladder still gives: at shadow and live each read runs by both versions in one snapshot and is compared;
// verification does so for every row there is; tenants go over one by one, and come back at once. The first write by the
// new version is that of live. As both versions write the same rows, what a write stored is compared by the next read.
// dual and rampdown do nothing that old and new do not do.
//
// The new version has to keep GORM's habits as long as the old one may come back: deleted_at, updated_at, a slice that
// is nil as NULL, and a list of nothing as one that is empty (emit_empty_slices). Nothing is lost or refused. By hand are the SQL, this file, v2/mapping.go and
// v2/sametables.go; the model and the methods of v1 are what the application had.
package ormtosqlc

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen ./...

// Listener is one listener of one tenant.
type Listener struct {
	TenantID    uuid.UUID
	ID          uuid.UUID
	Name        string
	Topics      []string
	CreditCents int64
}

// ErrNotFound says that the tenant has no such listener.
var ErrNotFound = errors.New("no such listener")

// Listeners keeps the listeners of all tenants.
//
//crossfade:entity name=listeners notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Listeners interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Listener, error)

	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (Listener, error)

	// ByTopic reads up to limit listeners of a topic in the order of their ids, those behind after.
	//
	//crossfade:list
	ByTopic(ctx context.Context, tenant uuid.UUID, topic string, after uuid.UUID, limit int) ([]Listener, error)

	// Save inserts the listener or replaces all of it.
	//
	//crossfade:write key=l.ID tenant=l.TenantID
	Save(ctx context.Context, l Listener) error

	// AddCredit adds cents and returns the sum.
	//
	//crossfade:write key=id
	AddCredit(ctx context.Context, tenant, id uuid.UUID, cents int64) (int64, error)

	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
