package gen

import (
	"bytes"
	"fmt"
	"go/format"
	"go/types"
	"path/filepath"
	"strings"
)

const (
	versionSuffixGo = "_version.go"

	postgresPath = "github.com/crossfade-db/crossfade/repo/postgres"
	gormtxPath   = "github.com/crossfade-db/crossfade/repo/postgres/gormtx"
	pgxPath      = "github.com/jackc/pgx/v5"
	gormPath     = "gorm.io/gorm"
	clausePath   = "gorm.io/gorm/clause"
)

// versionCode is the file of one version in the making. First everything is
// decided; then it is written, twice, as render does.
type versionCode struct {
	*file
	g *generator
	v *version

	queries     *queryPackage // over sqlc
	model       types.Type    // over GORM
	plans       []*methodPlan
	conversions []*conversion
	mapper      []*mapperMethod
	mapperNames *names
	notFound    *mapperMethod
	entityNoun  string
	importNames map[string]bool
	depth       int
	gormPlan    gormPlan
}

// methodPlan is one method over sqlc, decided.
type methodPlan struct {
	m      *method
	q      *query
	elem   int // the parameter whose elements a batch takes, or -1
	args   []argument
	params *mapperMethod
	result *valueCopy
	count  bool // the result is the number of rows
}

func newVersionCode(g *generator, v *version) *versionCode {
	c := &versionCode{g: g, v: v, file: &file{pkg: v.pkg, names: newNames(v.pkg.Types)}}
	for _, name := range []string{"Repository", "New", "Mapper", "Factory", "mapping"} {
		c.names.generated[name] = true
	}
	c.mapperNames = &names{user: map[string]bool{}, generated: map[string]bool{}}
	if len(v.entity.methods) > 0 {
		c.entityNoun = c.noun(v.entity.methods[0])
	}
	return c
}

// say names a type in comments and problems.
func (c *versionCode) say(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == c.v.pkg.Types {
			return ""
		}
		return p.Name()
	})
}

// domain is what the entity's get returns, without a pointer.
func (c *versionCode) domain() types.Type {
	t := c.v.entity.copier.value
	if typeName(t) == nil {
		t, _ = deref(t)
	}
	return t
}

// nameable reports whether the version's package can write a type down.
func (c *versionCode) nameable(t types.Type) bool {
	return (&comparers{self: c.v.pkg.Types}).nameable(t)
}

// wanted returns the methods that are generated, in the order of the interface:
// those that nobody wrote by hand. It reports what cannot be written outside of
// the interface's package.
func (c *versionCode) wanted() []*method {
	var list []*method
	for _, m := range c.v.entity.methods {
		if c.v.hand.methods[m.name] != nil {
			continue
		}
		if c.speakable(m) {
			list = append(list, m)
		}
	}
	return list
}

func (c *versionCode) speakable(m *method) bool {
	all := []types.Type{}
	for _, p := range m.params {
		all = append(all, p.typ)
	}
	for _, r := range m.results {
		all = append(all, r.typ)
	}
	for _, t := range all {
		if !c.nameable(t) {
			c.g.problem(m, "version %s cannot write down its type %s: export it", c.v.Name, c.say(t))
			return false
		}
	}
	return true
}

// plan renders the file and, where it is asked for and not there, mapping.go.
func (c *versionCode) plan(p *plan, path string) error {
	mapping := filepath.Join(c.v.dir, "mapping.go")
	if len(c.mapper) > 0 && c.v.object("mapping") == nil {
		if _, there := p.content[mapping]; there || exists(mapping) {
			c.g.ps.add(c.v.Package.Pos, c.v.where, "mapping.go is there and declares no type mapping: add `type mapping struct{}` to it, which implements Mapper")
			return nil
		}
		text, err := c.mappingFile()
		if err != nil {
			return err
		}
		p.scaffold[mapping] = text
		for _, m := range c.mapper {
			p.unwritten = append(p.unwritten, scaffoldProblem(c.g.ps.dir, mapping, text, c.v.where, m))
		}
	}
	p.unwritten = append(p.unwritten, c.unwritten()...)
	code, err := c.render()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	p.content[path] = code
	return nil
}

// render writes the file twice: the first time finds out which packages it
// imports, and the second knows their names from the start.
func (c *versionCode) render() ([]byte, error) {
	c.imports = newImports(c.names, c.pkg.Types, c.v.entity.file)
	c.body()
	c.importNames = c.imports.byName
	text := c.body()
	var out bytes.Buffer
	from := fmt.Sprintf("crossfade.yaml and %s", c.v.entity.source)
	if c.queries != nil {
		from = fmt.Sprintf("crossfade.yaml, %s and package %s", c.v.entity.source, c.queries.Name)
	}
	fmt.Fprintf(&out, "%s%s; DO NOT EDIT.\n\n%spackage %s\n\n%s%s", headerStart, from, buildTag(c.v.entity.file), c.pkg.Name, c.imports.block(), text)
	code, err := format.Source(out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("format generated code: %w\n%s", err, out.Bytes())
	}
	return code, nil
}

func (c *versionCode) body() string {
	if c.queries == nil {
		return c.gormBody()
	}
	return c.sqlcBody()
}

// iface names the entity's interface in generated code.
func (c *versionCode) iface() string {
	return c.show(c.v.entity.pkg.Types.Scope().Lookup(c.v.entity.iface).Type())
}

func (c *versionCode) sqlcBody() string {
	var out strings.Builder
	queries, postgres := c.imports.named(c.queries.Types.Path(), c.queries.Name), c.imports.std(postgresPath)
	iface := c.iface()
	mapper, value := "", ""
	if len(c.mapper) > 0 {
		mapper, value = "m Mapper\n", ", m: "+c.mappingValue()
	}
	fmt.Fprintf(&out, "\n// Repository is %s by the queries of package %s. Methods of it that\n"+
		"// this package declares elsewhere are not generated.\n"+
		"type Repository struct {\nq *%s.Queries\ndb %s.DBTX\n%s}\n\nvar _ %s = (*Repository)(nil)\n",
		iface, queries, queries, postgres, mapper, iface)
	if c.v.object("New") == nil {
		s := newScope(c.imports)
		db := s.local("db")
		arg := db
		if !c.queries.newArg {
			arg = ""
		}
		fmt.Fprintf(&out, "\n// New returns the repository on a transaction in progress, a snapshot or a pool.\n"+
			"func New(%s %s.DBTX) %s {\nreturn &Repository{q: %s.New(%s), db: %s%s}\n}\n", db, postgres, iface, queries, arg, db, value)
	}
	out.WriteString(c.mapperCode())
	for _, p := range c.plans {
		out.WriteString((&sqlcMethod{versionCode: c, methodPlan: p}).code())
	}
	out.WriteString(c.conversionsCode())
	return out.String()
}

func (c *versionCode) mappingValue() string {
	if c.v.hand.byPtr {
		return "&mapping{}"
	}
	return "mapping{}"
}

// zero writes the zero value of a type.
func (c *versionCode) zero(t types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Struct, *types.Array:
		return c.show(t) + "{}"
	case *types.Basic:
		switch info := u.Info(); {
		case info&types.IsString != 0:
			return `""`
		case info&types.IsBoolean != 0:
			return "false"
		case info&types.IsNumeric != 0:
			return "0"
		}
	}
	return "nil"
}
