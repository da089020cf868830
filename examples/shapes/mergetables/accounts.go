// Package mergetables shows how two tables become one: version 1 keeps accounts, and in account_settings a row for those
// that have chosen something; version 2 keeps both in accounts, in columns that are null together where nothing is chosen.
//
// Nothing is lost or refused: an account without settings is not one whose settings are empty, and a CHECK in version 2
// keeps it so. Version 1 cannot lock the absent side of an outer join, and locks the rows in statements of their own.
// By hand, besides SQL and this file: 39 lines.
package mergetables

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Account is one account.
type Account struct {
	TenantID, ID uuid.UUID
	Email        string
	Settings     *Settings // nil where nothing was chosen
}

// Settings are what somebody chose.
type Settings struct {
	Language   string
	Newsletter bool
}

// ErrNotFound says that the tenant has no account with that id.
var ErrNotFound = errors.New("no such account")

// Accounts keeps the accounts of all tenants.
//
//crossfade:entity name=accounts notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Accounts interface {
	// Get reads one account.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Account, error)

	// GetForUpdate reads one account and keeps it from changing until the transaction ends.
	//
	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (Account, error)

	// ByLanguage reads up to limit accounts that chose a language, in the order of their ids.
	//
	//crossfade:list
	ByLanguage(ctx context.Context, tenant uuid.UUID, language string, limit int) ([]Account, error)

	// Save inserts the account or replaces all of it.
	//
	//crossfade:write key=a.ID tenant=a.TenantID
	Save(ctx context.Context, a Account) error

	// ChangeLanguage changes the language of settings that are there; without any it is ErrNotFound.
	//
	//crossfade:write key=id
	ChangeLanguage(ctx context.Context, tenant, id uuid.UUID, language string) error

	// Delete removes the account.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	// Keys reads up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
