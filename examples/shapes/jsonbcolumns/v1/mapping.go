// Package v1 stores a venue in one document. It knows nothing of version 2.
package v1

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"github.com/crossfade-db/crossfade/examples/shapes/jsonbcolumns"
	"github.com/crossfade-db/crossfade/examples/shapes/jsonbcolumns/v1/queries"
)

// mapping converts what jsonbcolumns.Venue and version v1 write differently.
type mapping struct{}

// document is the column data.
type document struct {
	Name     string    `json:"name"`
	City     string    `json:"city"`
	Seats    *int64    `json:"seats,omitempty"`
	OpenedAt time.Time `json:"opened_at"`
	Tags     []string  `json:"tags,omitempty"`
}

// errDocument shows nothing of the document.
var errDocument = errors.New("read a venue: its document has a field that is not known, or of another type")

// VenueFromRow reads the document. A field that it lacks is empty.
func (mapping) VenueFromRow(row queries.Venue) (name, city string, seats *int64, openedAt time.Time, tags []string, err error) {
	var d document
	decoder := json.NewDecoder(bytes.NewReader(row.Data))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&d) != nil {
		err = errDocument
	}
	return d.Name, d.City, d.Seats, d.OpenedAt, d.Tags, err
}

// SaveParams writes the document.
func (mapping) SaveParams(v jsonbcolumns.Venue) (data []byte, err error) {
	if err := v.Check(); err != nil {
		return nil, err
	}
	opened := v.OpenedAt.UTC().Truncate(time.Microsecond) // as a column keeps it
	return json.Marshal(document{Name: v.Name, City: v.City, Seats: v.Seats, OpenedAt: opened, Tags: v.Tags})
}
