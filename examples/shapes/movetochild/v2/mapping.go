// Package v2 stores the carrier of a shipment with each of its parcels. It knows nothing of version 1.
package v2

import (
	"github.com/crossfade-db/crossfade/examples/shapes/movetochild"
	"github.com/crossfade-db/crossfade/examples/shapes/movetochild/v2/queries"
)

// mapping converts what movetochild.Shipment and version v2 write differently.
type mapping struct{}

// ShipmentFromRow makes the parcels, whose carrier has to be one.
func (mapping) ShipmentFromRow(row queries.GetShipmentRow) (carrier string, parcels []movetochild.Parcel, err error) {
	if len(row.Carriers) != 1 {
		return "", nil, movetochild.ErrCarriers
	}
	for i, barcode := range row.Barcodes {
		parcels = append(parcels, movetochild.Parcel{Barcode: barcode, Grams: row.Grams[i]})
	}
	return row.Carriers[0], parcels, nil
}

// SaveParams returns a column for each field of the parcels.
func (mapping) SaveParams(s movetochild.Shipment) (barcodes []string, grams []int32, err error) {
	for _, p := range s.Parcels {
		barcodes, grams = append(barcodes, p.Barcode), append(grams, p.Grams)
	}
	return barcodes, grams, s.Check()
}
