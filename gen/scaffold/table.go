package scaffold

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// table is what an entity's struct could be kept in.
type table struct {
	name    string
	noun    string // the struct's name; "" where it was not found
	columns []column
	key     []string // columns
	tenant  string   // a column; "" for an entity without tenants
	made    bool     // the database makes keys
}

type column struct {
	name     string
	typ      string // in SQL
	nullable bool
	remark   string
}

// table derives a table from the struct that put takes.
func (e *Entity) table(version string, methods []method) table {
	t := table{name: e.Name + "_" + version}
	put, get := find(methods, e.roles["put"]), find(methods, e.roles["get"])
	if put != nil {
		t.noun, t.columns = put.value()
	}
	if get != nil {
		t.tenant = e.tenantColumn(&t, put, get)
		t.keyColumns(put, get)
	}
	if len(t.key) == 0 {
		t.key = []string{"id"}
		t.require("id", "bigint")
	}
	for _, m := range methods {
		paths, _ := m.keyPaths()
		t.made = t.made || m.verb == "create" && len(paths) == 1 && strings.HasPrefix(paths[0], "result")
	}
	if t.noun == "" {
		t.columns = append(t.columns, column{name: "data", typ: "jsonb", remark: "the struct was not found: name its columns here"})
	}
	return t
}

func find(methods []method, name string) *method {
	at := slices.IndexFunc(methods, func(m method) bool { return m.name == name })
	if at < 0 {
		return nil
	}
	return &methods[at]
}

// value finds the struct among a method's parameters.
func (m *method) value() (name string, columns []column) {
	for _, p := range m.params {
		inner, _ := bare(p.typ)
		if name, columns := m.source.columns(inner, m.file, 0); columns != nil {
			return name, columns
		}
	}
	return "", nil
}

// columns returns a struct's fields as columns; nil for what is no struct of
// this module.
func (p *packageSource) columns(expr ast.Expr, file *ast.File, depth int) (name string, columns []column) {
	if selector, ok := expr.(*ast.SelectorExpr); ok {
		if from := p.imported(selector.X, file); from != nil {
			return from.columns(selector.Sel, nil, depth)
		}
		return "", nil
	}
	ident, ok := expr.(*ast.Ident)
	if !ok || depth > 10 {
		return "", nil
	}
	s, in := p.structure(ident.Name)
	if s == nil {
		return "", nil
	}
	for _, field := range s.Fields.List {
		if len(field.Names) == 0 {
			inner, _ := bare(field.Type)
			_, embedded := p.columns(inner, in, depth+1)
			columns = append(columns, embedded...)
		}
		for _, fieldName := range field.Names {
			if fieldName.IsExported() {
				c := p.column(field.Type)
				c.name = snake(fieldName.Name)
				columns = append(columns, c)
			}
		}
	}
	return ident.Name, columns
}

// sqlTypes are the types that the types of Go become.
var sqlTypes = map[string]string{
	"string": "text", "bool": "boolean",
	"int": "bigint", "int64": "bigint", "int32": "integer", "int16": "smallint", "int8": "smallint", "rune": "integer",
	"uint": "bigint", "uint64": "bigint", "uint32": "bigint", "uint16": "integer", "uint8": "smallint", "byte": "smallint",
	"float64": "double precision", "float32": "real",
	"time.Time": "timestamptz", "time.Duration": "bigint", "uuid.UUID": "uuid", "decimal.Decimal": "numeric",
	"json.RawMessage": "jsonb", "netip.Addr": "inet", "[]byte": "bytea",
}

// column finds the type of a column for a type of Go.
func (p *packageSource) column(expr ast.Expr) column {
	if known := sqlTypes[exprText(expr)]; known != "" {
		return column{typ: known}
	}
	switch x := expr.(type) {
	case *ast.StarExpr:
		c := p.column(x.X)
		c.nullable = true
		return c
	case *ast.ArrayType:
		c := p.column(x.Elt)
		if c.typ == "jsonb" || c.nullable || c.remark != "" || strings.HasSuffix(c.typ, "[]") {
			return column{typ: "jsonb"}
		}
		return column{typ: c.typ + "[]"}
	case *ast.Ident:
		if under := p.underlying(x.Name); under != nil && exprText(under) != x.Name {
			c := p.column(under)
			c.remark = ""
			return c
		}
	case *ast.SelectorExpr:
		return column{typ: "text", remark: "is " + exprText(x) + " in Go"}
	}
	return column{typ: "jsonb"}
}

