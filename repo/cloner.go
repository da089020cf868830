package repo

import (
	"reflect"
	"slices"
	"sync"
)

// cloner deepens the value that dst holds, which is a shallow copy: it replaces
// what dst refers to by copies.
type cloner func(dst reflect.Value)

// compiled is what is known of the clones of one type.
type compiled struct {
	deepen cloner // nil where the values refer to nothing that has to be copied
	walks  bool   // the type has to be walked by value: it holds interfaces or can hold itself
}

var compiledTypes sync.Map // reflect.Type -> compiled

func compile(t reflect.Type) compiled {
	deepen, ok := compileType(t, nil)
	return compiled{deepen: deepen, walks: !ok}
}

// compileType returns the plan of a type; false when it has to be walked. within
// are the types that hold it.
func compileType(t reflect.Type, within []reflect.Type) (cloner, bool) {
	if slices.Contains(within, t) {
		return nil, false
	}
	within = append(slices.Clone(within), t)
	switch t.Kind() {
	case reflect.Interface:
		return nil, false
	case reflect.Pointer:
		return compilePointer(t, within)
	case reflect.Slice:
		return compileSlice(t, within)
	case reflect.Map:
		return compileMap(t, within)
	case reflect.Array:
		elem, ok := compileType(t.Elem(), within)
		if elem == nil {
			return nil, ok
		}
		return func(dst reflect.Value) {
			for i := range dst.Len() {
				elem(dst.Index(i))
			}
		}, true
	case reflect.Struct:
		return compileStruct(t, within)
	}
	return nil, true
}

func compilePointer(t reflect.Type, within []reflect.Type) (cloner, bool) {
	elem, ok := compileType(t.Elem(), within)
	named := t != reflect.PointerTo(t.Elem())
	return func(dst reflect.Value) {
		if dst.IsNil() {
			return
		}
		target := reflect.New(t.Elem())
		target.Elem().Set(dst.Elem())
		if elem != nil {
			elem(target.Elem())
		}
		if named {
			target = target.Convert(t)
		}
		dst.Set(target)
	}, ok
}

func compileSlice(t reflect.Type, within []reflect.Type) (cloner, bool) {
	switch t {
	case reflect.TypeFor[[]string]():
		return cloneSliceOf[string], true
	case reflect.TypeFor[[]byte]():
		return cloneSliceOf[byte], true
	}
	elem, ok := compileType(t.Elem(), within)
	return func(dst reflect.Value) {
		if dst.IsNil() {
			return
		}
		out := reflect.MakeSlice(t, dst.Len(), dst.Len())
		reflect.Copy(out, dst)
		if elem != nil {
			for i := range out.Len() {
				elem(out.Index(i))
			}
		}
		dst.Set(out)
	}, ok
}

// cloneSliceOf is for slices that are met often.
func cloneSliceOf[E any](dst reflect.Value) {
	if s, ok := dst.Addr().Interface().(*[]E); ok {
		*s = slices.Clone(*s)
	}
}

func compileMap(t reflect.Type, within []reflect.Type) (cloner, bool) {
	elem, ok := compileType(t.Elem(), within)
	return func(dst reflect.Value) {
		if dst.IsNil() {
			return
		}
		out := reflect.MakeMapWithSize(t, dst.Len())
		for it := dst.MapRange(); it.Next(); {
			value := it.Value()
			if elem != nil {
				value = reflect.New(t.Elem()).Elem()
				value.Set(it.Value())
				elem(value)
			}
			out.SetMapIndex(it.Key(), value)
		}
		dst.Set(out)
	}, ok
}

func compileStruct(t reflect.Type, within []reflect.Type) (cloner, bool) {
	type field struct {
		index  int
		deepen cloner
	}
	var deep []field
	for i := range t.NumField() {
		if !t.Field(i).IsExported() {
			continue
		}
		deepen, ok := compileType(t.Field(i).Type, within)
		if !ok {
			return nil, false
		}
		if deepen != nil {
			deep = append(deep, field{i, deepen})
		}
	}
	if len(deep) == 0 {
		return nil, true
	}
	return func(dst reflect.Value) {
		for _, f := range deep {
			f.deepen(dst.Field(f.index))
		}
	}, true
}
