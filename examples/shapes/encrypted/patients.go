// Package encrypted shows how a plain column becomes one that the database cannot read: version 1 keeps an email address
// as text, version 2 as a hash, by which it is found, and a box, from which it is read.
//
// The hash is HMAC-SHA-256 and the box AES-256-GCM, under two keys that are made of the application's one. Two boxes of
// one address differ, and so no side ever compares them: the domain has the address, and versions are compared as the
// domain sees them. A box is bound to its tenant and row, so that it cannot be moved to another one. The hash is of the
// address as it was entered: whoever wants to find it in other case changes it in both versions. What version 2 cannot
// do any more is to search for parts of an address, or to sort by it: the interface offers neither, and has to lose them
// before the migration begins.
//
// What is no text is refused by version 1's column, and so CheckEmail refuses it in version 2. Nothing is lost while the
// key is kept. By hand are the SQL, this file, v2/mapping.go and
// v2/box.go; version 2 is made by v2.Factory(key) in place of v2.New, which has no key and answers with an error.
package encrypted

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen ./...

// Patient is one patient of one tenant.
type Patient struct {
	TenantID uuid.UUID
	ID       uuid.UUID
	Name     string
	Email    string
}

// ErrText says that an email address is no text that PostgreSQL could store. A box would take it, and the way back to
// version 1 would be closed.
var ErrText = errors.New("an email address is not UTF-8 or holds the character zero")

// CheckEmail returns [ErrText] for an address that version 1 cannot hold.
func CheckEmail(email string) error {
	if !utf8.ValidString(email) || strings.ContainsRune(email, 0) {
		return ErrText
	}
	return nil
}

// ErrNotFound says that the tenant has no such patient.
var ErrNotFound = errors.New("no such patient")

// Patients keeps the patients of all tenants.
//
//crossfade:entity name=patients notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Patients interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Patient, error)

	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (Patient, error)

	// ByEmail reads the patients with an email address, in the order of their ids.
	//
	//crossfade:list
	ByEmail(ctx context.Context, tenant uuid.UUID, email string) ([]Patient, error)

	// Save inserts the patient or replaces all of it.
	//
	//crossfade:write key=p.ID tenant=p.TenantID
	Save(ctx context.Context, p Patient) error

	//crossfade:write key=id
	UpdateEmail(ctx context.Context, tenant, id uuid.UUID, email string) error

	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
