package v1

import (
	"math"

	"github.com/crossfade-db/crossfade/gen/internal/golden/orm"
)

// mapping keeps money in euros.
type mapping struct{}

func (mapping) LineFromRow(row LineRow) (cents int64, err error) {
	return int64(math.Round(row.Euros * 100)), nil
}

func (mapping) RowFromLine(l orm.Line) (euros float64, err error) { return float64(l.Cents) / 100, nil }
