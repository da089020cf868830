package gen

import (
	"fmt"
	"go/token"
	"go/types"
	"strings"
)

// path is a key or a tenant as a directive names it: a parameter or "result",
// fields, methods without arguments, and one [] for each element of a slice.
type path struct {
	text  string
	root  int // index of the parameter, or resultRoot
	steps []step
	each  int // the step before which [] stands, or -1
	typ   types.Type
	// elem is the type of one element, where the path goes through a list.
	elem types.Type
}

const resultRoot = -1

type step struct {
	name string
	call bool
	ptr  bool // what stands before it may be nil
}

// resolve reads a path of a method's directive.
func (m *method) resolve(text string) (path, error) {
	return resolvePath(m.entity.pkg.Types, text, m.root)
}

// resolveIn reads a path that starts with a field of t.
func resolveIn(from *types.Package, t types.Type, text string) (path, error) {
	name := "the element"
	if obj := typeName(t); obj != nil {
		name = obj.Name()
	}
	return resolvePath(from, name+"."+text, func(p *path, _ string) (types.Type, error) {
		p.elem = t
		return t, nil
	})
}

func resolvePath(from *types.Package, text string, root func(*path, string) (types.Type, error)) (path, error) {
	words := strings.Split(text, ".")
	p := path{text: text, each: -1}
	first, many := strings.CutSuffix(words[0], "[]")
	t, err := root(&p, first)
	if err != nil {
		return p, err
	}
	shown := first
	for i := 0; ; i++ {
		if many {
			if p.each >= 0 {
				return p, fmt.Errorf("it has [] twice")
			}
			slice, ok := t.Underlying().(*types.Slice)
			if !ok {
				return p, fmt.Errorf("%s is no slice", shown)
			}
			t = slice.Elem()
			p.each, p.elem = len(p.steps), t
			shown += "[]"
		}
		if i+1 == len(words) {
			p.typ = t
			return p, nil
		}
		var name string
		name, many = strings.CutSuffix(words[i+1], "[]")
		if t, err = p.step(from, t, name, shown); err != nil {
			return p, err
		}
		shown += "." + name
	}
}

func (m *method) root(p *path, name string) (types.Type, error) {
	var known []string
	for i, param := range m.params {
		if param.name == name && name != "" {
			p.root = i
			return param.typ, nil
		}
		if param.name != "" {
			known = append(known, param.name)
		}
	}
	switch {
	case name == "result" && len(m.results) > 0:
		p.root = resultRoot
		return m.results[0].typ, nil
	case !token.IsIdentifier(name):
		return nil, fmt.Errorf("%q is no name of a parameter", name)
	case name == "result":
		return nil, fmt.Errorf("the method has no result besides the error")
	case len(known) == 0 && len(m.params) > 0:
		return nil, fmt.Errorf("there is no parameter %s: the method's parameters have no names; name them", name)
	case len(known) == 0:
		return nil, fmt.Errorf("there is no parameter %s", name)
	}
	return nil, fmt.Errorf("there is no parameter %s; there is %s", name, strings.Join(known, ", "))
}

// step follows one field or method, and spells embedded fields out.
func (p *path) step(from *types.Package, t types.Type, name, shown string) (types.Type, error) {
	name, call := strings.CutSuffix(name, "()")
	if !token.IsIdentifier(name) {
		return nil, fmt.Errorf("%q is no name of a field", name)
	}
	obj, index, _ := types.LookupFieldOrMethod(t, true, from, name)
	if obj == nil {
		return nil, fmt.Errorf("%s has no field %s", shown, name)
	}
	switch obj := obj.(type) {
	case *types.Func:
		sig := obj.Type().(*types.Signature) // functions have signatures
		switch {
		case !call:
			return nil, fmt.Errorf("%s.%s is a method: write %s()", shown, name, name)
		case sig.Params().Len() > 0 || sig.Results().Len() != 1:
			return nil, fmt.Errorf("%s.%s is no method without arguments and with one result", shown, name)
		}
		p.steps = append(p.steps, step{name: name, call: true, ptr: types.IsInterface(t)})
		return sig.Results().At(0).Type(), nil
	case *types.Var:
		if call {
			return nil, fmt.Errorf("%s.%s is a field: write it without ()", shown, name)
		}
		p.fields(t, index)
		return obj.Type(), nil
	}
	return nil, fmt.Errorf("%s.%s is no field", shown, name)
}

func (p *path) fields(t types.Type, index []int) {
	for _, i := range index {
		elem, ptr := deref(t)
		field := elem.Underlying().(*types.Struct).Field(i) // the lookup went through structs
		p.steps = append(p.steps, step{name: field.Name(), ptr: ptr})
		t = field.Type()
	}
}

func deref(t types.Type) (types.Type, bool) {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		return p.Elem(), true
	}
	return t, false
}

// expr returns the path as a Go expression over its root, between two of its
// steps, and the expressions on the way that must not be nil.
func (p *path) expr(root string, from, to int) (expr string, guards []string) {
	expr = root
	for _, s := range p.steps[from:to] {
		if s.ptr {
			guards = append(guards, expr)
		}
		expr += "." + s.name
		if s.call {
			expr += "()"
		}
	}
	return expr, guards
}

// whole returns a path without [] as an expression.
func (p *path) whole(root string) (string, []string) { return p.expr(root, 0, len(p.steps)) }

// slice returns what stands before [].
func (p *path) slice(root string) (string, []string) { return p.expr(root, 0, p.each) }

// element returns what stands behind [], over one element.
func (p *path) element(elem string) (string, []string) { return p.expr(elem, p.each, len(p.steps)) }

// guards returns the expressions before [] that must not be nil.
func (p *path) guards(root string) []string {
	to := len(p.steps)
	if p.each >= 0 {
		to = p.each
	}
	_, guards := p.expr(root, 0, to)
	return guards
}

// sliceText is the path up to its [] as text.
func (p *path) sliceText() string {
	text, _, _ := strings.Cut(p.text, "[]")
	return text
}
