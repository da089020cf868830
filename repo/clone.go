package repo

import "reflect"

// Clone returns a deep copy of v: slices, maps, pointers, interfaces and the
// exported fields of structs are copied, unexported fields are shared. Types
// that hide their references, such as time.Time or decimals, are values to
// their users and need no copy. Functions and channels are shared. Cycles are
// kept; what is referred to twice is copied twice, unless the type can hold itself
// or holds interfaces.
func Clone[T any](v T) T {
	t := reflect.TypeFor[T]()
	known, ok := compiledTypes.Load(t)
	if !ok {
		known, _ = compiledTypes.LoadOrStore(t, compile(t))
	}
	switch plan := known.(compiled); { //nolint:forcetypeassert // nothing else is stored
	case plan.walks:
		return walked(v)
	case plan.deepen != nil:
		return deepened(v, plan.deepen)
	}
	return v
}

// deepened is apart from Clone so that values without references stay off the heap.
func deepened[T any](v T, deepen cloner) T {
	deepen(reflect.ValueOf(&v).Elem())
	return v
}

// walked clones a value of a type that holds interfaces or can hold itself.
func walked[T any](v T) T {
	var out T
	cloneInto(reflect.ValueOf(&out).Elem(), reflect.ValueOf(&v).Elem(), map[seen]reflect.Value{})
	return out
}

type seen struct {
	ptr uintptr
	typ reflect.Type
	len int
}

// cloneInto writes a deep copy of src to dst, which is settable.
func cloneInto(dst, src reflect.Value, done map[seen]reflect.Value) {
	switch src.Kind() {
	case reflect.Pointer:
		clonePointer(dst, src, done)
	case reflect.Interface:
		if src.IsNil() {
			return
		}
		inner := reflect.New(src.Elem().Type()).Elem()
		cloneInto(inner, src.Elem(), done)
		dst.Set(inner)
	case reflect.Slice:
		cloneSlice(dst, src, done)
	case reflect.Array:
		dst.Set(src)
		if holdsReferences(src.Type().Elem()) {
			for i := range src.Len() {
				cloneInto(dst.Index(i), src.Index(i), done)
			}
		}
	case reflect.Map:
		cloneMap(dst, src, done)
	case reflect.Struct:
		dst.Set(src)
		for i := range src.NumField() {
			if f := src.Type().Field(i); f.IsExported() && holdsReferences(f.Type) {
				cloneInto(dst.Field(i), src.Field(i), done)
			}
		}
	default:
		dst.Set(src)
	}
}

func clonePointer(dst, src reflect.Value, done map[seen]reflect.Value) {
	if src.IsNil() {
		return
	}
	id := seen{ptr: src.Pointer(), typ: src.Type()}
	if known, ok := done[id]; ok {
		dst.Set(known)
		return
	}
	target := reflect.New(src.Type().Elem())
	done[id] = target
	cloneInto(target.Elem(), src.Elem(), done)
	dst.Set(target.Convert(dst.Type()))
}

func cloneSlice(dst, src reflect.Value, done map[seen]reflect.Value) {
	if src.IsNil() {
		return
	}
	id := seen{ptr: src.Pointer(), typ: src.Type(), len: src.Len()}
	if known, ok := done[id]; ok {
		dst.Set(known)
		return
	}
	out := reflect.MakeSlice(src.Type(), src.Len(), src.Len())
	done[id] = out
	reflect.Copy(out, src)
	if holdsReferences(src.Type().Elem()) {
		for i := range src.Len() {
			cloneInto(out.Index(i), src.Index(i), done)
		}
	}
	dst.Set(out)
}

func cloneMap(dst, src reflect.Value, done map[seen]reflect.Value) {
	if src.IsNil() {
		return
	}
	id := seen{ptr: src.Pointer(), typ: src.Type()}
	if known, ok := done[id]; ok {
		dst.Set(known)
		return
	}
	out := reflect.MakeMapWithSize(src.Type(), src.Len())
	done[id] = out
	for it := src.MapRange(); it.Next(); {
		value := reflect.New(src.Type().Elem()).Elem()
		cloneInto(value, it.Value(), done)
		out.SetMapIndex(it.Key(), value)
	}
	dst.Set(out)
}

func holdsReferences(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map, reflect.Struct:
		return true
	case reflect.Array:
		return holdsReferences(t.Elem())
	}
	return false
}
