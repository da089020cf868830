// Package v2 keeps a person's name in two columns.
package v2

import (
	"strings"

	"github.com/google/uuid"

	"github.com/crossfade-db/crossfade/examples/shapes/splitcolumn"
	"github.com/crossfade-db/crossfade/examples/shapes/splitcolumn/v2/queries"
)

// mapping cuts a full name in two at its last space, and joins it again. No character is lost.
type mapping struct{}

func (mapping) PersonFromRow(row queries.PeopleV2Person) (fullName string, err error) {
	if row.LastName == "" {
		return row.FirstName, nil
	}
	return row.FirstName + " " + row.LastName, nil
}

func (mapping) SaveParams(p splitcolumn.Person) (firstName, lastName string, err error) {
	firstName, lastName = split(p.FullName)
	return firstName, lastName, nil
}

func (mapping) RenameParams(_, _ uuid.UUID, fullName string) (firstName, lastName string, err error) {
	firstName, lastName = split(fullName)
	return firstName, lastName, nil
}

func split(full string) (first, last string) {
	at := strings.LastIndexByte(full, ' ')
	if at < 0 || at == len(full)-1 {
		return full, "" // one word, also with a space at its end
	}
	return full[:at], full[at+1:]
}
