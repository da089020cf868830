package gen

import (
	"bytes"
	_ "embed"
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/format"
	"go/types"
	"path/filepath"
	"strings"
	"text/template"
)

const (
	routedSuffix  = "_routed.go"
	compareSuffix = "_compare.go"
)

//go:embed routed.go.tmpl
var routedText string

var routedTemplate = template.Must(template.New("routed").Parse(routedText))

// file is one generated file in the making.
type file struct {
	pkg     *pkg
	names   *names
	imports *imports
}

// pkg plans the files of one package.
func (g *generator) pkg(p *plan, pkg *pkg, entities []*entity) error {
	names := newNames(pkg.Types)
	cs := newComparers(g, pkg, names)
	g.clashes(pkg, entities)
	sources := bySource(entities)
	for _, list := range sources {
		cs.file = list[0].source
		for _, e := range list {
			if e.bad {
				g.declareResults(e, names, cs)
			} else {
				g.declare(e, names, cs)
			}
		}
	}
	if len(g.ps.list) > 0 {
		return nil
	}
	for _, list := range sources {
		if err := g.files(p, pkg, names, list, cs); err != nil {
			return err
		}
	}
	return g.contracts(p, names, entities)
}

// clashes reports names that generated code cannot do without and that mean
// something else in this package.
func (g *generator) clashes(pkg *pkg, entities []*entity) {
	byName := map[string]*entity{}
	for _, e := range entities {
		if other := byName[e.name]; other != nil {
			g.ps.add(e.dir.pos, e.iface, "it and %s are both called %s: give one of them another name=", other.iface, e.name)
		}
		byName[e.name] = e
		for _, m := range e.methods {
			switch m.name {
			case "InTx", "Route", "route":
				g.problem(m, "the generated repository has a method %s itself: rename this one", m.name)
			}
		}
	}
	if len(entities) == 0 {
		return
	}
	for _, name := range types.Universe.Names() {
		obj := pkg.Types.Scope().Lookup(name)
		_, isType := types.Universe.Lookup(name).(*types.TypeName)
		if obj != nil && (isType || name == "nil" || name == "new") {
			g.ps.add(pkg.Fset.Position(obj.Pos()), name, "generated code uses the %s that Go declares: rename this one", name)
		}
	}
}

// bySource groups entities by the file that declares them, in order.
func bySource(entities []*entity) [][]*entity {
	var groups [][]*entity
	for _, e := range entities {
		if n := len(groups); n > 0 && groups[n-1][0].source == e.source {
			groups[n-1] = append(groups[n-1], e)
		} else {
			groups = append(groups, []*entity{e})
		}
	}
	return groups
}

// files writes the files that come from one source file.
func (g *generator) files(p *plan, pkg *pkg, names *names, list []*entity, cs *comparers) error {
	base := filepath.Join(pkg.dir, strings.TrimSuffix(list[0].source, ".go"))
	f := &file{pkg: pkg, names: names}
	routed, err := f.render(list[0], func() (string, error) { return f.routed(list) })
	if err != nil {
		return fmt.Errorf("%s: %w", base+routedSuffix, err)
	}
	p.content[base+routedSuffix] = routed
	var made []*comparer
	for _, c := range cs.made {
		if c.file == list[0].source {
			made = append(made, c)
		}
	}
	if len(made) == 0 {
		return nil
	}
	code, err := f.render(list[0], func() (string, error) { return f.compareCode(made), nil })
	if err != nil {
		return fmt.Errorf("%s: %w", base+compareSuffix, err)
	}
	p.content[base+compareSuffix] = code
	return nil
}

// render writes a file twice: the first time finds out which packages it
// imports, and the second knows their names from the start, so that no
// variable takes one.
func (f *file) render(e *entity, body func() (string, error)) ([]byte, error) {
	f.imports = newImports(f.names, f.pkg.Types, e.file)
	if _, err := body(); err != nil {
		return nil, err
	}
	text, err := body()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s%s; DO NOT EDIT.\n\n%spackage %s\n\n%s%s", headerStart, e.source, buildTag(e.file), f.pkg.Name, f.imports.block(), text)
	code, err := format.Source(out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("format generated code: %w", err)
	}
	return code, nil
}

