// Package jsonbcolumns shows how a document becomes columns: version 1 keeps a venue as one jsonb, version 2 in a column
// for each field.
//
// The document of version 1 is written and read by one struct in its mapping. Refused, by both versions alike (see Check):
// text that is not UTF-8, which encoding/json would replace in silence; years beyond 9999, which JSON has no time for. A
// document with a field that no column takes, or with a number that does not fit, is an error when it is read, so that
// backfill names the key and nothing is dropped. No tags are stored as an empty list. By hand, besides SQL and this file:
// 35 lines.
package jsonbcolumns

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Venue is one place where something can be seen.
type Venue struct {
	TenantID, ID uuid.UUID
	Name, City   string
	Seats        *int64 // nil where nobody counted
	OpenedAt     time.Time
	Tags         []string `compare:"nilempty"`
}

var (
	// ErrNotFound says that the tenant has no venue with that id.
	ErrNotFound = errors.New("no such venue")
	// ErrRefused says that a venue holds what one of the versions cannot store.
	ErrRefused = errors.New("a venue has text that is not UTF-8, or a year beyond 9999")
)

// Check returns ErrRefused for what only one version could store.
func (v Venue) Check() error {
	text := strings.Join(append([]string{v.Name, v.City}, v.Tags...), " ")
	if year := v.OpenedAt.UTC().Year(); !utf8.ValidString(text) || year < 1 || year > 9999 {
		return ErrRefused
	}
	return nil
}

// Venues keeps the venues of all tenants.
//
//crossfade:entity name=venues notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Venues interface {
	// Get reads one venue.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Venue, error)

	// GetForUpdate reads one venue and keeps it from changing until the transaction ends.
	//
	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (Venue, error)

	// ByCity reads up to limit venues of a city, in the order of their ids.
	//
	//crossfade:list
	ByCity(ctx context.Context, tenant uuid.UUID, city string, limit int) ([]Venue, error)

	// Save inserts the venue or replaces all of it.
	//
	//crossfade:write key=v.ID tenant=v.TenantID
	Save(ctx context.Context, v Venue) error

	// ChangeCity changes the city and nothing else.
	//
	//crossfade:write key=id
	ChangeCity(ctx context.Context, tenant, id uuid.UUID, city string) error

	// Delete removes the venue.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	// Keys reads up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
