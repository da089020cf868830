package scaffold

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/types"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/crossfade-db/crossfade/gen/config"
)

// load reads crossfade.yaml without looking for the folders that it names.
func load(at string) (*config.Config, error) {
	source, err := os.ReadFile(at)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return config.Parse(at, source)
}

func (a *addition) schemaText() string {
	return fmt.Sprintf("-- The tables of version %s of %s: a beginning, made from %s. Change it as you like;\n"+
		"-- sqlc reads it, and your migrations create it.\n%s", a.version.Name, a.entity.Name, a.from(), a.table.create())
}

// from says what the tables are made from.
func (a *addition) from() string {
	if a.table.noun == "" {
		return a.entity.source.name + "." + a.entity.Interface
	}
	return a.entity.source.name + "." + a.table.noun
}

func (a *addition) queriesText() string {
	var text strings.Builder
	fmt.Fprintf(&text, "-- One query for each method of %s.%s: a beginning, change it as you like.\n"+
		"-- A method is answered by the query of its name, or of its name and the struct's (Get, GetCustomer).\n", a.entity.source.name, a.entity.Interface)
	if _, unknown := a.entity.methods(); len(unknown) > 0 {
		fmt.Fprintf(&text, "-- Methods that it embeds from %s are not here: `crossfade gen` says what they need.\n", strings.Join(unknown, ", "))
	}
	for _, m := range a.methods {
		text.WriteString("\n" + a.entity.query(&a.table, m))
	}
	return text.String()
}

// packageName is the version's package.
func (a *addition) packageName() string {
	return strings.ToLower(strings.ReplaceAll(path.Base(a.version.Package), "-", "_"))
}

func (a *addition) docText() string {
	return fmt.Sprintf("// Package %s keeps %s in the tables of schema.sql, by the queries of queries.sql.\npackage %[1]s\n", a.packageName(), a.entity.Name)
}

// goText writes Go code, whose imports become known on the way.
type goText struct {
	a       *addition
	imports []string
}

func (g *goText) use(at string) {
	if at != "" && !slices.Contains(g.imports, at) {
		g.imports = append(g.imports, at)
	}
}

// file puts a file together: a comment, the imports and the code. Code that
// cannot be formatted is returned as it is.
func (g *goText) file(comment, code string) string {
	slices.Sort(g.imports)
	std, others := "", ""
	for _, at := range g.imports {
		if first, _, _ := strings.Cut(at, "/"); strings.Contains(first, ".") || strings.HasPrefix(at, g.a.mod.path+"/") {
			others += fmt.Sprintf("\t%q\n", at)
		} else {
			std += fmt.Sprintf("\t%q\n", at)
		}
	}
	text := comment + "package " + g.a.packageName() + "\n\n"
	if std+others != "" {
		text += "import (\n" + std + "\n" + others + ")\n\n"
	}
	formatted, err := format.Source([]byte(text + code))
	if err != nil {
		return text + code
	}
	return string(formatted)
}

// typ writes a type as the version's package does. Types that cannot be written
// without knowing more are not.
func (g *goText) typ(expr ast.Expr, m *packageSource, file *ast.File) (string, bool) {
	switch x := expr.(type) {
	case *ast.Ident:
		if types.Universe.Lookup(x.Name) != nil {
			return x.Name, true
		}
		g.use(m.mod.importPath(m.folder.path))
		return m.name + "." + x.Name, ast.IsExported(x.Name)
	case *ast.SelectorExpr:
		name := exprText(x.X)
		at := importOf(file, name)
		g.use(at)
		return name + "." + x.Sel.Name, at != ""
	case *ast.StarExpr:
		inner, ok := g.typ(x.X, m, file)
		return "*" + inner, ok
	case *ast.Ellipsis:
		inner, ok := g.typ(x.Elt, m, file)
		return "..." + inner, ok
	case *ast.ArrayType:
		inner, ok := g.typ(x.Elt, m, file)
		if size, fixed := x.Len.(*ast.BasicLit); fixed {
			return "[" + size.Value + "]" + inner, ok
		}
		return "[]" + inner, ok && x.Len == nil
	case *ast.MapType:
		key, ok := g.typ(x.Key, m, file)
		value, ok2 := g.typ(x.Value, m, file)
		return "map[" + key + "]" + value, ok && ok2
	case *ast.IndexExpr:
		outer, ok := g.typ(x.X, m, file)
		inner, ok2 := g.typ(x.Index, m, file)
		return outer + "[" + inner + "]", ok && ok2
	case *ast.IndexListExpr:
		outer, ok := g.typ(x.X, m, file)
		var parts []string
		for _, index := range x.Indices {
			inner, ok2 := g.typ(index, m, file)
			parts, ok = append(parts, inner), ok && ok2
		}
		return outer + "[" + strings.Join(parts, ", ") + "]", ok
	case *ast.FuncType:
		return g.signature(named(x.Params), named(x.Results), m, file)
	}
	return "", false
}

// signature writes a func type.
func (g *goText) signature(params, results []param, m *packageSource, file *ast.File) (string, bool) {
	all := true
	list := func(params []param) string {
		var parts []string
		for _, p := range params {
			text, ok := g.typ(p.typ, m, file)
			parts, all = append(parts, text), all && ok
		}
		return "(" + strings.Join(parts, ", ") + ")"
	}
	return "func" + list(params) + " " + list(results), all
}

