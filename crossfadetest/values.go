package crossfadetest

import (
	"encoding"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// deepest is where values that hold values of their own type end.
const deepest = 5

// Texts that versions have been seen to treat differently, the harmless ones
// first: a failing value shrinks towards the first.
var hostileTexts = []string{
	"a", "", "Ann Lee", "Ann Mary Lee", " ", " Ann  Lee ", "O'Brien", `say "hi"`, `C:\temp`, "a,b;c", "{a,b}", "null", "NULL", "0",
	"line\nbreak\ttab\r", "%_", "'; drop table x; --", "Łódź", "ＡＢＣ", "名前", "e\u0301 \u00e9", "👩‍👩‍👧", "\u202ertl", "\ufeffbom", "İı",
	strings.Repeat("long ", 60), "zero\x00byte", "not\xffutf8",
}

var hostileRunes = []rune("ab Z09'\"\\%_-,;:{}[]\n\té名👩\u0301")

var hostileTimes = []time.Time{
	time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC),
	time.Unix(0, 0).UTC(),
	time.Date(2023, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
	time.Date(2024, 3, 31, 2, 30, 0, 1_000, time.FixedZone("east", 19_800)),
	time.Date(1969, 7, 20, 20, 17, 40, 500_000_000, time.FixedZone("west", -28_800)),
	time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	{},
}

var hostileDocuments = []json.RawMessage{
	json.RawMessage(`{}`), json.RawMessage(`null`), json.RawMessage(`{"b": 1.50, "a": [1, "x", null]}`), json.RawMessage(`[]`), json.RawMessage(`"é"`), nil,
}

// any draws a value of a type.
func (d *Draw) any(typ reflect.Type, path string, depth int) reflect.Value {
	v := reflect.New(typ).Elem()
	switch typ {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(d.time(path)))
		return v
	case reflect.TypeFor[json.RawMessage]():
		v.Set(reflect.ValueOf(rapid.SampledFrom(hostileDocuments).Draw(d.t, path)))
		return v
	case reflect.TypeFor[time.Duration]():
		v.Set(reflect.ValueOf(rapid.SampledFrom([]time.Duration{0, time.Microsecond, time.Hour, -time.Second, 1000 * time.Hour}).Draw(d.t, path)))
		return v
	}
	switch typ.Kind() {
	case reflect.String:
		v.SetString(d.text(path))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(d.t, path))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(d.integer(typ.Bits(), path))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rapid.SampledFrom([]uint64{0, 1, 2, 10, 100, math.MaxUint64 >> (65 - typ.Bits()), math.MaxUint64 >> (64 - typ.Bits())}).Draw(d.t, path))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(d.float(typ.Bits(), path))
	case reflect.Slice, reflect.Array, reflect.Map, reflect.Pointer:
		d.container(v, path, depth)
	case reflect.Struct:
		d.fill(v, path, depth)
	default: // interfaces, complex numbers: zero, unless the user draws them
	}
	return v
}

// part draws what stands inside of a value.
func (d *Draw) part(typ reflect.Type, path string, depth int) reflect.Value {
	if gen, ok := d.settings.fields[path]; ok {
		return d.given(gen, typ, path)
	}
	if gen, ok := d.settings.types[typ]; ok {
		return d.given(gen, typ, path)
	}
	if depth >= deepest {
		return reflect.Zero(typ)
	}
	return d.any(typ, path, depth+1)
}

func (d *Draw) fill(v reflect.Value, path string, depth int) {
	if texts := textsOf(v.Type()); len(texts) > 0 {
		setText(v, rapid.SampledFrom(texts).Draw(d.t, path))
		return
	}
	for i := range v.NumField() {
		if field := v.Type().Field(i); field.IsExported() {
			v.Field(i).Set(d.part(field.Type, pathIn(v.Type(), path, field.Name), depth))
		}
	}
}

