// Package v2 stores accounts and their settings in one table. It knows nothing of version 1.
package v2

import (
	"github.com/crossfade-db/crossfade/examples/shapes/mergetables"
	"github.com/crossfade-db/crossfade/examples/shapes/mergetables/v2/queries"
)

// mapping converts what mergetables.Account and version v2 write differently.
type mapping struct{}

// AccountFromRow returns no settings where their columns are null.
func (mapping) AccountFromRow(row queries.Account) (settings *mergetables.Settings, err error) {
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