// tenantColumn finds the tenant's column, or adds it.
func (e *Entity) tenantColumn(t *table, put, get *method) string {
	if e.tenant == "none" {
		return ""
	}
	name := "tenant_id"
	if put != nil && put.words["tenant"] != "" && put.words["tenant"] != "none" {
		name = pathColumn(put.words["tenant"])
	}
	for _, p := range get.params {
		if e.isTenant(p.name) {
			t.first(name, get.source.column(p.typ).typ)
			return name
		}
	}
	if t.has(name) {
		return name
	}
	return ""
}

// isTenant tells whether a parameter is the tenant.
func (e *Entity) isTenant(name string) bool {
	if e.tenant != "" {
		return name == e.tenant
	}
	return name == "tenant" || name == "tenantID"
}

// keyColumns finds the key's columns by what put says of the struct, or by what
// get takes.
func (t *table) keyColumns(put, get *method) {
	paths, _ := get.keyPaths()
	if put != nil {
		if of, many := put.keyPaths(); !many && len(of) == len(paths) {
			paths = of
		}
	}
	for _, path := range paths {
		name := pathColumn(path)
		typ := "bigint"
		for _, p := range get.params {
			if p.name == pathRoot(path) || snake(p.name) == name {
				typ = get.source.column(p.typ).typ
			}
		}
		t.require(name, typ)
		t.key = append(t.key, name)
	}
}

func (t *table) has(name string) bool {
	return slices.ContainsFunc(t.columns, func(c column) bool { return c.name == name })
}

// require adds a column unless it is there.
func (t *table) require(name, typ string) {
	if !t.has(name) {
		t.columns = append([]column{{name: name, typ: typ}}, t.columns...)
	}
}

// first requires a column in the first place.
func (t *table) first(name, typ string) { t.require(name, typ) }

// match returns the column that a parameter names.
func (t *table) match(param string) string {
	flat := func(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }
	for _, c := range t.columns {
		if flat(c.name) == flat(param) {
			return c.name
		}
	}
	return ""
}

// ending returns the only column beside the key whose name ends with a name.
func (t *table) ending(param string) (found string) {
	for _, c := range t.columns {
		if strings.HasSuffix(c.name, "_"+snake(param)) && !t.isKey(c.name) {
			if found != "" {
				return ""
			}
			found = c.name
		}
	}
	return found
}

// isKey tells whether a column is of the primary key.
func (t *table) isKey(name string) bool { return name == t.tenant || slices.Contains(t.key, name) }

// primary are the columns of the primary key.
func (t *table) primary() []string {
	if t.tenant == "" || slices.Contains(t.key, t.tenant) {
		return t.key
	}
	return append([]string{t.tenant}, t.key...)
}

// typeOf returns the type of a column.
func (t *table) typeOf(name string) string {
	for _, c := range t.columns {
		if c.name == name {
			return c.typ
		}
	}
	return "text"
}

// create is the statement that makes the table.
func (t *table) create() string {
	var text strings.Builder
	fmt.Fprintf(&text, "create table %s (\n", ident(t.name))
	for _, c := range t.columns {
		line := "    " + ident(c.name) + " " + c.typ
		if t.made && len(t.key) == 1 && c.name == t.key[0] {
			switch c.typ {
			case "uuid":
				line += " default gen_random_uuid()"
			case "bigint", "integer", "smallint":
				line += " generated by default as identity"
			}
		}
		if !c.nullable {
			line += " not null"
		}
		line += ","
		if c.remark != "" {
			line += " -- " + c.remark
		}
		text.WriteString(line + "\n")
	}
	fmt.Fprintf(&text, "    primary key (%s)\n);\n", idents(t.primary()))
	return text.String()
}
