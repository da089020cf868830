// Package v1 keeps the status of a parcel as a text.
package v1

import (
	"errors"
	"strings"

	"github.com/google/uuid"

	"github.com/crossfade-db/crossfade/examples/shapes/typeenum"
	"github.com/crossfade-db/crossfade/examples/shapes/typeenum/v1/queries"
)

// mapping converts what typeenum.Parcel and version v1 write differently.
type mapping struct{}

func (mapping) ParcelFromRow(row queries.Parcel) (typeenum.Status, error) { return read(row.Status) }

func (mapping) SaveParams(p typeenum.Parcel) (string, error) { return written(p.Status) }

func (mapping) SetStatusParams(_, _ uuid.UUID, status typeenum.Status) (string, error) {
	return written(status)
}

func (mapping) ByStatusParams(_ uuid.UUID, status typeenum.Status, _ int) (string, error) {
	return written(status)
}

var errStatus = errors.New("the status of a parcel is none that there is")

// written is how version 1 writes a status from now on.
func written(status typeenum.Status) (string, error) {
	switch status {
	case typeenum.Packed, typeenum.Shipped, typeenum.Delivered:
		return string(status), nil
	}
	return "", errStatus
}

// read takes what was written over the years for the status that is meant, as the SQL of ByStatus does.
func read(text string) (typeenum.Status, error) {
	status := typeenum.Status(strings.ToLower(strings.Trim(text, " ")))
	_, err := written(status)
	return status, err
}
