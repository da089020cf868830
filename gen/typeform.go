package gen

import (
	"go/types"
	"reflect"
	"strings"
)

func isTime(t types.Type) bool { return isNamed(t, "time", "Time") }

// isTimeLike reports whether t is a type of its own over time.Time.
func isTimeLike(t types.Type) bool { return !isTime(t) && timeType(t) != nil }

// timeType finds time.Time by way of a type over it.
func timeType(t types.Type) types.Type {
	s, ok := t.Underlying().(*types.Struct)
	if !ok || s.NumFields() == 0 || s.Field(0).Pkg() == nil || s.Field(0).Pkg().Path() != "time" {
		return nil
	}
	obj := s.Field(0).Pkg().Scope().Lookup("Time")
	if obj == nil || !types.Identical(obj.Type().Underlying(), s) {
		return nil
	}
	return obj.Type()
}

func isInterface(t types.Type) bool { return types.IsInterface(t) }

// byMethod says how a type is compared by a method of its own: Equal, or Cmp
// as decimals have it. Fields with compare tags are stronger than methods.
func byMethod(t types.Type) (op, code string) {
	if _, ok := t.Underlying().(*types.Pointer); ok || isInterface(t) || hasTags(t) {
		return "", ""
	}
	for _, form := range []struct {
		method, result, op, value, pointer string
	}{
		{"Equal", "bool", "Method", "served.Equal(other)", "served.Equal(&other)"},
		{"Cmp", "int", "Custom", "served.Cmp(other) == 0", "served.Cmp(&other) == 0"},
	} {
		sig := methodOf(types.NewPointer(t), form.method)
		if sig == nil || sig.Params().Len() != 1 || sig.Results().Len() != 1 || sig.Results().At(0).Type().String() != form.result {
			continue
		}
		byValue := methodOf(t, form.method) != nil
		switch param := sig.Params().At(0).Type(); {
		case types.Identical(param, t) && byValue:
			return form.op, form.value
		case types.Identical(param, t):
			return "Custom", form.value
		case types.Identical(param, types.NewPointer(t)):
			return "Custom", form.pointer
		}
	}
	return "", ""
}

func hasTags(t types.Type) bool {
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for i := range s.NumFields() {
		if text, ok := reflect.StructTag(s.Tag(i)).Lookup("compare"); ok && text != "" {
			return true
		}
	}
	return false
}

// plain reports whether == says what equal means for t.
func (cs *comparers) plain(t types.Type) bool {
	if op, _ := byMethod(t); op != "" || timeType(t) != nil {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return true
	case *types.Array:
		return cs.plain(u.Elem())
	case *types.Struct:
		return u.NumFields() == 0 || cs.opaque(t) && types.Comparable(t)
	}
	return false
}

// scalar reports whether t is compared as one value, and not by what it holds.
func (cs *comparers) scalar(t types.Type) bool {
	op, _ := byMethod(t)
	return op != "" || timeType(t) != nil || cs.plain(t) || isBytes(t)
}

// opaque reports whether t is a struct of which not all of the data can be
// reached by its exported fields: of its own package's making, like netip.Addr.
func (cs *comparers) opaque(t types.Type) bool {
	s, ok := t.Underlying().(*types.Struct)
	if !ok || s.NumFields() == 0 {
		return false
	}
	reachable := false
	for f := range s.Fields() {
		hidden := !f.Exported() && f.Pkg() != cs.self
		if hidden && f.Embedded() {
			return true
		}
		reachable = reachable || !hidden
	}
	return !reachable
}

// whole reports whether a struct is compared as one value and not field by field.
func (cs *comparers) whole(t types.Type) bool {
	return cs.scalar(t) || cs.opaque(t)
}

// isLock reports whether t guards data and is none itself.
func isLock(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "sync"
}

// holdsLock reports whether values of t must not be copied.
func holdsLock(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Array:
		return holdsLock(u.Elem())
	case *types.Struct:
		if methodOf(types.NewPointer(t), "Lock") != nil && methodOf(types.NewPointer(t), "Unlock") != nil {
			return true
		}
		for f := range u.Fields() {
			if holdsLock(f.Type()) {
				return true
			}
		}
	}
	return false
}

