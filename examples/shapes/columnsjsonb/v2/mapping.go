// Package v2 stores most of a device in one document. It knows nothing of version 1.
package v2

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/crossfade-db/crossfade/examples/shapes/columnsjsonb"
	"github.com/crossfade-db/crossfade/examples/shapes/columnsjsonb/v2/queries"
)

// mapping converts what columnsjsonb.Device and version v2 write differently.
type mapping struct{}

// document is the column state.
type document struct {
	Firmware string  `json:"firmware"`
	Pulses   int64   `json:"pulses"`
	Gain     float64 `json:"gain"`
	Alias    *string `json:"alias,omitempty"`
}

// errDocument shows nothing of the document.
var errDocument = errors.New("read a device: its document has a field that is not known, or of another type")

// DeviceFromRow reads the document. A field that it lacks is zero.
func (mapping) DeviceFromRow(row queries.Device) (firmware string, pulses int64, gain float64, alias *string, err error) {
	var d document
	decoder := json.NewDecoder(bytes.NewReader(row.State))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&d) != nil {
		err = errDocument
	}
	return d.Firmware, d.Pulses, d.Gain, d.Alias, err
}

// SaveParams writes the document.
func (mapping) SaveParams(d columnsjsonb.Device) (state []byte, err error) {
	if err := d.Check(); err != nil {
		return nil, err
	}
	return json.Marshal(document{Firmware: d.Firmware, Pulses: d.Pulses, Gain: d.Gain, Alias: d.Alias})
}
