// Package v2 knows lines by their order and place.
package v2

import (
	"github.com/google/uuid"

	"github.com/crossfade-db/crossfade/examples/shapes/rekeycomposite"
)

type mapping struct{}

// KeysParams takes the key behind which a page begins apart.
func (mapping) KeysParams(_ uuid.UUID, after *rekeycomposite.Key, _ int) (afterOrder *uuid.UUID, afterPlace *int32, err error) {
	if after == nil {
		return nil, nil, nil
	}
	return &after.OrderID, &after.Place, nil
}
