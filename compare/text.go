package compare

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// MaxText is where the text of a safe value is cut, in bytes.
	MaxText   = 200
	maxHashed = 1 << 16
	maxDepth  = 16
)

// display returns the text of a safe value: strings quoted, so that nil and "nil" are told apart and nothing can break
// out of a line of a log.
func display(value any) string {
	v := reflect.ValueOf(value)
	if _, own := ownText(v); v.Kind() == reflect.String && !own {
		text := strconv.Quote(cut(v.String()))
		if v.Len() > MaxText {
			text += "... (" + strconv.Itoa(v.Len()) + " bytes)"
		}
		return text
	}
	text := render(v, MaxText)
	if len(text) > MaxText {
		return cut(text) + "..."
	}
	return text
}

// cut returns the first MaxText bytes of a text, or one to three less where a character would be cut.
func cut(text string) string {
	if len(text) <= MaxText {
		return text
	}
	end := MaxText
	for end > MaxText-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// render writes a value as unambiguous text: what differs as data differs as text, up to the limit. It ends on values
// that contain themselves, follows pointers instead of printing addresses, and sorts maps. The text may pass the limit by the
// length of its last part.
func render(v reflect.Value, limit int) string {
	r := renderer{limit: limit}
	r.value(v, 0)
	return r.out.String()
}

type renderer struct {
	out   strings.Builder
	limit int
}

func (r *renderer) full() bool { return r.out.Len() > r.limit }

func (r *renderer) value(v reflect.Value, depth int) {
	switch {
	case r.full():
		return
	case isNil(v):
		r.out.WriteString("nil")
		return
	case depth > maxDepth:
		r.out.WriteString("...")
		return
	}
	if text, ok := ownText(v); ok {
		r.out.WriteString(unambiguous(text))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		r.out.WriteString(strconv.FormatBool(v.Bool()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		r.out.WriteString(strconv.FormatInt(v.Int(), 10))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		r.out.WriteString(strconv.FormatUint(v.Uint(), 10))
	case reflect.Float32, reflect.Float64:
		r.out.WriteString(strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits()))
	case reflect.Complex64, reflect.Complex128:
		r.out.WriteString(strconv.FormatComplex(v.Complex(), 'g', -1, v.Type().Bits()))
	case reflect.String:
		r.out.WriteString(r.quoted(v.String()))
	case reflect.Pointer, reflect.Interface:
		r.value(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		r.list(v, depth)
	case reflect.Map:
		r.mapping(v, depth)
	case reflect.Struct:
		r.fields(v, depth)
	default: // functions, channels: nothing but their type can be told
		r.out.WriteString(v.Type().String())
	}
}

func (r *renderer) quoted(s string) string {
	return strconv.Quote(s[:min(len(s), r.limit)])
}

func (r *renderer) list(v reflect.Value, depth int) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		r.out.WriteString("0x")
		for i := 0; i < v.Len() && !r.full(); i++ {
			fmt.Fprintf(&r.out, "%02x", v.Index(i).Uint())
		}
		return
	}
	r.out.WriteByte('[')
	for i := 0; i < v.Len() && !r.full(); i++ {
		if i > 0 {
			r.out.WriteByte(' ')
		}
		r.value(v.Index(i), depth+1)
	}
	r.out.WriteByte(']')
}

func (r *renderer) mapping(v reflect.Value, depth int) {
	if v.Len() > r.limit {
		fmt.Fprintf(&r.out, "map of %d entries", v.Len())
		return
	}
	size := 0
	entries := make([]string, 0, v.Len())
	for iter := v.MapRange(); iter.Next(); {
		entry := renderer{limit: r.limit}
		entry.value(iter.Key(), depth+1)
		entry.out.WriteByte(':')
		entry.value(iter.Value(), depth+1)
		if size += entry.out.Len(); size > 16*r.limit { // in whichever order they come
			fmt.Fprintf(&r.out, "map of %d entries", v.Len())
			return
		}
		entries = append(entries, entry.out.String())
	}
	slices.Sort(entries)
	r.out.WriteString("map[" + strings.Join(entries, " ") + "]")
}

func (r *renderer) fields(v reflect.Value, depth int) {
	r.out.WriteByte('{')
	for i := 0; i < v.NumField() && !r.full(); i++ {
		if i > 0 {
			r.out.WriteByte(' ')
		}
		r.out.WriteString(v.Type().Field(i).Name + ":")
		r.value(v.Field(i), depth+1)
	}
	r.out.WriteByte('}')
}

// unambiguous quotes a text that is not a plain word, or that could be taken for something else.
func unambiguous(text string) string {
	plain := strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-+.:_/") == ""
	if plain && text != "" && text != "nil" && text != "absent" {
		return text
	}
	return strconv.Quote(text)
}

// ownText returns the text that a value's type defines: an instant for times, MarshalText or String for the others. A
// method that panics counts as none.
func ownText(v reflect.Value) (text string, ok bool) {
	if !v.CanInterface() {
		return "", false
	}
	defer func() {
		if recover() != nil {
			text, ok = "", false
		}
	}()
	switch value := v.Interface().(type) {
	case time.Time:
		return value.UTC().Format(time.RFC3339Nano), true
	case encoding.TextMarshaler:
		if raw, err := value.MarshalText(); err == nil {
			return string(raw), true
		}
	case fmt.Stringer:
		return value.String(), true
	case error:
		return value.Error(), true
	}
	return "", false
}
