// Package v2 stores the currency of an order with the order. It knows nothing of version 1.
package v2

import (
	"github.com/crossfade-db/crossfade/examples/shapes/movetoparent"
	"github.com/crossfade-db/crossfade/examples/shapes/movetoparent/v2/queries"
)

// mapping converts what movetoparent.Order and version v2 write differently.
type mapping struct{}

// OrderFromRow makes the lines of their columns.
func (mapping) OrderFromRow(row queries.GetOrderRow) (lines []movetoparent.Line, err error) {
	for i, sku := range row.Skus {
		lines = append(lines, movetoparent.Line{SKU: sku, Quantity: row.Quantities[i]})
	}
	return lines, nil
}

// SaveParams returns a column for each field of the lines.
func (mapping) SaveParams(o movetoparent.Order) (skus []string, quantities []int32, err error) {
	for _, l := range o.Lines {
		skus, quantities = append(skus, l.SKU), append(quantities, l.Quantity)
	}
	return skus, quantities, o.Check()
}
