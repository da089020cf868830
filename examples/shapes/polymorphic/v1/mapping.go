// Package v1 stores the subject of a comment by kind and id. It knows nothing of version 2.
package v1

import (
	"github.com/google/uuid"

	"github.com/crossfade-db/crossfade/examples/shapes/polymorphic"
	"github.com/crossfade-db/crossfade/examples/shapes/polymorphic/v1/queries"
)

// mapping converts what polymorphic.Comment and version v1 write differently.
type mapping struct{}

// CommentFromRow makes the subject of kind and id.
func (mapping) CommentFromRow(row queries.Comment) (subject polymorphic.Subject, err error) {
	subject = polymorphic.Subject{Kind: polymorphic.Kind(row.SubjectKind), ID: row.SubjectID}
	return subject, subject.Check()
}

// SaveParams returns the subject's kind and id.
func (mapping) SaveParams(c polymorphic.Comment) (subjectKind string, subjectID uuid.UUID, err error) {
	return string(c.Subject.Kind), c.Subject.ID, c.Subject.Check()
}

// ChangeSubjectParams returns the same.
func (mapping) ChangeSubjectParams(_, _ uuid.UUID, subject polymorphic.Subject) (subjectKind string, subjectID uuid.UUID, err error) {
	return string(subject.Kind), subject.ID, subject.Check()
}

// BySubjectParams returns the same.
func (mapping) BySubjectParams(_ uuid.UUID, subject polymorphic.Subject, _ int) (subjectKind string, subjectID uuid.UUID, err error) {
	return string(subject.Kind), subject.ID, subject.Check()
}
