// Package v1 stores accounts and their settings in two tables. It knows nothing of version 2.
package v1

import (
	"github.com/crossfade-db/crossfade/examples/shapes/mergetables"
	"github.com/crossfade-db/crossfade/examples/shapes/mergetables/v1/queries"
)

// mapping converts what mergetables.Account and version v1 write differently.
type mapping struct{}

// AccountFromRow returns no settings where the outer join found none.
func (mapping) AccountFromRow(row queries.GetAccountRow) (settings *mergetables.Settings, err error) {
	if row.Language == nil || row.Newsletter == nil {
		return nil, nil
	}
	return &mergetables.Settings{Language: *row.Language, Newsletter: *row.Newsletter}, nil
}

// SaveParams returns the settings' columns, null where there are none.
func (mapping) SaveParams(a mergetables.Account) (language *string, newsletter *bool, err error) {
	if a.Settings == nil {
		return nil, nil, nil
	}
	return &a.Settings.Language, &a.Settings.Newsletter, nil
}
