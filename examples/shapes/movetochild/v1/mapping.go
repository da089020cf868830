// Package v1 stores the carrier of a shipment with the shipment. It knows nothing of version 2.
package v1

import (
	"github.com/crossfade-db/crossfade/examples/shapes/movetochild"
	"github.com/crossfade-db/crossfade/examples/shapes/movetochild/v1/queries"
)

// mapping converts what movetochild.Shipment and version v1 write differently.
type mapping struct{}

// ShipmentFromRow makes the parcels of their columns.
func (mapping) ShipmentFromRow(row queries.GetShipmentRow) (parcels []movetochild.Parcel, err error) {
	for i, barcode := range row.Barcodes {
		parcels = append(parcels, movetochild.Parcel{Barcode: barcode, Grams: row.Grams[i]})
	}
	return parcels, nil
}

// SaveParams returns a column for each field of the parcels.
func (mapping) SaveParams(s movetochild.Shipment) (barcodes []string, grams []int32, err error) {
	for _, p := range s.Parcels {
		barcodes, grams = append(barcodes, p.Barcode), append(grams, p.Grams)
	}
	return barcodes, grams, s.Check()
}
