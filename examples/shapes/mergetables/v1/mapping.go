package v1

import (
	"github.com/crossfade-db/crossfade/examples/shapes/mergetables"
	"github.com/crossfade-db/crossfade/examples/shapes/mergetables/v1/queries"
)

// mapping converts what mergetables.Subscriber and version v1 write differently.
type mapping struct{}

// SubscriberFromRow returns no settings where the outer join found none.
func (mapping) SubscriberFromRow(row queries.GetSubscriberRow) (settings *mergetables.Settings, err error) {
	if row.Language == nil || row.Newsletter == nil {
		return nil, nil
	}
	return &mergetables.Settings{Language: *row.Language, Newsletter: *row.Newsletter}, nil
}

// SaveParams returns the settings' columns, null where there are none.
func (mapping) SaveParams(s mergetables.Subscriber) (language *string, newsletter *bool, err error) {
	if s.Settings == nil {
		return nil, nil, nil
	}
	return &s.Settings.Language, &s.Settings.Newsletter, nil
}
