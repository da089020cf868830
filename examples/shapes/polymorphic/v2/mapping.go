// Package v2 stores the subject of a comment in a column for each kind. It knows nothing of version 1.
package v2

import (
	"github.com/google/uuid"

	"github.com/crossfade-db/crossfade/examples/shapes/polymorphic"
	"github.com/crossfade-db/crossfade/examples/shapes/polymorphic/v2/queries"
)

// mapping converts what polymorphic.Comment and version v2 write differently.
type mapping struct{}

// CommentFromRow makes the subject of the one column that is set.
func (mapping) CommentFromRow(row queries.Comment) (subject polymorphic.Subject, err error) {
	switch {
	case row.PostID != nil:
		subject = polymorphic.Subject{Kind: polymorphic.Post, ID: *row.PostID}
	case row.PhotoID != nil:
		subject = polymorphic.Subject{Kind: polymorphic.Photo, ID: *row.PhotoID}
	}
	return subject, subject.Check()
}

// columns returns the column of each kind, of which one is set.
func columns(subject polymorphic.Subject) (postID, photoID *uuid.UUID, err error) {
	switch subject.Kind {
	case polymorphic.Post:
		postID = &subject.ID
	case polymorphic.Photo:
		photoID = &subject.ID
	}
	return postID, photoID, subject.Check()
}

// SaveParams returns the columns of the subject.
func (mapping) SaveParams(c polymorphic.Comment) (postID, photoID *uuid.UUID, err error) {
	return columns(c.Subject)
}

// ChangeSubjectParams returns the columns of the subject.
func (mapping) ChangeSubjectParams(_, _ uuid.UUID, subject polymorphic.Subject) (postID, photoID *uuid.UUID, err error) {
	return columns(subject)
}

// BySubjectParams returns the columns of the subject.
func (mapping) BySubjectParams(_ uuid.UUID, subject polymorphic.Subject, _ int) (postID, photoID *uuid.UUID, err error) {
	return columns(subject)
}
