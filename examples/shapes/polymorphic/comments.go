// Package polymorphic shows how a reference to rows of several tables becomes typed: version 1 keeps the kind of a
// comment's subject as text beside its id, version 2 a column for each kind, of which exactly one is set.
//
// Refused, by both versions alike: a subject of a kind that is not known. A row of version 1 that holds one, which only
// plain SQL can have written, is an error when it is read, so that backfill names the key. Version 2 declares no foreign
// keys as long as version 1 is written: a reference to what is gone would be refused there; they are added, NOT VALID
// first, once it is retired. By hand, besides SQL and this file: 42 lines.
package polymorphic

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Comment is what somebody wrote about a subject.
type Comment struct {
	TenantID, ID uuid.UUID
	Subject      Subject
	Body         string
	WrittenAt    time.Time
}

// Subject is a row of the table of its kind.
type Subject struct {
	Kind Kind
	ID   uuid.UUID
}

// Kind says which table a subject is in.
type Kind string

// The kinds that there are.
const (
	Post  Kind = "post"
	Photo Kind = "photo"
)

// Check returns ErrKind for a kind that is not known, so that both versions refuse the same ones.
func (s Subject) Check() error {
	if s.Kind != Post && s.Kind != Photo {
		return ErrKind
	}
	return nil
}

var (
	// ErrNotFound says that the tenant has no comment with that id.
	ErrNotFound = errors.New("no such comment")
	// ErrKind says that a subject is of no known kind.
	ErrKind = errors.New("the subject of a comment is of no known kind")
)

// Comments keeps the comments of all tenants.
//
//crossfade:entity name=comments notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Comments interface {
	// Get reads one comment.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Comment, error)

	// GetForUpdate reads one comment and keeps it from changing until the transaction ends.
	//
	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (Comment, error)

	// BySubject reads up to limit comments about a subject, in the order of their ids.
	//
	//crossfade:list
	BySubject(ctx context.Context, tenant uuid.UUID, subject Subject, limit int) ([]Comment, error)

	// Save inserts the comment or replaces all of it.
	//
	//crossfade:write key=c.ID tenant=c.TenantID
	Save(ctx context.Context, c Comment) error

	// ChangeSubject moves the comment to another subject.
	//
	//crossfade:write key=id
	ChangeSubject(ctx context.Context, tenant, id uuid.UUID, subject Subject) error

	// Delete removes the comment.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	// Keys reads up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
