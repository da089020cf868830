// Package v1 keeps a person's name in one column.
package v1

import (
	"github.com/crossfade-db/crossfade/crossfadetest/internal/people"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// New returns version 1.
func New(db postgres.DBTX) people.People {
	return &people.SQL{
		DB: db, Table: "people_v1", Name: "name", Columns: "name",
		Split: func(parameter string) string { return parameter },
	}
}