// modelText is a GORM model with the fields of the entity's struct.
func (a *addition) modelText() string {
	g := &goText{a: a}
	name := a.version.Model
	var code strings.Builder
	fmt.Fprintf(&code, "// %s is a row of %s: a beginning, made from %s. Change it to what the table is.\ntype %[1]s struct {\n", name, a.entity.Name, a.from())
	known := map[string]bool{}
	put := find(a.methods, a.entity.roles["put"])
	if put != nil && a.table.noun != "" {
		if s, file := put.source.structure(a.table.noun); s != nil {
			code.WriteString(g.fields(s, put.source, file, known))
		}
	}
	for _, c := range a.table.columns {
		if a.table.isKey(c.name) && !known[c.name] {
			typ := "string"
			if c.typ == "bigint" {
				typ = "int64"
			}
			code.WriteString("\t" + camel(c.name) + " " + typ + " `gorm:\"primaryKey\"`\n")
		}
	}
	fmt.Fprintf(&code, "}\n\n// TableName is the table's.\nfunc (%s) TableName() string { return %q }\n", name, a.table.name)
	return g.file(fmt.Sprintf("// Package %s keeps %s through GORM.\n", a.packageName(), a.entity.Name), code.String())
}

// fields writes a struct's fields as those of a model.
func (g *goText) fields(s *ast.StructType, m *packageSource, file *ast.File, known map[string]bool) string {
	var code strings.Builder
	for _, field := range s.Fields.List {
		for _, name := range field.Names {
			column := m.column(field.Type)
			before := slices.Clone(g.imports)
			typ, ok := g.typ(field.Type, m, file)
			if !ast.IsExported(name.Name) || !ok {
				g.imports = before
				continue
			}
			known[snake(name.Name)] = true
			var tags []string
			if g.a.table.isKey(snake(name.Name)) {
				tags = append(tags, "primaryKey")
			}
			if column.typ == "jsonb" || strings.HasSuffix(column.typ, "[]") {
				tags = append(tags, "serializer:json")
			}
			line := "\t" + name.Name + " " + typ
			if tags != nil {
				line += " `gorm:\"" + strings.Join(tags, ";") + "\"`"
			}
			code.WriteString(line + "\n")
		}
	}
	return code.String()
}

// camel writes a column's name as Go does.
func camel(column string) string {
	parts := strings.Split(column, "_")
	for i, part := range parts {
		if part == "id" {
			parts[i] = "ID"
		} else {
			parts[i] = exportedName(part)
		}
	}
	return strings.Join(parts, "")
}

const (
	crossfadePath = "github.com/crossfade-db/crossfade"
	postgresPath  = crossfadePath + "/repo/postgres"
)

// repositoryText is a version to be written by hand.
func (a *addition) repositoryText() string {
	g := &goText{a: a}
	g.use(a.mod.importPath(a.entity.Package))
	g.use(postgresPath)
	iface := a.entity.source.name + "." + a.entity.Interface
	var code strings.Builder
	fmt.Fprintf(&code, `// Repository is %[1]s in the tables of this version.
type Repository struct{ db postgres.DBTX }

// New returns the repository on db: a pool, or a transaction in progress.
func New(db postgres.DBTX) %[1]s { return &Repository{db: db} }
`, iface)
	code.WriteString(g.methods(a.methods))
	return g.file(fmt.Sprintf("// Package %s keeps %s by hand-written code.\n", a.packageName(), a.entity.Name), code.String())
}

// restText has those methods that are not generated.
func (a *addition) restText(over string, which func(method) bool) string {
	g := &goText{a: a}
	var rest []method
	for _, m := range a.methods {
		if which(m) {
			rest = append(rest, m)
		}
	}
	code := g.methods(rest)
	comment := fmt.Sprintf("// The methods of Repository that are not generated%s. `crossfade gen` writes the type, and all others.\n\n", over)
	return g.file(comment, code)
}

func (g *goText) methods(all []method) string {
	var code strings.Builder
	for _, m := range all {
		before := slices.Clone(g.imports)
		text, ok := g.method(m)
		if !ok {
			g.imports = before
			text = "// Its types are not known here.\n"
		}
		code.WriteString("\n// " + m.name + " is still to be written.\n" + text)
	}
	return code.String()
}

// method writes a method that returns an error.
func (g *goText) method(m method) (string, bool) {
	params, all := []string{}, true
	list := named(m.typ.Params)
	for i, p := range list {
		name := p.name
		if name == "" {
			name = "_"
		}
		text, ok := g.typ(p.typ, m.source, m.file)
		params, all = append(params, name+" "+text), all && ok
		if i == 0 && exprText(p.typ) == "context.Context" {
			g.use("context")
		}
	}
	if last := len(named(m.typ.Results)); last != len(m.results)+1 {
		return "", false // a stream: what it returns is up to the user
	}
	results := []string{}
	names := []string{}
	for i, r := range m.results {
		text, ok := g.typ(r, m.source, m.file)
		name := "result"
		if len(m.results) > 1 {
			name = fmt.Sprintf("result%d", i+1)
		}
		results, names, all = append(results, name+" "+text), append(names, name), all && ok
	}
	g.use("errors")
	results, names = append(results, "err error"), append(names, fmt.Sprintf("errors.New(%q)", fmt.Sprintf("%s %s: %s is still to be written", g.a.entity.Name, g.a.version.Name, m.name)))
	return fmt.Sprintf("func (r *Repository) %s(%s) (%s) {\n\treturn %s\n}\n", m.name, strings.Join(params, ", "), strings.Join(results, ", "), strings.Join(names, ", ")), all
}
