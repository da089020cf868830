package gen

import (
	"fmt"
	"go/token"
	"go/types"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tag is the struct tag `compare:"..."` of one field, in the grammar that
// package compare documents.
type tag struct {
	ignore, safe, nilEmpty, decimal, json, unordered bool

	by        string
	fn        string
	within    string // as written; "" if not given
	duration  time.Duration
	isTime    bool // within is a duration
	tolerance float64
}

// parseTag reads the tag of a field. What fits the field's type is checked
// where the field is compared.
func parseTag(raw string) (tag, error) {
	var t tag
	text, ok := reflect.StructTag(raw).Lookup("compare")
	if !ok || strings.TrimSpace(text) == "" {
		return t, nil
	}
	var seen []string
	for _, item := range strings.Split(text, ",") {
		item = strings.TrimSpace(item)
		name, value, valued := strings.Cut(item, "=")
		if name == "-" {
			name, item = "ignore", "ignore"
		}
		if slices.Contains(seen, name) {
			return t, fmt.Errorf("%s is there twice", name)
		}
		seen = append(seen, name)
		if err := t.item(item, name, value, valued); err != nil {
			return t, err
		}
	}
	return t, t.fits(len(seen))
}

func (t *tag) item(item, name, value string, valued bool) error {
	switch item {
	case "":
		return fmt.Errorf("an item is empty")
	case "ignore":
		t.ignore = true
	case "safe":
		t.safe = true
	case "nilempty":
		t.nilEmpty = true
	case "decimal":
		t.decimal = true
	case "json":
		t.json = true
	case "unordered":
		t.unordered = true
	default:
		switch {
		case name == "by" && validPath(value):
			t.by = value
		case name == "func" && token.IsIdentifier(value):
			t.fn = value
		case name == "within" && valued:
			return t.amount(value)
		case name == "by" || name == "func":
			return fmt.Errorf("%s=%s: that is no name", name, value)
		default:
			return fmt.Errorf("unknown item %q: it is one of -, ignore, safe, nilempty, decimal, json, unordered, by=, within=, func=", item)
		}
	}
	return nil
}

func (t *tag) amount(value string) error {
	t.within = value
	if d, err := time.ParseDuration(value); err == nil && strings.TrimLeft(value, "+-0.") != "" {
		if d < 0 {
			return fmt.Errorf("within=%s is negative", value)
		}
		t.duration, t.isTime = d, true
		return nil
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || n < 0 || math.IsNaN(n) || math.IsInf(n, 0) {
		return fmt.Errorf("within=%s is neither a duration with a unit (1ms) nor a number that is not negative (0.01)", value)
	}
	t.tolerance = n
	return nil
}

// fits refuses items that exclude each other.
func (t *tag) fits(items int) error {
	if t.safe {
		items--
	}
	switch {
	case t.ignore && items > 1:
		return fmt.Errorf("ignore stands alone, or with safe")
	case t.fn != "" && items > 1:
		return fmt.Errorf("func= stands alone, or with safe")
	case t.by != "" && !t.unordered:
		return fmt.Errorf("by= needs unordered")
	case t.decimal && t.json:
		return fmt.Errorf("decimal and json exclude each other")
	case t.json && t.within != "":
		return fmt.Errorf("json and within exclude each other")
	}
	return nil
}

func validPath(text string) bool {
	for _, name := range strings.Split(text, ".") {
		if !token.IsIdentifier(name) {
			return false
		}
	}
	return true
}

// durationCode writes a duration as Go code.
func durationCode(pkg string, d time.Duration) string {
	units := []struct {
		size time.Duration
		name string
	}{{time.Hour, "Hour"}, {time.Minute, "Minute"}, {time.Second, "Second"}, {time.Millisecond, "Millisecond"}, {time.Microsecond, "Microsecond"}, {time.Nanosecond, "Nanosecond"}}
	for _, u := range units {
		switch {
		case d == u.size:
			return pkg + "." + u.name
		case d != 0 && d%u.size == 0:
			return fmt.Sprintf("%d * %s.%s", d/u.size, pkg, u.name)
		}
	}
	return "0"
}

// misfit says which item of the tag means nothing for a field of type t.
func (t tag) misfit(of types.Type) string {
	_, isSlice := of.Underlying().(*types.Slice)
	_, isMap := of.Underlying().(*types.Map)
	_, isPointer := of.Underlying().(*types.Pointer)
	scalar := of
	for range 10 { // a type like []T may hold itself
		if elemOf(scalar) == nil || t.decimal && !isPointerType(scalar) {
			break
		}
		scalar = elemOf(scalar)
	}
	basic, _ := scalar.Underlying().(*types.Basic)
	isString := basic != nil && basic.Info()&types.IsString != 0
	isNumber := basic != nil && basic.Info()&(types.IsInteger|types.IsFloat) != 0
	hasText := methodOf(types.NewPointer(scalar), "String") != nil || methodOf(types.NewPointer(scalar), "MarshalText") != nil
	switch {
	case t.nilEmpty && !isSlice && !isMap && !isPointer:
		return "nilempty fits slices, maps and pointers only"
	case t.unordered && !isSlice:
		return "unordered fits slices only"
	case t.decimal && !isString && !hasText:
		return "decimal fits strings and decimal types only"
	case t.json && !isBytes(of) && (!isString || elemOf(of) != nil):
		return "json fits strings and byte slices only"
	case t.within == "":
		return ""
	case t.isTime && timeType(scalar) == nil && !isNamed(scalar, "time", "Duration"):
		return "within=" + t.within + " is a duration, and fits times and durations only"
	case t.isTime || t.decimal || isNumber && !isNamed(scalar, "time", "Duration"):
		return ""
	case timeType(scalar) != nil || isNamed(scalar, "time", "Duration"):
		return "within=" + t.within + " has no unit: write within=1ms"
	}
	return "within fits times, durations, numbers, and decimals with the item decimal"
}

func isPointerType(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

func isBytes(t types.Type) bool {
	slice, ok := t.Underlying().(*types.Slice)
	if !ok {
		return false
	}
	basic, ok := slice.Elem().Underlying().(*types.Basic)
	return ok && basic.Kind() == types.Byte
}
