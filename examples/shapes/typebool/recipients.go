// Package typebool shows how a boolean becomes a text: version 1 keeps a consent as true, false or null, for those who
// were never asked, and version 2 writes it out, so that other answers can follow.
//
// Version 2 needs no mapping: sqlc is told that its domain recipient_consent holds a Consent. Both versions store each
// of the three and refuse any other; a new one comes when version 1 is retired, for it could not hold it. Version 1
// looks for a consent by its name, since null is equal to nothing, so that a consent which nobody gave finds nobody.
// Nothing is lost. By hand, besides SQL and this file: 31 lines, in v1/mapping.go.
package typebool

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Recipient is somebody who may have agreed to get mail.
type Recipient struct {
	TenantID, ID uuid.UUID
	Email        string
	Consent      Consent
}

// Consent is what a recipient said. Any but the three is an error.
type Consent string

// The consents.
const (
	Given   Consent = "given"
	Refused Consent = "refused"
	Unasked Consent = "unasked"
)

// ErrNotFound says that the tenant has no recipient with that id.
var ErrNotFound = errors.New("no such recipient")

// Recipients keeps the recipients of all tenants.
//
//crossfade:entity name=recipients notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Recipients interface {
	// Get reads one recipient.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Recipient, error)

	// ByConsent reads up to limit recipients who said so, in the order of their ids.
	//
	//crossfade:list
	ByConsent(ctx context.Context, tenant uuid.UUID, consent Consent, limit int) ([]Recipient, error)

	// Save inserts the recipient or replaces all of it.
	//
	//crossfade:write key=r.ID tenant=r.TenantID
	Save(ctx context.Context, r Recipient) error

	// SetConsent changes the consent and nothing else.
	//
	//crossfade:write key=id
	SetConsent(ctx context.Context, tenant, id uuid.UUID, consent Consent) error

	// Delete removes the recipient.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	// Keys reads up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
