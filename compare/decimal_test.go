package compare_test

import (
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/stretchr/testify/assert"
)

func decimals[T any](served, other T, options ...compare.Option) []string {
	return one(func(c *compare.Collector) { compare.Decimal(c, "F", served, other, options...) })
}

// numeric is a decimal type that only marshals itself, with its method on the pointer.
type numeric struct{ text string }

func (n *numeric) MarshalJSON() ([]byte, error) { return []byte(n.text), nil }

type panickyDecimal struct{ int }

func (panickyDecimal) String() string { panic("no text") }

func TestDecimalsAreComparedByValue(t *testing.T) {
	for _, same := range [][2]string{
		{"1.0", "1.00"},
		{"1", "1.0"},
		{"-0", "0"},
		{"-0.00", "+0"},
		{"007.50", "7.5"},
		{".5", "0.5"},
		{"5.", "5"},
		{"1e2", "100"},
		{"1E+2", "100.0"},
		{"12e-1", "1.2"},
		{" 1.5 ", "1.5"},
		{"NaN", "nan"},
		{"Infinity", "inf"},
		{"-Infinity", "-inf"},
		{"0e999999", "0"},
		{"", ""},
		{"n/a", "n/a"},
		{"1e99999999999", "1e99999999999"},
	} {
		assert.Empty(t, decimals(same[0], same[1]), "trap 6: %q = %q", same[0], same[1])
	}
	for _, different := range [][2]string{
		{"1.0", "1.01"},
		{"1", "-1"},
		{"10", "1"},
		{"0.1", "0.01"},
		{"", "0"},
		{"null", "0"},
		{"NaN", "0"},
		{"Infinity", "-Infinity"},
		{"n/a", "N/A"},
		{"1e99999999999", "1e99999999998"},
		{"1.2.3", "1.23"},
		{"--1", "1"},
		{"1,5", "1.5"},
		{"٣", "3"},
		{"12345678901234567890.1", "12345678901234567890.2"},
		{"10e9223372036854775807", "1e-9223372036854775808"},
	} {
		assert.Equal(t, []string{"F value"}, decimals(different[0], different[1]), "%q <> %q", different[0], different[1])
	}
}

func TestDecimalsHaveTolerances(t *testing.T) {
	assert.Empty(t, decimals("1.00", "1.01", compare.Tolerance(0.01)))
	assert.Equal(t, []string{"F value"}, decimals("1.00", "1.0101", compare.Tolerance(0.01)))
	assert.Empty(t, decimals("-0.005", "0.005", compare.Tolerance(0.01)))
	assert.Empty(t, decimals("1.0", "1.00", compare.Tolerance(0)))
	nines := strings.Repeat("9", 5000)
	assert.Equal(t, []string{"F value"}, decimals(nines+".1", nines+".2", compare.Tolerance(1)), "digits beyond measure are not calculated with")
	assert.Equal(t, []string{"F value"}, decimals("NaN", "1", compare.Tolerance(5)))
	assert.Equal(t, []string{"F value"}, decimals("1e1000000", "1", compare.Tolerance(5)), "exponents are bounded")
}

func TestDecimalTypesAreReadByTheirText(t *testing.T) {
	assert.Empty(t, decimals(big.NewRat(1, 2), big.NewRat(2, 4)))
	assert.Len(t, decimals(big.NewRat(1, 2), big.NewRat(1, 3)), 1)
	assert.Empty(t, decimals(*big.NewInt(5), *big.NewInt(5)), "methods on the pointer")
	assert.Empty(t, decimals(numeric{"1.0"}, numeric{"1.00"}))
	assert.Empty(t, decimals(numeric{`"NaN"`}, numeric{`"NaN"`}))
	assert.Len(t, decimals(numeric{"null"}, numeric{"0"}), 1)
	assert.Empty(t, decimals([]byte("1.0"), []byte("1")))
	assert.Empty(t, decimals(1.5, 1.5))
	assert.Empty(t, decimals(new("1.0"), new("1.00")))
	assert.Empty(t, decimals[*string](nil, nil))
	assert.Len(t, decimals(nil, new("0")), 1)
	assert.Empty(t, decimals[any]("1.0", "1.00"))
	assert.Len(t, decimals[any]("1.0", 2), 1)
	assert.Equal(t, []string{"F uncomparable"}, decimals(struct{ X int }{1}, struct{ X int }{1}))
	assert.Empty(t, decimals(struct{ X int }{1}, struct{ X int }{2}, compare.Ignore()), "neither equal nor different, and not to be counted")
	assert.Equal(t, []string{"F uncomparable"}, decimals(panickyDecimal{1}, panickyDecimal{2}))
}