// pointsToLock reports whether comparing what t points to would copy a lock.
func pointsToLock(t types.Type) bool {
	p, ok := t.Underlying().(*types.Pointer)
	return ok && holdsLock(p.Elem())
}

// elemOf returns what a pointer, list or map holds, or nil.
func elemOf(t types.Type) types.Type {
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		return u.Elem()
	case *types.Slice:
		return u.Elem()
	case *types.Array:
		return u.Elem()
	case *types.Map:
		return u.Elem()
	}
	return nil
}

// cut reports whether following t, a part of owner, could go in circles at run
// time: where a pointer leads back to a type that holds it.
func (cs *comparers) cut(t, owner types.Type) bool {
	switch {
	case owner == nil:
		return false
	case typeName(t) != nil:
		if _, ok := t.Underlying().(*types.Pointer); !ok {
			return false
		}
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		return reaches(p.Elem(), owner)
	}
	elem := elemOf(t)
	return elem != nil && cs.cut(elem, owner)
}

// reaches reports whether values of t can lead to values of target, by other
// ways than ignored fields.
func reaches(t, target types.Type) bool {
	return (&search{target: target, seen: map[types.Type]bool{}}).from(t)
}

type search struct {
	target types.Type
	seen   map[types.Type]bool
}

func (s *search) from(t types.Type) bool {
	t = types.Unalias(t)
	if types.Identical(t, s.target) {
		return true
	}
	if s.seen[t] {
		return false
	}
	s.seen[t] = true
	u, ok := t.Underlying().(*types.Struct)
	if !ok {
		elem := elemOf(t)
		return elem != nil && s.from(elem)
	}
	for i := range u.NumFields() {
		if tg, err := parseTag(u.Tag(i)); err == nil && tg.ignore {
			continue
		}
		if s.from(u.Field(i).Type()) {
			return true
		}
	}
	return false
}

// nameable reports whether the package can write the type down.
func (cs *comparers) nameable(t types.Type) bool {
	if named, ok := types.Unalias(t).(*types.Named); ok {
		obj := named.Obj()
		for arg := range named.TypeArgs().Types() {
			if !cs.nameable(arg) {
				return false
			}
		}
		return obj.Pkg() == nil || obj.Pkg() == cs.self ||
			obj.Exported() && obj.Parent() == obj.Pkg().Scope() && importable(obj.Pkg().Path(), cs.self.Path())
	}
	switch u := t.Underlying().(type) {
	case *types.Map:
		return cs.nameable(u.Key()) && cs.nameable(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if !f.Exported() && f.Pkg() != cs.self || !cs.nameable(f.Type()) {
				return false
			}
		}
		return true
	}
	elem := elemOf(t)
	return elem == nil || cs.nameable(elem)
}

// importable is the rule of internal packages.
func importable(path, from string) bool {
	i := strings.LastIndex("/"+path+"/", "/internal/")
	if i < 0 {
		return true
	}
	parent := strings.TrimSuffix(("/" + path)[:i], "/")
	return parent != "" && strings.HasPrefix("/"+from+"/", parent+"/") // without a parent it is Go's own
}

// typeWords makes a name of a type: Customer, V1Address, PageOfCustomer, StringList.
func typeWords(t types.Type, self *types.Package) string {
	if named, ok := types.Unalias(t).(*types.Named); ok {
		name := upperFirst(named.Obj().Name())
		if pkg := named.Obj().Pkg(); pkg != nil && pkg != self && !strings.EqualFold(pkg.Name(), name) {
			name = upperFirst(pkg.Name()) + name
		}
		for i := range named.TypeArgs().Len() {
			join := "And"
			if i == 0 {
				join = "Of"
			}
			name += join + typeWords(named.TypeArgs().At(i), self)
		}
		return name
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return upperFirst(u.Name())
	case *types.Pointer:
		return typeWords(u.Elem(), self) + "Pointer"
	case *types.Slice:
		return typeWords(u.Elem(), self) + "List"
	case *types.Array:
		return typeWords(u.Elem(), self) + "Array"
	case *types.Map:
		return typeWords(u.Elem(), self) + "Map"
	case *types.Struct:
		return "Struct"
	}
	return "Value"
}