func (d *Draw) container(v reflect.Value, path string, depth int) {
	typ := v.Type()
	if v.Kind() == reflect.Array {
		if typ.Elem().Kind() == reflect.Uint8 {
			d.settings.setUUID(v, rapid.IntRange(0, poolSize).Draw(d.t, path))
			return
		}
		for i := range v.Len() {
			v.Index(i).Set(d.part(typ.Elem(), path+"[]", depth))
		}
		return
	}
	size := rapid.SampledFrom([]int{-1, 1, 0, 2, 3}).Draw(d.t, path+" size") // -1: nil
	if size < 0 || v.Kind() == reflect.Pointer && size == 0 {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(typ.Elem()))
		v.Elem().Set(d.part(typ.Elem(), path, depth))
	case reflect.Map:
		v.Set(reflect.MakeMap(typ))
		for range size {
			v.SetMapIndex(d.part(typ.Key(), path+"[key]", depth), d.part(typ.Elem(), path+"[]", depth))
		}
	default:
		v.Set(reflect.MakeSlice(typ, size, size))
		for i := range size {
			v.Index(i).Set(d.part(typ.Elem(), path+"[]", depth))
		}
	}
}

func (d *Draw) text(path string) string {
	switch rapid.SampledFrom([]int{0, 0, 0, 1, 1, 2}).Draw(d.t, path+" sort") {
	case 0: // so few that texts meet each other
		return rapid.SampledFrom(hostileTexts[:5]).Draw(d.t, path)
	case 1:
		return rapid.SampledFrom(hostileTexts).Draw(d.t, path)
	}
	return rapid.StringOfN(rapid.SampledFrom(hostileRunes), 0, 12, -1).Draw(d.t, path)
}

func (d *Draw) integer(bits int, path string) int64 {
	if rapid.IntRange(0, 3).Draw(d.t, path+" sort") < 3 {
		return rapid.Int64Range(-10, 100).Draw(d.t, path)
	}
	most := int64(math.MaxInt64) >> (64 - bits)
	return rapid.SampledFrom([]int64{most, -most - 1, most / 2, min(most, math.MaxInt32), min(most, math.MaxInt32+1), min(most, 1<<53+1)}).Draw(d.t, path)
}

// float draws no NaN and no infinity, which few columns hold.
func (d *Draw) float(bits int, path string) float64 {
	all := []float64{0, 1, -1, 0.5, 0.1, 1e6, 123456.789, math.SmallestNonzeroFloat32, math.MaxFloat32, math.Copysign(0, -1)}
	if bits == 64 {
		all = append(all, math.MaxFloat64, 0.1+0.2, math.SmallestNonzeroFloat64)
	}
	return rapid.SampledFrom(all).Draw(d.t, path)
}

// time draws times to the microsecond, which is what PostgreSQL keeps.
func (d *Draw) time(path string) time.Time {
	if rapid.Bool().Draw(d.t, path+" sort") {
		return time.UnixMicro(rapid.Int64Range(0, 4_000_000_000_000_000).Draw(d.t, path)).UTC()
	}
	return rapid.SampledFrom(hostileTimes).Draw(d.t, path)
}

// textsOf returns texts that a type without exported fields reads itself from,
// such as decimals; none for other types.
func textsOf(typ reflect.Type) (texts []string) {
	if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[time.Time]() {
		return nil
	}
	for i := range typ.NumField() {
		if typ.Field(i).IsExported() {
			return nil
		}
	}
	for _, text := range []string{
		"0", "1", "-1", "0.5", "12.30", "1234567890.12", "0.000001", "10.0.0.1", "10.0.0.0/8", "https://example.com/a?b=c",
		"00000000-0000-4000-8000-000000000001", "01ARZ3NDEKTSV4RRFFQ69G5FAV",
	} {
		if v := reflect.New(typ).Elem(); setText(v, text) {
			texts = append(texts, text)
		}
	}
	return texts
}

func setText(v reflect.Value, text string) bool {
	reader, ok := v.Addr().Interface().(encoding.TextUnmarshaler)
	return ok && reader.UnmarshalText([]byte(text)) == nil
}