func FuzzDecimalAgreesWithExactArithmetic(f *testing.F) {
	for _, seed := range []string{"1.0", "-0", "1e5", "0.001e3", "00.10", ".", "e", "1e", "9e-9", "_1", "0x1p4"} {
		f.Add(seed, "1.00")
	}
	f.Fuzz(func(t *testing.T, served, other string) {
		got := decimals(served, other) == nil
		if got != (decimals(other, served) == nil) {
			t.Fatalf("%q and %q: not symmetric", served, other)
		}
		a, okA := exact(served)
		b, okB := exact(other)
		if okA && okB && got != (a.Cmp(b) == 0) {
			t.Fatalf("%q and %q: equal is %v", served, other, got)
		}
	})
}

// exact reads plain decimals of moderate exponents.
func exact(text string) (*big.Rat, bool) {
	if f, err := strconv.ParseFloat(text, 64); err != nil || f > 1e50 || f < -1e50 || len(text) > 50 {
		return nil, false
	}
	if _, exponent, ok := strings.Cut(strings.ToLower(text), "e"); ok && len(exponent) > 3 {
		return nil, false
	}
	for _, r := range text {
		if (r < '0' || r > '9') && r != '.' && r != '-' && r != '+' && r != 'e' && r != 'E' {
			return nil, false
		}
	}
	return new(big.Rat).SetString(text)
}

func TestJSONIsComparedByWhatItSays(t *testing.T) {
	run := func(served, other string, options ...compare.Option) []string {
		return one(func(c *compare.Collector) { compare.JSON(c, "F", served, other, options...) })
	}
	for _, same := range [][2]string{
		{`{"a":1.0,"b":[1,2]}`, `{ "b": [1, 2], "a": 1 }`},
		{`1e2`, `100`},
		{`"\u0041"`, `"A"`},
		{`not json`, `not json`},
		{``, ``},
		{`{"a":{}}`, `{"a": {}}`},
	} {
		assert.Empty(t, run(same[0], same[1]), "trap 6: %s = %s", same[0], same[1])
	}
	assert.Equal(t, []string{`F["a"] value`}, run(`{"a":1}`, `{"a":2}`, compare.Safe()))
	assert.Equal(t, []string{`F["a"][1] value`}, run(`{"a":[1,"x"]}`, `{"a":[1,"y"]}`, compare.Safe()))
	assert.Equal(t, []string{`F["a"] type`}, run(`{"a":1}`, `{"a":"1"}`, compare.Safe()))
	assert.Equal(t, []string{`F["a"] missing`}, run(`{"a":1}`, `{}`, compare.Safe()))
	assert.Equal(t, []string{`F["a"] missing`}, run(`{"a":1}`, `{"a":null}`, compare.Safe()))
	assert.Equal(t, []string{`F["a"] missing`}, run(`{"a":null}`, `{}`, compare.Safe()), "null differs from absent")
	assert.Equal(t, []string{"F value"}, run(`{"a":1}`, `{"a":1`), "text that is no JSON is compared as text")
	assert.Equal(t, []string{"F value"}, run(`1`, `1 2`))
	assert.Len(t, run(`{"a":1}`, `{"a":2}`, compare.Ignore()), 1)
	assert.Empty(t, one(func(c *compare.Collector) { compare.JSON(c, "F", []byte(nil), []byte{}) }))
}
