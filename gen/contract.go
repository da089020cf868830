package gen

import (
	"bytes"
	"fmt"
	"go/format"
	"go/token"
	"go/types"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	contractPath   = "github.com/crossfade-db/crossfade/crossfadetest"
	contractFolder = "test" // behind the package's name
)

// contractFile is the description of an entity for the tests of its versions,
// in a package of its own, in the making.
type contractFile struct {
	*file
	e        *entity
	domain   *names // of the entity's own package
	entity   string // the name of the description
	spread   string
	function string // that makes a spread
	iface    string
}

// contracts plans the packages that describe those entities of a package to
// crossfadetest that crossfade.yaml lists.
func (g *generator) contracts(p *plan, domain *names, entities []*entity) error {
	var listed []*entity
	for _, e := range entities {
		if g.tested(e) {
			listed = append(listed, e)
		}
	}
	for _, e := range listed {
		if err := g.contract(p, domain, e, len(listed) > 1); err != nil {
			return err
		}
	}
	return nil
}

// contract plans the package that describes an entity to package crossfadetest.
// several says that the entity shares that package with others. What the
// package cannot name is a problem.
func (g *generator) contract(p *plan, domain *names, e *entity, several bool) error {
	before := len(g.ps.list)
	g.contractable(e)
	if len(g.ps.list) > before {
		return nil
	}
	name := e.pkg.Name + contractFolder
	path := filepath.Join(e.pkg.dir, name, e.source)
	c := &contractFile{e: e, domain: domain, entity: "Entity", spread: "spread", function: "Spread"}
	if several {
		c.entity, c.spread, c.function = e.iface+"Entity", "spread"+e.iface, "Spread"+e.iface
	}
	code, err := c.render(name)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	p.content[path] = code
	return nil
}

// contractable reports what another package cannot name.
func (g *generator) contractable(e *entity) {
	remedy := "the tests of the versions are in a package of their own: export it"
	if !e.exported() {
		g.ps.add(e.pos, e.iface, "%s", remedy)
	}
	for _, m := range e.methods {
		if !token.IsExported(m.name) {
			g.problem(m, "%s", remedy)
		}
		for v := range m.sig.Params().Variables() {
			g.exportedType(m, v.Type(), remedy)
		}
		for v := range m.sig.Results().Variables() {
			g.exportedType(m, v.Type(), remedy)
		}
	}
}

func (g *generator) exportedType(m *method, t types.Type, remedy string) {
	var hidden string
	walkNamed(t, func(obj *types.TypeName) {
		if obj.Pkg() != nil && !obj.Exported() {
			hidden = obj.Name()
		}
	})
	if hidden != "" {
		g.problem(m, "its type %s is not exported; %s", hidden, remedy)
	}
}

// walkNamed visits the named types that a type is written with.
func walkNamed(t types.Type, visit func(*types.TypeName)) {
	if named := typeName(t); named != nil {
		visit(named)
		if n, ok := types.Unalias(t).(*types.Named); ok {
			for arg := range n.TypeArgs().Types() {
				walkNamed(arg, visit)
			}
		}
		return
	}
	switch t := t.(type) {
	case *types.Map:
		walkNamed(t.Key(), visit)
		walkNamed(t.Elem(), visit)
	case *types.Signature:
		for v := range t.Params().Variables() {
			walkNamed(v.Type(), visit)
		}
	default:
		if elem := elemOf(t); elem != nil {
			walkNamed(elem, visit)
		}
	}
}

// render writes the file twice, as file.render does.
func (c *contractFile) render(name string) ([]byte, error) {
	self := types.NewPackage(c.e.pkg.PkgPath+"/"+name, name)
	names := newNames(self)
	for _, declared := range []string{c.entity, c.spread, c.function, "d", "each", "i", "target"} {
		names.generated[declared] = true
	}
	for _, m := range c.e.methods {
		names.generated[c.argsName(m)] = true
		names.generated[c.answerName(m)] = true
	}
	c.file = &file{pkg: c.e.pkg, names: names, imports: newImports(names, self, c.e.file)}
	c.body()
	text := c.body()
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s%s; DO NOT EDIT.\n\n%s// Package %s describes %s.%s to package crossfadetest. Nothing but tests\n// imports it.\npackage %s\n\n%s%s",
		headerStart, c.e.source, buildTag(c.e.file), name, c.e.pkg.Name, c.e.iface, name, c.imports.block(), text)
	code, err := format.Source(out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("format generated code: %w", err)
	}
	return code, nil
}

func (c *contractFile) argsName(m *method) string { return c.prefix(m) + "Args" }

func (c *contractFile) answerName(m *method) string { return c.prefix(m) + "Answer" }

func (c *contractFile) prefix(m *method) string {
	if c.entity != "Entity" {
		return lowerFirst(c.e.iface) + m.name
	}
	return lowerFirst(m.name)
}

