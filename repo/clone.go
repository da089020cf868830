package repo

import "reflect"

// Clone returns a deep copy of v: slices, maps, pointers, interfaces and the
// exported fields of structs are copied, unexported fields are shared. Types
// that hide their references, such as time.Time or decimals, are values to
// their users and need no copy. Functions and channels are shared. Cycles are
// kept.
func Clone[T any](v T) T {
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

// pristine keeps the arguments of an operation as they were, should it run again
// after a side has changed them.
type pristine[A any] struct {
	kept A
	runs int
	is   bool
}

func pristineOf[A any](op Op, args A) pristine[A] {
	if !op.CloneArgs {
		return pristine[A]{}
	}
	return pristine[A]{kept: Clone(args), is: true}
}

// restore gives the caller's memory back what was in it, from the second run on.
// The values themselves no side can have changed: it was given a copy.
func (p *pristine[A]) restore(args *A) {
	if p.runs++; p.is && p.runs > 1 {
		kept := Clone(p.kept)
		restoreInto(reflect.ValueOf(args).Elem(), reflect.ValueOf(&kept).Elem())
	}
}

// restoreInto writes what from refers to into what to refers to. Both have the
// same shape, as from is a clone of what to was.
func restoreInto(to, from reflect.Value) {
	switch to.Kind() {
	case reflect.Pointer:
		if !to.IsNil() && !from.IsNil() {
			to.Elem().Set(from.Elem())
		}
	case reflect.Slice:
		reflect.Copy(to, from)
	case reflect.Map:
		if to.IsNil() {
			return
		}
		to.Clear()
		for it := from.MapRange(); it.Next(); {
			to.SetMapIndex(it.Key(), it.Value())
		}
	case reflect.Interface:
		if !to.IsNil() && !from.IsNil() && to.Elem().Type() == from.Elem().Type() {
			restoreInto(to.Elem(), from.Elem())
		}
	case reflect.Array:
		for i := range to.Len() {
			restoreInto(to.Index(i), from.Index(i))
		}
	case reflect.Struct:
		for i := range to.NumField() {
			if to.Type().Field(i).IsExported() {
				restoreInto(to.Field(i), from.Field(i))
			}
		}
	}
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
