// Package mergetables shows how two tables become one: version 1 keeps subscribers, and in subscriber_settings a row for those
// that have chosen something; version 2 keeps both in subscribers, in columns that are null together where nothing is chosen.
//
// Nothing is lost or refused: a subscriber without settings is not one whose settings are empty, and a CHECK in version 2
// keeps it so. Version 1 cannot lock the absent side of an outer join, and locks the rows in statements of their own.
// By hand, besides SQL and this file: 36 lines.
package mergetables

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Subscriber is one subscriber.
type Subscriber struct {
	TenantID, ID uuid.UUID
	Email        string
	Settings     *Settings // nil where nothing was chosen
}

// Settings are what somebody chose.
type Settings struct {
	Language   string
	Newsletter bool
}

// ErrNotFound says that the tenant has no subscriber with that id.
var ErrNotFound = errors.New("no such subscriber")

// Subscribers keeps the subscribers of all tenants.
//
//crossfade:entity name=subscribers notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Subscribers interface {
	// Get reads one subscriber.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Subscriber, error)

	// GetForUpdate reads one subscriber and keeps it from changing until the transaction ends.
	//
	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (Subscriber, error)

	// ByLanguage reads up to limit subscribers that chose a language, in the order of their ids.
	//
	//crossfade:list
	ByLanguage(ctx context.Context, tenant uuid.UUID, language string, limit int) ([]Subscriber, error)

	// Save inserts the subscriber or replaces all of it.
	//
	//crossfade:write key=s.ID tenant=s.TenantID
	Save(ctx context.Context, s Subscriber) error

	// ChangeLanguage changes the language of settings that are there; without any it is ErrNotFound.
	//
	//crossfade:write key=id
	ChangeLanguage(ctx context.Context, tenant, id uuid.UUID, language string) error

	// Delete removes the subscriber.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	// Keys reads up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
