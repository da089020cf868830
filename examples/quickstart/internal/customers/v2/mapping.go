package v2

import (
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// splitName cuts a full name in two at its last space: the word behind it is the last name. A name of one word, also
// with a space at its end, is a first name alone. No character is lost: joinName undoes it for every name.
func splitName(full string) (first, last string) {
	at := strings.LastIndexByte(full, ' ')
	if at < 0 || at == len(full)-1 {
		return full, ""
	}
	return full[:at], full[at+1:]
}

// joinName makes the full name again.
func joinName(first, last string) string {
	if last == "" {
		return first
	}
	return first + " " + last
}

// splitNameLosingMiddle is the fault that --plant-bug plants: of a name of five words or more, the middle is lost.
func splitNameLosingMiddle(full string) (first, last string) {
	words := strings.Fields(full)
	if len(words) < 5 {
		return splitName(full)
	}
	return words[0], words[len(words)-1]
}

// amountOfCents writes hundredths as a decimal.
func amountOfCents(cents int64) pgtype.Numeric {
	return pgtype.Numeric{Int: big.NewInt(cents), Exp: -2, Valid: true}
}

// errAmount says that a decimal is no whole number of hundredths that fits.
var errAmount = errors.New("an amount is not a whole number of hundredths")

// centsOfAmount reads a decimal as hundredths. The database may write it with more or fewer zeros at its end.
func centsOfAmount(amount pgtype.Numeric) (int64, error) {
	if !amount.Valid || amount.NaN || amount.InfinityModifier != pgtype.Finite || amount.Int == nil {
		return 0, errAmount
	}
	cents, shift := new(big.Int).Set(amount.Int), int64(amount.Exp)+2
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(max(shift, -shift)), nil)
	if shift >= 0 {
		cents.Mul(cents, power)
	} else if _, rest := cents.QuoRem(cents, power, new(big.Int)); rest.Sign() != 0 {
		return 0, errAmount
	}
	if !cents.IsInt64() {
		return 0, fmt.Errorf("%w: it is too large", errAmount)
	}
	return cents.Int64(), nil
}
