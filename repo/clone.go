package repo

import (
	"reflect"
	"slices"
)

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

// pristine keeps what the arguments of an operation refer to as it was, should
// the operation run again after a side has changed it.
type pristine struct {
	cells []cell            // each behind the one that it was found in
	room  [2]cell           // for the first ones
	known map[seen]struct{} // the cells, where there are many
	runs  int
}

// cell is memory of the caller, and a copy of what was in it: references to other
// cells included, so that together they are all as they were.
type cell struct {
	id       seen
	at, kept reflect.Value // at is the reference
}

// fewCells are looked through one by one.
const fewCells = 16

// pristineOf returns nil where no side could change the arguments.
func pristineOf[A any](op Op, args A) *pristine {
	if !op.CloneArgs {
		return nil
	}
	p := &pristine{}
	p.cells = p.room[:0]
	p.keep(reflect.ValueOf(&args).Elem())
	return p
}

// keep copies what v refers to. What [Clone] shares is no cell.
func (p *pristine) keep(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if p.first(v) {
			kept := reflect.New(v.Type().Elem()).Elem()
			kept.Set(v.Elem())
			p.cells = append(p.cells, cell{id(v), v, kept})
			p.keep(v.Elem())
		}
	case reflect.Slice:
		if p.first(v) {
			kept := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(kept, v)
			p.cells = append(p.cells, cell{id(v), v, kept})
			p.keepEach(v)
		}
	case reflect.Map:
		if p.first(v) {
			kept := reflect.MakeMapWithSize(v.Type(), v.Len())
			p.cells = append(p.cells, cell{id(v), v, kept})
			for it := v.MapRange(); it.Next(); {
				kept.SetMapIndex(it.Key(), it.Value())
				p.keep(it.Value())
			}
		}
	case reflect.Interface:
		p.keep(v.Elem())
	case reflect.Array:
		p.keepEach(v)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && holdsReferences(f.Type) {
				p.keep(v.Field(i))
			}
		}
	}
}

func (p *pristine) keepEach(v reflect.Value) {
	if holdsReferences(v.Type().Elem()) {
		for i := range v.Len() {
			p.keep(v.Index(i))
		}
	}
}

func id(v reflect.Value) seen {
	id := seen{ptr: v.Pointer(), typ: v.Type()}
	if v.Kind() == reflect.Slice {
		id.len = v.Len()
	}
	return id
}

// first reports whether a reference is not nil and was not met before.
func (p *pristine) first(v reflect.Value) bool {
	if v.IsNil() {
		return false
	}
	id := id(v)
	if len(p.cells) < fewCells {
		return !slices.ContainsFunc(p.cells, func(c cell) bool { return c.id == id })
	}
	if p.known == nil {
		p.known = map[seen]struct{}{}
	}
	for _, c := range p.cells[len(p.known):] {
		p.known[c.id] = struct{}{}
	}
	_, known := p.known[id]
	return !known
}

// restore gives the caller's memory back what was in it, from the second run on.
// The values themselves no side can have changed: it was given a copy.
func (p *pristine) restore() {
	if p == nil {
		return
	}
	if p.runs++; p.runs == 1 {
		return
	}
	for _, c := range p.cells {
		switch c.at.Kind() {
		case reflect.Slice:
			reflect.Copy(c.at, c.kept)
		case reflect.Map:
			c.at.Clear()
			for it := c.kept.MapRange(); it.Next(); {
				c.at.SetMapIndex(it.Key(), it.Value())
			}
		default:
			c.at.Elem().Set(c.kept)
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
