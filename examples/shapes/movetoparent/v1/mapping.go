// Package v1 stores the currency of an order with each of its lines. It knows nothing of version 2.
package v1

import (
	"github.com/crossfade-db/crossfade/examples/shapes/movetoparent"
	"github.com/crossfade-db/crossfade/examples/shapes/movetoparent/v1/queries"
)

// mapping converts what movetoparent.Order and version v1 write differently.
type mapping struct{}

// OrderFromRow makes the lines, whose currency has to be one.
func (mapping) OrderFromRow(row queries.GetOrderRow) (currency string, lines []movetoparent.Line, err error) {
	if len(row.Currencies) != 1 {
		return "", nil, movetoparent.ErrCurrencies
	}
	for i, sku := range row.Skus {
		lines = append(lines, movetoparent.Line{SKU: sku, Quantity: row.Quantities[i]})
	}
	return row.Currencies[0], lines, nil
}

// SaveParams returns a column for each field of the lines.
func (mapping) SaveParams(o movetoparent.Order) (skus []string, quantities []int32, err error) {
	for _, l := range o.Lines {
		skus, quantities = append(skus, l.SKU), append(quantities, l.Quantity)
	}
	return skus, quantities, o.Check()
}