func (c *contractFile) body() string {
	test := c.imports.std(contractPath)
	c.iface = c.imports.qualifier(c.e.pkg.Types) + "." + c.e.iface
	var out strings.Builder
	fmt.Fprintf(&out, "\n// %s is %s for crossfadetest.\nvar %s = %s.Entity[%s]{\nName: %s,\nSpread: %s,\nNotFound: %s,\nGet: %q,\n%sOperations: []%s.Method[%s]{\n",
		c.entity, c.iface, c.entity, test, c.iface, strconv.Quote(c.e.name), c.function, c.notFound(), c.e.copier.get.name, c.enums(), test, c.iface)
	var structs strings.Builder
	for _, m := range c.e.methods {
		o := &contractOperation{contractFile: c, m: m, fields: m.contractFields(), results: m.resultFieldNames()}
		if why := o.unfit(); why != "" {
			fmt.Fprintf(&out, "// %s is left out: %s.\n", m.name, why)
			continue
		}
		out.WriteString(o.code())
		structs.WriteString(o.structs())
	}
	out.WriteString("},\n}\n")
	out.WriteString(structs.String())
	out.WriteString(c.spreadCode())
	return out.String()
}

// notFound writes the function that tells a key that is absent from other errors.
func (c *contractFile) notFound() string {
	m := c.e.copier.missing
	never := "func(error) bool { return false }"
	name := m.name
	if m.form != missingNil {
		if !token.IsExported(m.name) {
			return never
		}
		name = c.imports.qualifier(m.pkg) + "." + m.name
	}
	switch m.form {
	case missingIs:
		return fmt.Sprintf("func(err error) bool { return %s.Is(err, %s) }", c.imports.std("errors"), name)
	case missingAs:
		if m.ptr {
			name = "*" + name
		}
		return fmt.Sprintf("func(err error) bool {\nvar target %s\nreturn %s.As(err, &target)\n}", name, c.imports.std("errors"))
	case missingFunc:
		return name
	}
	return never
}

// enums draws values of string and number types that have constants from those.
func (c *contractFile) enums() string {
	var list []string
	seen := map[types.Type]bool{}
	for _, m := range c.e.methods {
		for _, p := range m.params {
			c.findEnums(p.typ, seen, &list)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return fmt.Sprintf("Options: []%s.Option{\n%s,\n},\n", c.imports.std(contractPath), strings.Join(list, ",\n"))
}

func (c *contractFile) findEnums(t types.Type, seen map[types.Type]bool, list *[]string) {
	t = types.Unalias(t)
	if t == nil || seen[t] {
		return
	}
	seen[t] = true
	named, isNamed := t.(*types.Named)
	switch under := t.Underlying().(type) {
	case *types.Basic:
		if isNamed && named.Obj().Exported() && named.Obj().Pkg() != nil {
			if constants := constantsOf(named); len(constants) > 1 {
				for i, name := range constants {
					constants[i] = c.imports.qualifier(named.Obj().Pkg()) + "." + name
				}
				*list = append(*list, fmt.Sprintf("%s.OfType(%s.SampledFrom([]%s{%s}))", c.imports.std(contractPath),
					c.imports.std("pgregory.net/rapid"), c.show(named), strings.Join(constants, ", ")))
			}
		}
	case *types.Struct:
		for f := range under.Fields() {
			if f.Exported() {
				c.findEnums(f.Type(), seen, list)
			}
		}
	case *types.Map:
		c.findEnums(under.Key(), seen, list)
		c.findEnums(under.Elem(), seen, list)
	case *types.Signature:
	default:
		c.findEnums(elemOf(t), seen, list)
	}
}

// constantsOf returns the exported constants of a type, in the order of their names.
func constantsOf(named *types.Named) (found []string) {
	scope := named.Obj().Pkg().Scope()
	for _, name := range scope.Names() {
		if constant, ok := scope.Lookup(name).(*types.Const); ok && constant.Exported() && types.Identical(constant.Type(), named) {
			found = append(found, name)
		}
	}
	if len(found) > 30 || named.Obj().Pkg().Path() == "time" {
		return nil
	}
	return found
}

// spreadCode writes the implementation that asks for each call who serves it.
func (c *contractFile) spreadCode() string {
	var out strings.Builder
	pick := newScope(c.imports).local("pick")
	fmt.Fprintf(&out, "\n// %s returns %s whose every call goes to whom pick names.\nfunc %s(%s func() %s) %s { return %s(%s) }\n\ntype %s func() %s\n",
		c.function, article(c.iface), c.function, pick, c.iface, c.iface, c.spread, pick, c.spread, c.iface)
	for _, m := range c.e.methods {
		s := newScope(c.imports)
		recv, ctx := s.local("s"), s.local("ctx")
		params, args := []string{ctx + " " + c.imports.std("context") + ".Context"}, []string{ctx}
		for i, p := range m.params {
			name := p.name
			if name == "" {
				name = fmt.Sprintf("arg%d", i+1)
			}
			name = s.param(name)
			typ, arg := c.show(p.typ), name
			if m.variadic && i == len(m.params)-1 {
				typ, arg = "..."+c.show(p.typ.(*types.Slice).Elem()), name+"..."
			}
			params, args = append(params, name+" "+typ), append(args, arg)
		}
		var results []string
		for _, r := range m.results {
			results = append(results, c.show(r.typ))
		}
		if m.stream != seqStream {
			results = append(results, "error")
		}
		fmt.Fprintf(&out, "\nfunc (%s %s) %s(%s) %s {\nreturn %s().%s(%s)\n}\n", recv, c.spread, m.name,
			strings.Join(params, ", "), tuple(results), recv, m.name, strings.Join(args, ", "))
	}
	return out.String()
}

func article(name string) string {
	if strings.ContainsRune("AEIOUaeiou", rune(name[0])) {
		return "an " + name
	}
	return "a " + name
}
