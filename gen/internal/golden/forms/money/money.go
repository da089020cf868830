// Package money converts cents for the versions of package forms.
package money

import (
	"math/big"

	"github.com/jackc/pgx/v5/pgtype"
)

// Numeric writes cents as a decimal.
func Numeric(cents int64) pgtype.Numeric {
	return pgtype.Numeric{Int: big.NewInt(cents), Exp: -2, Valid: true}
}

// Cents reads a decimal of whole cents.
func Cents(n pgtype.Numeric) (int64, error) {
	f, err := n.Float64Value()
	return int64(f.Float64*100 + 0.5), err
}
