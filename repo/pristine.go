package repo

import (
	"math"
	"reflect"
	"slices"
)

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
			eachPart(kept, v.Elem(), reflect.Value.Set)
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
// It writes only where a side has written: others may read the same memory. The
// values themselves no side can have changed: it was given a copy.
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
			for i := range c.at.Len() {
				putBack(c.at.Index(i), c.kept.Index(i))
			}
		case reflect.Map:
			c.restoreMap()
		default:
			eachPart(c.at.Elem(), c.kept, putBack)
		}
	}
}

func (c cell) restoreMap() {
	var added []reflect.Value
	for it := c.at.MapRange(); it.Next(); {
		if !c.kept.MapIndex(it.Key()).IsValid() {
			added = append(added, it.Key())
		}
	}
	for _, key := range added {
		c.at.SetMapIndex(key, reflect.Value{})
	}
	for it := c.kept.MapRange(); it.Next(); {
		if now := c.at.MapIndex(it.Key()); !now.IsValid() || !unchanged(now, it.Value()) {
			c.at.SetMapIndex(it.Key(), it.Value())
		}
	}
}

// eachPart calls fn with the exported fields of two structs of one type, or with
// the values themselves. Unexported fields and locks are their owner's business.
func eachPart(to, from reflect.Value, fn func(to, from reflect.Value)) {
	if to.Kind() != reflect.Struct || to.NumField() == 0 || hidden(to.Type()) {
		fn(to, from)
		return
	}
	for i := range to.NumField() {
		f := to.Type().Field(i)
		if pkg := f.Type.PkgPath(); f.IsExported() && pkg != "sync" && pkg != "sync/atomic" {
			fn(to.Field(i), from.Field(i))
		}
	}
}

// hidden reports whether a struct is a value of which the fields are nobody's
// business, such as time.Time.
func hidden(t reflect.Type) bool {
	for i := range t.NumField() {
		if t.Field(i).IsExported() {
			return false
		}
	}
	return t.PkgPath() != "sync" && t.PkgPath() != "sync/atomic"
}

func putBack(to, from reflect.Value) {
	if !unchanged(to, from) {
		to.Set(from)
	}
}

// unchanged reports whether two values are the same without looking behind their
// references.
func unchanged(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Float32, reflect.Float64:
		return math.Float64bits(a.Float()) == math.Float64bits(b.Float())
	case reflect.Slice:
		return a.Pointer() == b.Pointer() && a.Len() == b.Len() && a.Cap() == b.Cap()
	case reflect.Map, reflect.Func:
		return a.Pointer() == b.Pointer()
	case reflect.Struct:
		for i := range a.NumField() {
			if !unchanged(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Array:
		for i := range a.Len() {
			if !unchanged(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Interface:
		if a.IsNil() || b.IsNil() || a.Elem().Type() != b.Elem().Type() {
			return a.IsNil() && b.IsNil()
		}
		return unchanged(a.Elem(), b.Elem())
	}
	return a.Equal(b)
}
