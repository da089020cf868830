package crossfadetest

import (
	"fmt"
	"reflect"
	"strings"

	"pgregory.net/rapid"
)

// Draw draws the arguments of one call. Generated code calls [Key], [Keys],
// [Tenant], [Value] and [Limit] with it.
type Draw struct {
	t         *rapid.T
	settings  *settings
	operation string
	// Not negative: every key, and the tenant, is this one of its pool, and
	// nothing is drawn.
	key, tenant int
}

// Key draws a key, or a part of one, from a small pool, so that operations
// meet each other. name is the parameter's or field's.
func Key[K any](d *Draw, name string) K {
	return d.pooled(reflect.TypeFor[K](), name, d.key).Interface().(K)
}

// Keys draws up to three keys.
func Keys[K any](d *Draw, name string) []K {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) K {
		inner := *d
		inner.t = t
		return Key[K](&inner, name)
	}), 0, 3).Draw(d.t, d.operation+"."+name)
}

// Tenant draws one of two tenants.
func Tenant[T any](d *Draw, name string) T {
	return d.pooled(reflect.TypeFor[T](), name, d.tenant).Interface().(T)
}

// Limit draws a limit of a list.
func Limit[T ~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64](d *Draw, name string) T {
	if v, ok := d.overridden(reflect.TypeFor[T](), name); ok {
		return v.Interface().(T)
	}
	return rapid.SampledFrom([]T{100, 1, 2, 3, 0}).Draw(d.t, d.operation+"."+name)
}

// Value draws any value of T: see [Contract].
func Value[T any](d *Draw, name string) T {
	v := reflect.New(reflect.TypeFor[T]()).Elem() // an interface that is nil has no value of its own
	if drawn, ok := d.overridden(v.Type(), name); ok {
		v.Set(drawn)
	} else {
		v.Set(d.any(v.Type(), d.operation+"."+name, 0))
	}
	return v.Interface().(T)
}

// pooled draws from the small pool of a type.
func (d *Draw) pooled(typ reflect.Type, name string, fixed int) reflect.Value {
	pool := d.settings.pool(typ)
	if fixed >= 0 {
		return pool[fixed%len(pool)]
	}
	return pool[rapid.IntRange(0, len(pool)-1).Draw(d.t, d.operation+"."+name)]
}

func (d *Draw) overridden(typ reflect.Type, name string) (reflect.Value, bool) {
	path := d.operation + "." + name
	gen, ok := d.settings.fields[path]
	if !ok {
		if gen, ok = d.settings.types[typ]; !ok {
			return reflect.Value{}, false
		}
	}
	return d.given(gen, typ, path), true
}

// given draws from a generator of the user's.
func (d *Draw) given(gen generator, typ reflect.Type, path string) reflect.Value {
	if gen.typ != typ {
		panic(fmt.Sprintf("crossfadetest: the generator for %s makes %v, and it is of type %v", path, gen.typ, typ))
	}
	return gen.draw(d.t, path)
}

// Option changes how [Contract] draws and what it calls.
type Option func(*settings)

type settings struct {
	types   map[reflect.Type]generator
	fields  map[string]generator
	pools   map[reflect.Type][]reflect.Value
	without map[string]bool
	most    int
}

type generator struct {
	typ  reflect.Type
	draw func(t *rapid.T, label string) reflect.Value
}

func newGenerator[T any](gen *rapid.Generator[T]) generator {
	return generator{typ: reflect.TypeFor[T](), draw: func(t *rapid.T, label string) reflect.Value {
		v := reflect.New(reflect.TypeFor[T]()).Elem()
		if drawn := reflect.ValueOf(gen.Draw(t, label)); drawn.IsValid() {
			v.Set(drawn)
		}
		return v
	}}
}

// OfType draws every value of type T, wherever it is, from a generator.
func OfType[T any](gen *rapid.Generator[T]) Option {
	return func(s *settings) { s.types[reflect.TypeFor[T]()] = newGenerator(gen) }
}

