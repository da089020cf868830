package v2

import (
	"math"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/customers"
)

func TestNamesSurviveBeingCutInTwo(t *testing.T) {
	cases := map[string][2]string{
		"Ada":                            {"Ada", ""},
		"Ada Lovelace":                   {"Ada", "Lovelace"},
		"Maria del Carmen Lopez Garcia":  {"Maria del Carmen Lopez", "Garcia"},
		"":                               {"", ""},
		" ":                              {" ", ""},
		"Ada ":                           {"Ada ", ""},
		" Ada":                           {"", "Ada"},
		"Ada  Lovelace":                  {"Ada ", "Lovelace"},
		"Sean O'Neil \"Shorty\"":         {"Sean O'Neil", "\"Shorty\""},
		"\u0416\u0430\u043d\u043d\u0430": {"\u0416\u0430\u043d\u043d\u0430", ""},
		"\u5c71\u7530\u3000\u592a\u90ce": {"\u5c71\u7530\u3000\u592a\u90ce", ""},
		"\u0645\u062d\u0645\u062f \u0639\u0644\u064a": {"\u0645\u062d\u0645\u062f", "\u0639\u0644\u064a"},
	}
	for full, want := range cases {
		first, last := splitName(full)
		assert.Equal(t, want, [2]string{first, last}, "%q", full)
		assert.Equal(t, full, joinName(first, last))
	}
}

func TestEveryNameIsTheSameAfterBothMappings(t *testing.T) {
	word := rapid.StringOf(rapid.OneOf(
		rapid.RuneFrom([]rune("abcXYZ'\"\\-.\u3000\u00a0\t")), rapid.Rune(),
	))
	rapid.Check(t, func(t *rapid.T) {
		full := strings.Join(rapid.SliceOfN(word, 0, 6).Draw(t, "words"), rapid.SampledFrom([]string{" ", "  ", ""}).Draw(t, "space"))
		require.Equal(t, full, joinName(splitName(full)))
	})
}

func TestThePlantedFaultLosesTheMiddleOfLongNamesAlone(t *testing.T) {
	assert.Equal(t, "Maria Garcia", joinName(splitNameLosingMiddle("Maria del Carmen Lopez Garcia")))
	assert.Equal(t, "Maria del Carmen Lopez", joinName(splitNameLosingMiddle("Maria del Carmen Lopez")))
}

func TestEveryBalanceIsTheSameAfterBothMappings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cents := rapid.OneOf(
			rapid.Int64Range(-customers.MaxBalanceCents, customers.MaxBalanceCents),
			rapid.Int64(),
			rapid.SampledFrom([]int64{0, 1, -1, 100, -100, customers.MaxBalanceCents, math.MinInt64, math.MaxInt64}),
		).Draw(t, "cents")
		back, err := centsOfAmount(amountOfCents(cents))
		require.NoError(t, err)
		require.Equal(t, cents, back)
	})
}

func TestAmountsAreReadHoweverTheyAreWritten(t *testing.T) {
	for text, want := range map[string]int64{"12": 1200, "12.3": 1230, "-12.34": -1234, "12.3400": 1234, "1000": 100000, "0": 0} {
		var amount pgtype.Numeric
		require.NoError(t, amount.Scan(text))
		cents, err := centsOfAmount(amount)
		require.NoError(t, err, text)
		assert.Equal(t, want, cents, text)
	}
	for _, text := range []string{"0.001", "NaN", "Infinity", "1" + strings.Repeat("0", 30)} {
		var amount pgtype.Numeric
		require.NoError(t, amount.Scan(text))
		_, err := centsOfAmount(amount)
		assert.ErrorIs(t, err, errAmount, text)
	}
	_, err := centsOfAmount(pgtype.Numeric{})
	assert.ErrorIs(t, err, errAmount)
}
