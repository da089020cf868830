package gen

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
)

// entity is one annotated interface.
type entity struct {
	pkg    *pkg
	source string // the file that declares it, without its folder
	iface  string // the interface's name
	name   string // what operations and mismatches call it
	pos    token.Position
	dir    *directive
	file   *ast.File

	tenant  tenantRule
	methods []*method
	key     codec // of the keys role
	copier  copier
	decl    entityDecl
	bad     bool // a problem was reported: only what its results are made of is looked at
}

// tenantRule says where the tenant of a method comes from.
type tenantRule struct {
	none   bool
	broken bool   // a problem was reported
	param  string // "" means a parameter called tenant or tenantID
	typ    types.Type
	codec  codec
}

func (e *entity) exported() bool { return token.IsExported(e.iface) }

// entities returns the annotated interfaces of a package in the order of files
// and lines; what cannot be understood is reported.
func (g *generator) entities(p *pkg) []*entity {
	var found []*entity
	for _, file := range p.Syntax {
		for _, decl := range file.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok || d.Tok != token.TYPE {
				continue
			}
			for _, spec := range d.Specs {
				ts := spec.(*ast.TypeSpec) // type declarations hold nothing else
				if e := g.entity(p, file, ts, typeDoc(d, ts)); e != nil {
					found = append(found, e)
				}
			}
		}
	}
	slices.SortStableFunc(found, func(a, b *entity) int { return strings.Compare(a.source, b.source) })
	return found
}

func typeDoc(d *ast.GenDecl, ts *ast.TypeSpec) *ast.CommentGroup {
	if ts.Doc == nil && !d.Lparen.IsValid() {
		return d.Doc
	}
	return ts.Doc
}

func (g *generator) entity(p *pkg, file *ast.File, ts *ast.TypeSpec, doc *ast.CommentGroup) *entity {
	var dir *directive
	for _, d := range p.directives.of(doc) {
		if d.verb != verbEntity {
			continue // a stray
		}
		d.used = true
		if dir != nil {
			g.ps.add(d.pos, ts.Name.Name, "it has two %s%s lines: join them", marker, verbEntity)
			continue
		}
		dir = d
	}
	if dir == nil {
		return nil
	}
	pos := p.Fset.Position(ts.Pos())
	e := &entity{
		pkg: p, file: file, iface: ts.Name.Name, name: ts.Name.Name, pos: pos, dir: dir,
		source: filepath.Base(p.Fset.File(ts.Pos()).Name()),
	}
	if name, ok := dir.get("name"); ok {
		e.name = name
	}
	// The directives below an interface that is refused are no strays.
	declared, err := g.declared(p, ts.Type, 0)
	for _, d := range declared {
		d.use()
	}
	if err != nil {
		p.directives.use(ts.Pos(), ts.End())
	}
	if err == nil {
		err = e.check(ts)
	}
	if err != nil {
		g.ps.add(pos, e.iface, "%v", err)
		return nil
	}
	before := len(g.ps.list)
	g.readTenantRule(e)
	g.methods(e, declared)
	if !e.tenant.broken {
		g.roles(e)
	}
	e.bad = len(g.ps.list) > before
	return e
}

// check refuses what cannot be wrapped.
func (e *entity) check(ts *ast.TypeSpec) error {
	if ts.TypeParams != nil {
		return fmt.Errorf("it has type parameters: declare an interface without any, `type X interface{ %s[...] }`, and annotate that", e.iface)
	}
	obj := e.pkg.Types.Scope().Lookup(e.iface)
	if obj == nil {
		return fmt.Errorf("it cannot be found in its package")
	}
	iface, ok := obj.Type().Underlying().(*types.Interface)
	switch {
	case !ok:
		return fmt.Errorf("%s%s stands above a type that is no interface: put it above the repository's interface", marker, verbEntity)
	case !iface.IsMethodSet():
		return fmt.Errorf("it is a constraint and not an interface of methods")
	case iface.NumMethods() == 0:
		return fmt.Errorf("it has no methods")
	}
	return nil
}

func (e *entity) methodSet() *types.Interface {
	return e.pkg.Types.Scope().Lookup(e.iface).Type().Underlying().(*types.Interface) // check has seen it
}

// declaredMethod is a method as it is written in some interface.
type declaredMethod struct {
	name    string
	dirs    []*directive
	doc     []string // lines of text, without directives
	params  []string // names as written, "" where there is none
	results []string
	pkg     *pkg
	node    *ast.Field

	site    *ast.Field // where another package embeds it
	sitePkg *pkg
}

