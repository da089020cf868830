// Package v2 keeps a person's name in two columns.
package v2

import (
	"strings"

	"github.com/crossfade-db/crossfade/crossfadetest/internal/people"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// New returns version 2. A name without a space has no last name.
func New(db postgres.DBTX) people.People { return sides(db) }

func sides(db postgres.DBTX) *people.SQL {
	return &people.SQL{
		DB: db, Table: "people_v2", Name: "concat_ws(' ', first_name, last_name)", Columns: "first_name, last_name",
		Split: func(p string) string {
			return strings.ReplaceAll("split_part($, ' ', 1), case when strpos($, ' ') > 0 then substr($, strpos($, ' ') + 1) end", "$", p)
		},
	}
}

// WithoutMiddleName is version 2 with a mistake: of several names it keeps the
// first and the last.
func WithoutMiddleName(db postgres.DBTX) people.People {
	side := sides(db)
	side.Split = func(p string) string {
		return strings.ReplaceAll("split_part($, ' ', 1), case when strpos($, ' ') > 0 then regexp_replace($, '.* ', '') end", "$", p)
	}
	return side
}

// Unordered is version 2 with a mistake: lists come in another order.
func Unordered(db postgres.DBTX) people.People {
	side := sides(db)
	side.Order = "id desc"
	return side
}
