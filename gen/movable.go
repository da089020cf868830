package gen

import (
	"fmt"
	"go/types"
)

// movable refuses arguments and results that cannot be given to two sides, or
// not be looked at twice. A stream runs on one side only, and takes anything.
func (g *generator) movable(m *method) {
	if m.verb == verbStream {
		return
	}
	for i, p := range m.params {
		if m.stream == noStream && isCallback(p.typ) {
			continue // streamShape has said it
		}
		if why := unmovable(p.typ, map[types.Type]bool{}); why != "" {
			name := p.name
			if name == "" {
				name = fmt.Sprintf("number %d", i+2)
			}
			g.problem(m, "parameter %s: %s: it cannot be given to two sides, or twice to one; pass plain values", name, why)
		}
	}
	for _, r := range m.results {
		if seqElem(r.typ) != nil || m.verb == verbLock || m.verb == verbCreate {
			continue // streamShape has said it, or it comes from one side alone
		}
		if why := uncomparable(r.typ); why != "" {
			g.problem(m, "result of type %s: %s: it can be looked at once only, and two sides return one; return plain values, or use %s%s with an iter.Seq2[T, error]",
				g.show(m, r.typ), why, marker, verbStream)
		}
	}
}

// unmovable says what in t is used up or shared by looking at it; "" if
// nothing. Fields that are tagged as ignored do not count.
func unmovable(t types.Type, seen map[types.Type]bool) string {
	if seen[t] {
		return ""
	}
	seen[t] = true
	if why := oneUse(t); why != "" {
		return why
	}
	u, ok := t.Underlying().(*types.Struct)
	if !ok {
		if elem := elemOf(t); elem != nil {
			return unmovable(elem, seen)
		}
		return ""
	}
	for i := range u.NumFields() {
		f := u.Field(i)
		tg, _ := parseTag(u.Tag(i)) // reported where the field is compared
		if !f.Exported() && !f.Embedded() || tg.ignore {
			continue
		}
		if why := unmovable(f.Type(), seen); why != "" {
			return fmt.Sprintf("field %s is %s", f.Name(), why)
		}
	}
	return ""
}

// oneUse says that a value of t itself can be used once only, or by one side.
func oneUse(t types.Type) string {
	if why := handle(t); why != "" {
		return why
	}
	if hasMethod(t, "Read", []string{"[]byte"}, "") {
		return "a reader"
	}
	switch u := t.Underlying().(type) {
	case *types.Signature:
		return "a function"
	case *types.Chan:
		return "a channel"
	case *types.Basic:
		if u.Kind() == types.UnsafePointer {
			return "an unsafe.Pointer"
		}
	case *types.Interface:
		for _, name := range []string{"Write", "Next", "Close", "Commit", "Exec"} {
			if methodOf(t, name) != nil {
				return fmt.Sprintf("an interface with a method %s", name)
			}
		}
	}
	return ""
}

// uncomparable names what in t nothing can be said about. Fields of structs
// are looked at where they are compared.
func uncomparable(t types.Type) string {
	if why := oneUse(t); why != "" {
		return why
	}
	if elem := elemOf(t); elem != nil && (typeName(t) == nil || isPointerType(t)) {
		return uncomparable(elem)
	}
	return ""
}

// handle names types that stand for a connection or a cursor.
func handle(t types.Type) string {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return ""
	}
	name := named.Obj().Name()
	switch named.Obj().Pkg().Path() {
	case "database/sql":
		switch name {
		case "DB", "Tx", "Conn", "Stmt", "Rows", "Row":
			return "a handle of the database (" + "sql." + name + "; transactions go through InTx)"
		}
	case "gorm.io/gorm":
		if name == "DB" {
			return "a handle of the database (gorm.DB; transactions go through InTx)"
		}
	}
	return ""
}

// holdsMemory reports whether values of t share memory that their holder can
// change: slices, maps, pointers and interfaces, also inside exported fields.
// What a struct keeps in unexported fields is its own business: time.Time,
// decimal.Decimal and the like are values to those who use them. The runtime
// clones by the same rule.
func holdsMemory(t types.Type, seen map[types.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch u := t.Underlying().(type) {
	case *types.Slice, *types.Map, *types.Pointer, *types.Interface:
		return true
	case *types.Array:
		return holdsMemory(u.Elem(), seen)
	case *types.Struct:
		for f := range u.Fields() {
			if (f.Exported() || f.Embedded()) && holdsMemory(f.Type(), seen) {
				return true
			}
		}
	}
	return false
}

// holdsInvalid reports whether a part of t did not type-check.
func holdsInvalid(t types.Type, seen map[types.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch u := types.Unalias(t).(type) {
	case *types.Basic:
		return u.Kind() == types.Invalid
	case *types.Pointer:
		return holdsInvalid(u.Elem(), seen)
	case *types.Slice:
		return holdsInvalid(u.Elem(), seen)
	case *types.Array:
		return holdsInvalid(u.Elem(), seen)
	case *types.Map:
		return holdsInvalid(u.Key(), seen) || holdsInvalid(u.Elem(), seen)
	case *types.Chan:
		return holdsInvalid(u.Elem(), seen)
	case *types.Struct:
		for f := range u.Fields() {
			if holdsInvalid(f.Type(), seen) {
				return true
			}
		}
	case *types.Tuple:
		for v := range u.Variables() {
			if holdsInvalid(v.Type(), seen) {
				return true
			}
		}
	case *types.Signature:
		return holdsInvalid(u.Params(), seen) || holdsInvalid(u.Results(), seen)
	case *types.Named:
		for t := range u.TypeArgs().Types() {
			if holdsInvalid(t, seen) {
				return true
			}
		}
		return holdsInvalid(u.Underlying(), seen)
	}
	return false
}