// Field draws one field of a struct, as in "Customer.Email", or one argument of
// a method, as in "UpdateEmail.email", from a generator.
func Field[T any](path string, gen *rapid.Generator[T]) Option {
	return func(s *settings) { s.fields[path] = newGenerator(gen) }
}

// KeysFrom draws keys, parts of keys and tenants of type K from these values
// alone. A few are enough: operations should meet.
func KeysFrom[K any](values ...K) Option {
	return func(s *settings) {
		pool := make([]reflect.Value, len(values))
		for i, v := range values {
			pool[i] = reflect.ValueOf(v)
		}
		s.pools[reflect.TypeFor[K]()] = pool
	}
}

// Without leaves operations out, by their methods' names.
func Without(operations ...string) Option {
	return func(s *settings) {
		for _, name := range operations {
			s.without[name] = true
		}
	}
}

// Calls bounds the length of a sequence. Defaults to 30.
func Calls(most int) Option { return func(s *settings) { s.most = most } }

func newSettings(lists ...[]Option) *settings {
	s := &settings{
		types: map[reflect.Type]generator{}, fields: map[string]generator{},
		pools: map[reflect.Type][]reflect.Value{}, without: map[string]bool{}, most: 30,
	}
	for _, list := range lists {
		for _, option := range list {
			option(s)
		}
	}
	return s
}

// poolSize is how many keys there are, where nobody says.
const poolSize = 3

// pool returns the keys of a type.
func (s *settings) pool(typ reflect.Type) []reflect.Value {
	if pool, ok := s.pools[typ]; ok {
		return pool
	}
	var pool []reflect.Value
	for i := range poolSize {
		v := reflect.New(typ).Elem()
		s.setKey(v, i)
		pool = append(pool, v)
	}
	s.pools[typ] = pool
	return pool
}

// setKey makes v the i-th key of its type. Numbers are large, so that no
// sequence that starts at one comes by them soon.
func (s *settings) setKey(v reflect.Value, i int) {
	bits := func() int { return min(v.Type().Bits()-2, 20) }
	switch v.Kind() {
	case reflect.String:
		v.SetString([]string{"a", "O'Brien: 1/é", "b"}[i])
	case reflect.Bool:
		v.SetBool(i%2 == 1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(1<<bits() + int64(i))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(1<<bits() + uint64(i)) //nolint:gosec // three of them
	case reflect.Array:
		s.setUUID(v, i)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		s.setKey(v.Elem(), i)
	case reflect.Struct:
		if texts := textsOf(v.Type()); len(texts) > 0 {
			setText(v, texts[i%len(texts)])
			return
		}
		for f := range v.NumField() {
			if v.Type().Field(f).IsExported() {
				s.setKey(v.Field(f), i)
			}
		}
	default:
		panic(fmt.Sprintf("crossfadetest: no keys of type %v can be drawn: give some with KeysFrom", v.Type()))
	}
}

// setUUID numbers an array of bytes so that 16 of them are a version 4 UUID.
func (s *settings) setUUID(v reflect.Value, i int) {
	last := v.Len() - 1
	for at := range v.Len() {
		switch {
		case at == last:
			s.setKeyByte(v.Index(at), byte(i+1)) //nolint:gosec // three of them
		case v.Len() == 16 && at == 6:
			s.setKeyByte(v.Index(at), 0x40)
		case v.Len() == 16 && at == 8:
			s.setKeyByte(v.Index(at), 0x80)
		}
	}
}

func (s *settings) setKeyByte(v reflect.Value, b byte) {
	if v.Kind() == reflect.Uint8 {
		v.SetUint(uint64(b))
	}
}

// pathIn is the path of a field: by the type's name, or, in a struct without a
// name, below the struct's own path.
func pathIn(typ reflect.Type, path, field string) string {
	if name, _, _ := strings.Cut(typ.Name(), "["); name != "" {
		return name + "." + field
	}
	return path + "." + field
}

// KeyOrNil draws a pointer to a key, or nil.
func KeyOrNil[K any](d *Draw, name string) *K {
	if rapid.Bool().Draw(d.t, d.operation+"."+name+" set") {
		return Ptr(Key[K](d, name))
	}
	return nil
}
