// Package v2 reads and writes the tables of version 1, by sqlc.
package v2

import (
	"encoding/json"

	"github.com/crossfade-db/crossfade/examples/shapes/ormtosqlc"
	"github.com/crossfade-db/crossfade/examples/shapes/ormtosqlc/v2/queries"
)

type mapping struct{}

// ListenerFromRow reads what GORM's serializer wrote.
func (mapping) ListenerFromRow(row queries.Listener) (topics []string, err error) {
	if row.Topics != nil {
		err = json.Unmarshal(row.Topics, &topics)
	}
	return topics, err
}

// SaveParams writes as GORM's serializer does: NULL for a slice that is nil.
func (mapping) SaveParams(l ormtosqlc.Listener) (topics []byte, err error) {
	if l.Topics == nil {
		return nil, nil
	}
	return json.Marshal(l.Topics)
}
