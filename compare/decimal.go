package compare

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"
)

// Decimal compares two decimals by their value: 1.0 equals 1.00, and -0 equals 0. It takes strings, numbers, and types
// that write themselves as decimals by MarshalText, String or MarshalJSON, as the usual decimal types do. Tolerance
// allows a difference. What is no decimal, such as an empty string, is compared as text.
func Decimal[T any](c *Collector, name string, served, other T, options ...Option) {
	if simplyEqual(any(served), any(other)) {
		return
	}
	decimalsDiffer(c, name, served, other, options)
}

//go:noinline
func decimalsDiffer[T any](c *Collector, name string, served, other T, options []Option) {
	servedText, ok := textOf(&served)
	otherText, ok2 := textOf(&other)
	if !ok || !ok2 {
		c.report(name, KindUncomparable, served, other, merge(options))
		return
	}
	if servedText == otherText {
		return
	}
	opt := merge(options)
	a, okA := parseDecimal(servedText)
	b, okB := parseDecimal(otherText)
	if okA && okB && (a == b || opt.hasTolerance() && a.near(b, opt.tolerance)) {
		return
	}
	c.report(name, KindValue, served, other, opt)
}

// textOf returns the text of a decimal whose methods have the value or a pointer as their receiver.
func textOf[T any](value *T) (string, bool) {
	if text, ok := decimalText(*value); ok {
		return text, true
	}
	return decimalText(value)
}

// decimalText returns the text of a decimal, "null" for nil, and false for types that have no text. Methods that panic
// count as none.
func decimalText(value any) (text string, ok bool) {
	defer func() {
		if recover() != nil {
			text, ok = "", false
		}
	}()
	v := reflect.ValueOf(value)
	if isNil(v) {
		return "null", true
	}
	switch value := value.(type) {
	case encoding.TextMarshaler:
		raw, err := value.MarshalText()
		return string(raw), err == nil
	case fmt.Stringer:
		return value.String(), true
	case json.Marshaler:
		raw, err := value.MarshalJSON()
		return strings.Trim(string(raw), `"`), err == nil
	}
	switch {
	case v.Kind() == reflect.String:
		return v.String(), true
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		return string(v.Bytes()), true
	case v.CanInt(), v.CanUint(), v.CanFloat():
		return render(v, maxHashed), true
	case v.Kind() == reflect.Pointer && v.Elem().CanInterface():
		return decimalText(v.Elem().Interface())
	}
	return "", false
}

// decimal is a decimal in its one canonical form: no zeros at either end of the digits, and no sign on zero, so that ==
// compares values.
type decimal struct {
	negative bool
	digits   string // "" is zero
	exponent int    // value = digits * 10^exponent
	special  string // "nan", "inf"
}

const maxExponent = 1 << 20

func parseDecimal(text string) (decimal, bool) {
	text = strings.TrimSpace(text)
	var d decimal
	if rest, minus := strings.CutPrefix(text, "-"); minus {
		d.negative, text = true, rest
	} else {
		text = strings.TrimPrefix(text, "+")
	}
	switch strings.ToLower(text) {
	case "nan":
		return decimal{special: "nan"}, true
	case "inf", "infinity":
		return decimal{negative: d.negative, special: "inf"}, true
	}
	mantissa, exponent, scientific := cutExponent(text)
	if scientific {
		e, err := strconv.Atoi(exponent)
		if err != nil || e > maxExponent || e < -maxExponent {
			return decimal{}, false
		}
		d.exponent = e
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return decimal{}, false
	}
	d.exponent -= len(fraction)
	trimmed := strings.TrimRight(digits, "0")
	d.exponent += len(digits) - len(trimmed)
	d.digits = strings.TrimLeft(trimmed, "0")
	if d.digits == "" {
		return decimal{}, true
	}
	return d, true
}

func cutExponent(text string) (mantissa, exponent string, found bool) {
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		return text[:at], text[at+1:], true
	}
	return text, "", false
}

// maxArithmetic bounds the digits that a comparison with a tolerance calculates with.
const maxArithmetic = 4096

// floatDecimal returns a float of so many bits as the shortest decimal that prints it.
func floatDecimal(f float64, bits int) decimal {
	d, _ := parseDecimal(strconv.FormatFloat(f, 'g', -1, bits))
	return d
}

// near reports whether two decimals lie within the tolerance, calculated exactly.
func (d decimal) near(other decimal, tolerance float64) bool {
	allowed, ok := parseDecimal(strconv.FormatFloat(tolerance, 'g', -1, 64))
	if !ok || d.special != "" || other.special != "" {
		return false
	}
	a, okA := d.rational()
	b, okB := other.rational()
	t, okT := allowed.rational()
	if !okA || !okB || !okT {
		return false
	}
	apart := new(big.Rat).Sub(a, b)
	return apart.Abs(apart).Cmp(t) <= 0
}

func (d decimal) rational() (*big.Rat, bool) {
	if d.special != "" || len(d.digits) > maxArithmetic || d.exponent > maxArithmetic || d.exponent < -maxArithmetic {
		return nil, false
	}
	sign := ""
	if d.negative {
		sign = "-"
	}
	digits := d.digits
	if digits == "" {
		digits = "0"
	}
	return new(big.Rat).SetString(sign + digits + "e" + strconv.Itoa(d.exponent))
}
