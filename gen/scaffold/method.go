package scaffold

import (
	"go/ast"
	"path"
	"slices"
	"strings"
)

// method is one of an annotated interface.
type method struct {
	name    string
	verb    string
	words   map[string]string // of its directive
	typ     *ast.FuncType
	params  []param    // without the context
	results []ast.Expr // without the error
	source  *packageSource
	file    *ast.File // whose imports its types are named by
}

type param struct {
	name string
	typ  ast.Expr
}

// methods returns the interface's methods, those of embedded interfaces of this
// module included, and names those interfaces that were not found.
func (e *Entity) methods() (all []method, unknown []string) {
	return e.source.methods(e.iface, e.file, 0)
}

func (p *packageSource) methods(iface *ast.InterfaceType, file *ast.File, depth int) (all []method, unknown []string) {
	add := func(ms ...method) {
		for _, m := range ms {
			if !slices.ContainsFunc(all, func(have method) bool { return have.name == m.name }) {
				all = append(all, m)
			}
		}
	}
	for _, field := range iface.Methods.List { // what is written out comes before what is embedded
		if typ, ok := field.Type.(*ast.FuncType); ok && len(field.Names) == 1 {
			add(p.method(field, typ, file))
		}
	}
	for _, field := range iface.Methods.List {
		if len(field.Names) > 0 {
			continue
		}
		from, embedded, in := p.lookUp(field.Type, file)
		if embedded == nil || depth > 20 {
			unknown = append(unknown, exprText(field.Type))
			continue
		}
		more, missing := from.methods(embedded, in, depth+1)
		add(more...)
		unknown = append(unknown, missing...)
	}
	return all, unknown
}

// lookUp finds the interface that an expression names, in this module.
func (p *packageSource) lookUp(expr ast.Expr, file *ast.File) (*packageSource, *ast.InterfaceType, *ast.File) {
	switch x := expr.(type) {
	case *ast.Ident:
		for _, f := range p.files {
			if iface, ok := typeIn(f, x.Name).(*ast.InterfaceType); ok {
				return p, iface, f
			}
		}
	case *ast.SelectorExpr:
		if from := p.imported(x.X, file); from != nil {
			return from.lookUp(x.Sel, nil)
		}
	}
	return nil, nil, nil // type arguments would have to be put in
}

// imported returns a package of this module by the name that a file gives it.
func (p *packageSource) imported(name ast.Expr, file *ast.File) *packageSource {
	ident, ok := name.(*ast.Ident)
	if !ok || file == nil {
		return nil
	}
	rel, inside := strings.CutPrefix(importOf(file, ident.Name), p.mod.path+"/")
	f := p.mod.folders[dotted(rel)]
	if !inside || f == nil {
		return nil
	}
	return p.mod.parse(f)
}

// importOf returns the path of the package that a file calls by a name.
func importOf(file *ast.File, name string) string {
	for _, spec := range file.Imports {
		at := unquoted(spec.Path.Value)
		if spec.Name != nil && spec.Name.Name == name || spec.Name == nil && importName(at) == name {
			return at
		}
	}
	return ""
}

// importName guesses a package's name from its path.
func importName(at string) string {
	base := path.Base(at)
	if versionFolder.MatchString(base) && path.Dir(at) != "." {
		if dir := path.Base(path.Dir(at)); strings.Contains(at, ".") && !strings.Contains(dir, ".") && isMajor(base) {
			return dir
		}
	}
	base, _, _ = strings.Cut(strings.TrimPrefix(base, "go-"), ".v")
	return base
}

// isMajor tells whether an element of a path is a major version: v2, v5.
func isMajor(base string) bool {
	return len(base) > 1 && strings.Trim(base[1:], "0123456789") == "" && base != "v1" && base != "v0"
}

func typeIn(file *ast.File, name string) ast.Expr {
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range group.Specs {
			if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.Name == name && ts.TypeParams == nil {
				return ts.Type
			}
		}
	}
	return nil
}

func (p *packageSource) method(field *ast.Field, typ *ast.FuncType, file *ast.File) method {
	m := method{name: field.Names[0].Name, typ: typ, source: p, file: file}
	m.verb, m.words = directive(field.Doc)
	m.params = named(typ.Params)
	if len(m.params) > 0 && exprText(m.params[0].typ) == "context.Context" {
		m.params = m.params[1:]
	}
	for _, result := range named(typ.Results) {
		m.results = append(m.results, result.typ)
	}
	if n := len(m.results); n > 0 && exprText(m.results[n-1]) == "error" {
		m.results = m.results[:n-1]
	}
	return m
}

// named lists parameters one by one.
func named(list *ast.FieldList) (all []param) {
	if list == nil {
		return nil
	}
	for _, field := range list.List {
		if len(field.Names) == 0 {
			all = append(all, param{"", field.Type})
		}
		for _, name := range field.Names {
			all = append(all, param{name.Name, field.Type})
		}
	}
	return all
}

// keyPaths are the paths of the first key= or keys= of a method, and whether it
// has many keys.
func (m method) keyPaths() (paths []string, many bool) {
	if text := m.words["key"]; text != "" {
		return strings.Split(text, ","), false
	}
	if text := m.words["keys"]; text != "" {
		return strings.Split(strings.ReplaceAll(text, "[]", ""), ","), true
	}
	return nil, false
}

// pathColumn is the column that a path's end names: c.TenantID is tenant_id.
func pathColumn(path string) string { return snake(path[strings.LastIndex(path, ".")+1:]) }

// pathRoot is the parameter that a path begins at.
func pathRoot(path string) string {
	root, _, _ := strings.Cut(path, ".")
	return root
}

// exprText writes simple expressions of types.
func exprText(expr ast.Expr) string {
	switch x := expr.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return exprText(x.X) + "." + x.Sel.Name
	case *ast.StarExpr:
		return "*" + exprText(x.X)
	case *ast.ArrayType:
		if x.Len == nil {
			return "[]" + exprText(x.Elt)
		}
		return "[...]" + exprText(x.Elt)
	case *ast.Ellipsis:
		return "..." + exprText(x.Elt)
	case *ast.IndexExpr:
		return exprText(x.X) + "[...]"
	case *ast.IndexListExpr:
		return exprText(x.X) + "[...]"
	}
	return "?"
}

// bare takes pointers, slices and variadics off a type.
func bare(expr ast.Expr) (inner ast.Expr, slice bool) {
	for {
		switch x := expr.(type) {
		case *ast.StarExpr:
			expr = x.X
		case *ast.Ellipsis:
			expr, slice = x.Elt, true
		case *ast.ArrayType:
			if x.Len != nil || exprText(x.Elt) == "byte" {
				return expr, slice
			}
			expr, slice = x.Elt, true
		default:
			return expr, slice
		}
	}
}