// buildTag repeats the build constraint of the source file.
func buildTag(source *ast.File) string {
	for _, group := range source.Comments {
		for _, c := range group.List {
			if c.Pos() < source.Package && constraint.IsGoBuild(c.Text) {
				return c.Text + "\n\n"
			}
		}
	}
	return ""
}

func (f *file) routed(list []*entity) (string, error) {
	data := routedData{Repo: f.imports.std(repoPath)}
	for _, e := range list {
		data.Entities = append(data.Entities, f.entity(e))
	}
	var out bytes.Buffer
	if err := routedTemplate.Execute(&out, data); err != nil {
		return "", fmt.Errorf("fill in the template: %w", err)
	}
	return out.String(), nil
}

// declare settles the names of everything that is generated for an entity, and
// asks for its comparers.
func (g *generator) declare(e *entity, names *names, cs *comparers) {
	d := &e.decl
	title, low := upperFirst(e.iface), lowerFirst(e.iface)
	if e.exported() {
		d.routed, d.constructor = "Routed"+title, "NewRouted"+title
	} else {
		d.routed, d.constructor = "routed"+title, "newRouted"+title
	}
	for _, name := range []string{d.routed, d.constructor} {
		if names.taken(name) {
			g.ps.add(e.pos, e.iface, "%s is generated for it, and that name is declared already: rename one of them", name)
		}
		names.generated[name] = true
	}
	d.copier, d.keyText, d.keyOf = names.unique(low+"Copier"), names.unique(low+"KeyText"), names.unique(low+"KeyOf")
	if !e.tenant.none && e.tenant.codec.parts[0].needsParsing() {
		d.tenantOf = names.unique(low + "TenantOf")
	}
	if e.copier.needsAbsent() {
		d.absent = names.unique("err" + title + "NotFound")
	}
	for _, m := range e.methods {
		m.decl.op = names.unique("op" + title + upperFirst(m.name))
		if len(m.args()) > 1 {
			m.decl.args, m.decl.fields = names.unique(low+upperFirst(m.name)+"Args"), m.argFields()
		}
	}
	g.declareResults(e, names, cs)
	d.diff = cs.of(e.copier.value, nil, tag{})
}

// declareResults asks for the comparers of an entity's reads.
func (g *generator) declareResults(e *entity, names *names, cs *comparers) {
	for _, m := range e.methods {
		if len(m.results) > 1 {
			m.decl.result, m.decl.resultFields = names.unique(lowerFirst(e.iface)+upperFirst(m.name)+"Result"), m.resultFieldNames()
		}
		if m.verb == verbRead || m.verb == verbList {
			m.decl.diff = cs.result(m, m.decl.result, m.decl.resultFields)
		}
	}
}

// entityDecl and methodDecl are the names of generated declarations.
type entityDecl struct {
	routed, constructor, copier, keyText, keyOf, tenantOf, absent string

	diff *function
}

type methodDecl struct {
	op, args, result     string
	fields, resultFields []string
	diff                 *function
}

// argFields returns the field of the argument struct for each argument.
func (m *method) argFields() []string {
	var fields []string
	used := map[string]bool{}
	for _, i := range m.args() {
		fields = append(fields, uniqueField(used, m.params[i].name, i+1))
	}
	return fields
}

func (m *method) resultFieldNames() []string {
	var fields []string
	used := map[string]bool{}
	for i, r := range m.results {
		name := r.name
		if name == "" {
			if named := typeName(r.typ); named != nil && named.Pkg() != nil {
				name = named.Name()
			} else if slice, ok := r.typ.Underlying().(*types.Slice); ok && typeName(slice.Elem()) != nil {
				name = typeName(slice.Elem()).Name() + "s"
			}
		}
		fields = append(fields, uniqueField(used, name, i+1))
	}
	return fields
}

func uniqueField(used map[string]bool, name string, number int) string {
	field := fieldName(name)
	if name == "" {
		field = fmt.Sprintf("Value%d", number)
	}
	free := field
	for i := 2; used[free]; i++ {
		free = fmt.Sprintf("%s%d", field, i)
	}
	used[free] = true
	return free
}
