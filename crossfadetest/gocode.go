package crossfadetest

import (
	"cmp"
	"encoding"
	"fmt"
	"go/format"
	"maps"
	"math"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// coder writes values as Go code and notes the packages that they name.
type coder struct{ imports map[string]string }

const (
	selfPath = "github.com/crossfade-db/crossfade/crossfadetest"
	uuidPath = "github.com/google/uuid"
)

// Text returns the value that a type reads from its text. It is for the code
// that [Contract] prints. A text that the type does not take is a panic.
func Text[T any](text string) T {
	v := new(T)
	reader, ok := any(v).(encoding.TextUnmarshaler)
	if !ok {
		panic(fmt.Sprintf("crossfadetest: %T has no UnmarshalText", *v))
	}
	if err := reader.UnmarshalText([]byte(text)); err != nil {
		panic(fmt.Sprintf("crossfadetest: %T: %v", *v, err))
	}
	return *v
}

// Ptr returns a pointer to a value. It is for the code that [Contract] prints.
func Ptr[T any](v T) *T { return &v }

// sequenceCode writes calls as a function to paste into a test.
func sequenceCode[R any](entity string, calls []call[R]) string {
	c := &coder{imports: map[string]string{"context": "context"}}
	side := c.typeName(reflect.TypeFor[R]())
	var body strings.Builder
	for _, call := range calls[:len(calls)-1] {
		fmt.Fprintf(&body, "%s_ = %s\n", strings.Repeat("_, ", call.results), c.call(call.code, call.arguments))
	}
	last := calls[len(calls)-1]
	var results []string
	for i := range last.results {
		results = append(results, fmt.Sprintf("got%d", i+1))
	}
	results = append(results, "err")
	list := strings.Join(results, ", ")
	fmt.Fprintf(&body, "%s := %s\nreturn []any{%s}\n", list, c.call(last.code, last.arguments), list)

	text := fmt.Sprintf("%s\n// The versions of %s return something else here: call it with each of them.\n"+
		"func sequence(ctx context.Context, r %s) []any {\n%s}\n", c.block(), entity, side, body.String())
	if formatted, err := format.Source([]byte(text)); err == nil {
		text = string(formatted)
	}
	return text
}

// valueCode writes one value for people.
func valueCode(v any) string {
	if v == nil {
		return "nil"
	}
	if _, none := v.(None); none {
		return "no error"
	}
	return (&coder{imports: map[string]string{}}).typed(reflect.ValueOf(v))
}

func (c *coder) call(form string, arguments []reflect.Value) string {
	if strings.Contains(form, "crossfadetest.") {
		c.imports[selfPath] = "crossfadetest"
	}
	var pairs []string
	for i, argument := range arguments {
		pairs = append(pairs, fmt.Sprintf("{%d}", i), c.value(argument))
	}
	return strings.NewReplacer(pairs...).Replace(form)
}

func (c *coder) block() string {
	var lines []string
	for _, importPath := range slices.Sorted(maps.Keys(c.imports)) {
		line := strconv.Quote(importPath)
		if name := c.imports[importPath]; name != path.Base(importPath) {
			line = name + " " + line
		}
		lines = append(lines, line)
	}
	return "import (\n" + strings.Join(lines, "\n") + "\n)\n"
}

// typeName writes a type and notes the packages in it.
func (c *coder) typeName(t reflect.Type) string {
	c.note(t)
	return t.String()
}

func (c *coder) note(t reflect.Type) {
	if t.PkgPath() != "" {
		name, _, _ := strings.Cut(t.String(), ".")
		c.imports[t.PkgPath()] = name
		return
	}
	switch t.Kind() {
	case reflect.Map:
		c.note(t.Key())
		c.note(t.Elem())
	case reflect.Slice, reflect.Array, reflect.Pointer:
		c.note(t.Elem())
	}
}

// value writes a value where its type is known, as in a field or an argument.
func (c *coder) value(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		return strconv.Quote(v.String())
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.FormatUint(v.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		return c.float(v.Float())
	case reflect.Interface, reflect.Pointer, reflect.Slice, reflect.Map:
		if v.IsNil() {
			return "nil"
		}
	}
	return c.typed(v)
}

func (c *coder) float(f float64) string {
	switch {
	case math.IsNaN(f), math.IsInf(f, 0), f == 0 && math.Signbit(f):
		c.imports["math"] = "math"
		return fmt.Sprintf("math.Float64frombits(%#x)", math.Float64bits(f))
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// typed writes a value with its type.
func (c *coder) typed(v reflect.Value) string {
	t := v.Type()
	if at, ok := v.Interface().(time.Time); ok {
		return c.time(at)
	}
	if opaque, ok := c.opaque(v); ok {
		return opaque
	}
	switch t.Kind() {
	case reflect.Interface:
		return c.typed(v.Elem())
	case reflect.Pointer:
		if v.IsNil() {
			return "(" + c.typeName(t) + ")(nil)"
		}
		if k := t.Elem().Kind(); k == reflect.Struct && len(textsOf(t.Elem())) == 0 && t.Elem() != reflect.TypeFor[time.Time]() {
			return "&" + c.typed(v.Elem())
		}
		c.imports[selfPath] = "crossfadetest"
		return "crossfadetest.Ptr(" + c.typed(v.Elem()) + ")"
	case reflect.Slice, reflect.Map:
		if v.IsNil() {
			return c.typeName(t) + "(nil)"
		}
	}
	switch t.Kind() {
	case reflect.Struct:
		return c.typeName(t) + "{" + c.fields(v) + "}"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return c.typeName(t) + "(" + strconv.Quote(string(v.Bytes())) + ")"
		}
		return c.typeName(t) + "{" + c.elements(v) + "}"
	case reflect.Array:
		return c.typeName(t) + "{" + c.elements(v) + "}"
	case reflect.Map:
		return c.typeName(t) + "{" + c.pairs(v) + "}"
	}
	return c.typeName(t) + "(" + c.value(v) + ")"
}

// opaque writes values whose fields do not show.
func (c *coder) opaque(v reflect.Value) (string, bool) {
	t := v.Type()
	if t.PkgPath() == uuidPath && t.Name() == "UUID" {
		return c.quoted(v, "uuid.MustParse(%q)")
	}
	if len(textsOf(t)) > 0 {
		c.imports[selfPath] = "crossfadetest"
		return c.quoted(v, "crossfadetest.Text["+c.typeName(t)+"](%q)")
	}
	return "", false
}

func (c *coder) quoted(v reflect.Value, form string) (string, bool) {
	writer, ok := v.Interface().(encoding.TextMarshaler)
	if !ok {
		return "", false
	}
	text, err := writer.MarshalText()
	if err != nil {
		return "", false
	}
	c.note(v.Type())
	return fmt.Sprintf(form, text), true
}

func (c *coder) time(at time.Time) string {
	c.imports["time"] = "time"
	if at.IsZero() {
		return "time.Time{}"
	}
	zone := "time.UTC"
	if name, offset := at.Zone(); offset != 0 {
		zone = fmt.Sprintf("time.FixedZone(%q, %d)", name, offset)
	}
	return fmt.Sprintf("time.Date(%d, %d, %d, %d, %d, %d, %d, %s)",
		at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), zone)
}

// fields writes the fields of a struct that are not zero.
func (c *coder) fields(v reflect.Value) string {
	var list []string
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.IsExported() && !v.Field(i).IsZero() {
			list = append(list, field.Name+": "+c.value(v.Field(i)))
		}
	}
	return strings.Join(list, ", ")
}

func (c *coder) elements(v reflect.Value) string {
	var list []string
	for i := range v.Len() {
		list = append(list, c.value(v.Index(i)))
	}
	return strings.Join(list, ", ")
}

func (c *coder) pairs(v reflect.Value) string {
	var list []string
	for _, key := range v.MapKeys() {
		list = append(list, c.value(key)+": "+c.value(v.MapIndex(key)))
	}
	slices.SortFunc(list, cmp.Compare[string])
	return strings.Join(list, ", ")
}
