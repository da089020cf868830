package archtest

import (
	"fmt"
	"go/types"
	"strings"
)

// HiddenTypes reports types of hidden packages in what a package exports: signatures, fields, methods, variables.
// hidden tells a package's path.
func HiddenTypes(p *types.Package, hidden func(path string) bool) (broken []string) {
	s := search{home: p, hidden: hidden, seen: map[types.Type]bool{}}
	for _, name := range p.Scope().Names() {
		object := p.Scope().Lookup(name)
		if !object.Exported() {
			continue
		}
		s.where = name
		if declared, isType := object.(*types.TypeName); isType {
			s.declaration(declared)
		} else {
			s.look(object.Type())
		}
	}
	return s.broken
}

// search walks through the types that one exported object shows.
type search struct {
	home   *types.Package
	hidden func(path string) bool
	seen   map[types.Type]bool
	where  string
	broken []string
}

// declaration looks at an exported type: what it is made of and what its methods take and return.
func (s *search) declaration(declared *types.TypeName) {
	if declared.IsAlias() {
		s.look(types.Unalias(declared.Type()))
		return
	}
	named, ok := declared.Type().(*types.Named)
	if !ok {
		return
	}
	s.look(named.Underlying())
	for i := range named.TypeParams().Len() {
		s.look(named.TypeParams().At(i).Constraint())
	}
	for method := range named.Methods() {
		if method.Exported() {
			s.where = declared.Name() + "." + method.Name()
			s.look(method.Type())
		}
	}
}

func (s *search) look(t types.Type) {
	if t == nil || s.seen[t] {
		return
	}
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		s.named(t)
	case *types.Pointer:
		s.look(t.Elem())
	case *types.Slice:
		s.look(t.Elem())
	case *types.Array:
		s.look(t.Elem())
	case *types.Chan:
		s.look(t.Elem())
	case *types.Map:
		s.look(t.Key())
		s.look(t.Elem())
	case *types.Tuple:
		for v := range t.Variables() {
			s.look(v.Type())
		}
	case *types.Signature:
		s.look(t.Params())
		s.look(t.Results())
		for i := range t.TypeParams().Len() {
			s.look(t.TypeParams().At(i).Constraint())
		}
	case *types.Struct:
		for field := range t.Fields() {
			if field.Exported() || field.Embedded() {
				s.look(field.Type())
			}
		}
	case *types.Interface:
		s.seen[t] = true
		for method := range t.Methods() {
			if method.Exported() {
				s.look(method.Type())
			}
		}
		for embedded := range t.EmbeddedTypes() {
			s.look(embedded)
		}
	case *types.Union:
		for term := range t.Terms() {
			s.look(term.Type())
		}
	}
}

// named looks at a type with a name: exported ones of this package are looked at on their own, unexported ones of this
// package show what they are made of, and hidden ones are what is searched for.
func (s *search) named(t *types.Named) {
	for argument := range t.TypeArgs().Types() {
		s.look(argument)
	}
	object := t.Obj()
	switch {
	case object.Pkg() == nil: // error, comparable
	case s.hidden(object.Pkg().Path()):
		s.broken = append(s.broken, fmt.Sprintf("%s.%s shows %s.%s, which is generated from queries and stays inside",
			s.home.Path(), s.where, lastPart(object.Pkg().Path()), object.Name()))
	case object.Pkg() == s.home && !object.Exported():
		s.seen[t] = true
		s.look(t.Underlying())
		for method := range t.Methods() {
			if method.Exported() {
				s.look(method.Type())
			}
		}
	}
}

func lastPart(path string) string { return path[strings.LastIndex(path, "/")+1:] }