// pos is where the method is written, or where the package that embeds it does so.
func (d *declaredMethod) pos() token.Position {
	if d.site != nil {
		return d.sitePkg.Fset.Position(d.site.Pos())
	}
	return d.pkg.Fset.Position(d.node.Pos())
}

func (d *declaredMethod) use() {
	for _, line := range d.dirs {
		line.used = true
	}
}

// text returns the directives as one string, to compare them.
func (d *declaredMethod) text() string {
	var all []string
	for _, dir := range d.dirs {
		all = append(all, fmt.Sprint(dir.verb, dir.args))
	}
	return strings.Join(all, "\n")
}

// declared returns the methods of an interface type in the order in which they
// are written, those of embedded interfaces included, wherever they come from.
// A method that is written out hides the directives of an embedded one.
func (g *generator) declared(p *pkg, expr ast.Expr, depth int) ([]*declaredMethod, error) {
	if depth > 50 {
		return nil, fmt.Errorf("its embedded interfaces go in circles")
	}
	switch expr := expr.(type) {
	case *ast.ParenExpr:
		return g.declared(p, expr.X, depth+1)
	case *ast.InterfaceType:
		return g.declaredIn(p, expr, depth)
	case *ast.Ident, *ast.SelectorExpr, *ast.IndexExpr, *ast.IndexListExpr:
		obj := typeName(p.TypesInfo.TypeOf(expr))
		if obj == nil || obj.Pkg() == nil {
			return nil, nil // error, any, or what does not type-check
		}
		origin, spec, err := g.loader.spec(obj.Pkg().Path(), obj.Name())
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", obj.Name(), err)
		}
		return g.declared(origin, spec.Type, depth+1)
	}
	return nil, nil // parts of a constraint, or no interface: refused elsewhere
}

func (g *generator) declaredIn(p *pkg, iface *ast.InterfaceType, depth int) ([]*declaredMethod, error) {
	var all []*declaredMethod
	explicit := map[string]bool{}
	for _, field := range iface.Methods.List {
		for _, name := range field.Names {
			explicit[name.Name] = true
		}
	}
	for _, field := range iface.Methods.List {
		if len(field.Names) > 0 {
			all = append(all, newDeclared(p, field))
			continue
		}
		embedded, err := g.declared(p, field.Type, depth+1)
		if err != nil {
			return nil, err
		}
		for _, m := range embedded {
			if m.pkg != p && m.sitePkg != p {
				m.site, m.sitePkg = field, p
			}
			if explicit[m.name] {
				m.use()
				continue
			}
			if all, err = mergeDeclared(all, m); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

func mergeDeclared(all []*declaredMethod, m *declaredMethod) ([]*declaredMethod, error) {
	at := slices.IndexFunc(all, func(have *declaredMethod) bool { return have.name == m.name })
	switch {
	case at < 0:
		return append(all, m), nil
	case len(m.dirs) == 0:
		return all, nil
	case len(all[at].dirs) == 0:
		all[at] = m
		return all, nil
	case all[at].text() != m.text():
		all[at].use()
		m.use()
		return nil, fmt.Errorf("%s is embedded twice with different directives: write the method into the interface itself, with its directive", m.name)
	}
	m.use()
	return all, nil
}

func newDeclared(p *pkg, field *ast.Field) *declaredMethod {
	d := &declaredMethod{name: field.Names[0].Name, pkg: p, node: field, dirs: p.directives.of(field.Doc)}
	if field.Doc != nil {
		d.doc = docLines(field.Doc)
	}
	if f, ok := field.Type.(*ast.FuncType); ok {
		d.params, d.results = fieldNames(f.Params), fieldNames(f.Results)
	}
	return d
}

// docLines returns the text of a comment without directives and empty ends.
func docLines(doc *ast.CommentGroup) []string {
	text := strings.TrimSpace(doc.Text())
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func fieldNames(list *ast.FieldList) []string {
	if list == nil {
		return nil
	}
	var names []string
	for _, f := range list.List {
		if len(f.Names) == 0 {
			names = append(names, "")
		}
		for _, n := range f.Names {
			name := n.Name
			if name == "_" {
				name = ""
			}
			names = append(names, name)
		}
	}
	return names
}

// typeName returns the name under which a type was written, if it has one.
func typeName(t types.Type) *types.TypeName {
	switch t := t.(type) {
	case *types.Alias:
		return t.Obj()
	case *types.Named:
		return t.Obj()
	}
	return nil
}
