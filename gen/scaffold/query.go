package scaffold

import (
	"fmt"
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// reserved are PostgreSQL's reserved words that structs have fields for.
var reserved = strings.Fields(`all analyse analyze and any array as asc asymmetric both case cast check collate column
	constraint create current_date current_role current_time current_timestamp current_user default deferrable desc
	distinct do else end except false fetch for foreign from grant group having in initially intersect into lateral
	leading limit localtime localtimestamp not null offset on only or order placing primary references returning select
	session_user some symmetric table then to trailing true union unique user using variadic when where window with
	authorization binary collation concurrently cross current_schema freeze full ilike inner is isnull join left like
	natural notnull outer overlaps right similar tablesample verbose`)

// ident writes a name as SQL does.
func ident(name string) string {
	if slices.Contains(reserved, name) {
		return `"` + name + `"`
	}
	return name
}

func idents(names []string) string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = ident(name)
	}
	return strings.Join(all, ", ")
}

// arg is a named parameter of sqlc's.
func arg(name string) string {
	if slices.Contains(reserved, name) {
		return "sqlc.arg('" + name + "')"
	}
	return "@" + name
}

// draft is a query that is being written.
type draft struct {
	e       *Entity
	t       *table
	m       method
	command string
	remarks []string
	used    map[string]bool // parameters
}

// query writes the query of a method: a named one with the command that the
// method's shape asks for.
func (e *Entity) query(t *table, m method) string {
	d := &draft{e: e, t: t, m: m, used: map[string]bool{}}
	switch {
	case m.verb == "stream":
		return fmt.Sprintf("-- %s hands out rows while it reads: write it by hand, as a method of Repository.\n", m.name)
	case e.byHand(t, m):
		return fmt.Sprintf("-- %s goes on behind a key of several columns: write it by hand, as a method of Repository.\n", m.name)
	}
	sql := d.statement()
	var text strings.Builder
	fmt.Fprintf(&text, "-- name: %s :%s\n", d.name(), d.command)
	for _, remark := range d.remarks {
		fmt.Fprintf(&text, "-- %s\n", remark)
	}
	for _, p := range m.params {
		if p.name != "" && p.name != "_" && !d.used[p.name] {
			fmt.Fprintf(&text, "-- It does not use %s yet.\n", p.name)
		}
	}
	return text.String() + sql + ";\n"
}

// byHand tells whether no query can answer a method: it streams, or pages by a
// key of several parts.
func (e *Entity) byHand(t *table, m method) bool {
	after := slices.ContainsFunc(m.params, func(p param) bool { return p.name == "after" })
	return m.verb == "stream" || m.name == e.roles["keys"] && len(t.key) > 1 && after
}

// name is the query's: GetCustomer for Get, and the method's own name where
// that says enough.
func (d *draft) name() string {
	noun := d.t.noun
	oneWord := strings.IndexFunc(d.m.name[1:], unicode.IsUpper) < 0
	switch {
	case noun == "" || !oneWord || d.m.name == d.e.roles["keys"]:
		return d.m.name
	case !d.many():
		return d.m.name + noun
	case d.resultIsValue():
		return d.m.name + plural(noun)
	}
	return d.m.name
}

func plural(noun string) string {
	switch {
	case strings.HasSuffix(noun, "y") && len(noun) > 1 && !strings.ContainsRune("aeiou", rune(noun[len(noun)-2])):
		return noun[:len(noun)-1] + "ies"
	case strings.HasSuffix(noun, "s"), strings.HasSuffix(noun, "x"), strings.HasSuffix(noun, "ch"), strings.HasSuffix(noun, "sh"):
		return noun + "es"
	}
	return noun + "s"
}

// many tells whether the result is a list.
func (d *draft) many() bool {
	if len(d.m.results) == 0 {
		return false
	}
	_, slice := bare(d.m.results[0])
	return slice
}

// resultIsValue tells whether the entity's struct comes back.
func (d *draft) resultIsValue() bool {
	if len(d.m.results) == 0 || d.t.noun == "" {
		return false
	}
	inner, _ := bare(d.m.results[0])
	text := exprText(inner)
	return text == d.t.noun || strings.HasSuffix(text, "."+d.t.noun)
}

// batch returns the parameter that is a slice of values or keys to write.
func (d *draft) batch() bool {
	return slices.ContainsFunc(d.m.params, func(p param) bool {
		_, slice := bare(p.typ)
		return slice
	})
}

func (d *draft) statement() string {
	m, roles := d.m, d.e.roles
	_, value := d.valueParam()
	switch {
	case m.name == roles["keys"]:
		return d.keys()
	case m.verb == "create":
		d.command = "one"
		return d.insert() + "\nreturning " + d.returning()
	case m.verb == "write" && value && (m.name == roles["put"] || d.batch()):
		d.command = d.execCommand("exec")
		return d.insert() + d.onConflict()
	case m.verb == "write" && (m.name == roles["delete"] || strings.HasPrefix(m.name, "Delete") || strings.HasPrefix(m.name, "Remove")):
		plain := "execrows"
		if m.name == roles["delete"] {
			plain = "exec" // what is not there is deleted already
		}
		d.command = d.execCommand(plain)
		return "delete from " + ident(d.t.name) + d.where(true) + d.returningIfAny()
	case m.verb == "write":
		d.command = d.execCommand("execrows")
		return d.update()
	case m.verb == "lock" && len(m.results) == 0:
		d.command = "one"
		return "select " + idents(d.t.key) + " from " + ident(d.t.name) + d.where(false) + "\nfor update"
	}
	return d.read()
}

// execCommand is the command of a statement that writes.
func (d *draft) execCommand(plain string) string {
	switch {
	case d.batch() && len(d.m.results) > 0:
		return "batchone"
	case d.batch():
		return "batchexec"
	case len(d.m.results) > 0:
		return "one"
	}
	return plain
}

func (d *draft) returningIfAny() string {
	if len(d.m.results) == 0 {
		return ""
	}
	return "\nreturning " + d.returning()
}

// returning is what a result is read from.
func (d *draft) returning() string {
	if d.resultIsValue() {
		return "*"
	}
	inner, _ := bare(d.m.results[0])
	typ := d.m.source.column(inner).typ
	for _, c := range d.t.columns {
		if c.typ == typ && !d.t.isKey(c.name) {
			d.remarks = append(d.remarks, "It returns "+c.name+" because the types agree.")
			return ident(c.name)
		}
	}
	return idents(d.t.key)
}

func (d *draft) read() string {
	d.command = "one"
	if d.many() {
		d.command = "many"
	}
	what := "*"
	if !d.resultIsValue() && d.t.noun != "" && len(d.m.results) > 0 {
		what = idents(d.t.key)
		if text := exprText(d.m.results[0]); text == "int" || text == "int64" {
			what = "count(*)"
		}
	}
	sql := "select " + what + " from " + ident(d.t.name) + d.where(d.m.verb != "list")
	if d.many() {
		sql += "\norder by " + idents(d.t.key) + d.limit()
	}
	if d.m.verb == "lock" {
		sql += "\nfor update"
	}
	return sql
}

// keys pages through the keys.
func (d *draft) keys() string {
	d.command = "many"
	conditions := d.tenantCondition()
	if p, ok := d.param("after"); ok && len(d.t.key) == 1 {
		d.used[p.name] = true
		key, typ := ident(d.t.key[0]), d.t.typeOf(d.t.key[0])
		conditions = append(conditions, fmt.Sprintf("(sqlc.narg('after')::%s is null or %s > sqlc.narg('after')::%s)", typ, key, typ))
	}
	return "select " + idents(d.t.key) + " from " + ident(d.t.name) + conditioned(conditions) +
		"\norder by " + idents(d.t.key) + d.limit()
}

// param returns a parameter by its name.
func (d *draft) param(name string) (param, bool) {
	at := slices.IndexFunc(d.m.params, func(p param) bool { return p.name == name })
	if at < 0 {
		return param{}, false
	}
	return d.m.params[at], true
}

func (d *draft) limit() string {
	for _, p := range d.m.params {
		if slices.Contains([]string{"limit", "max", "n", "count"}, strings.ToLower(p.name)) && !d.used[p.name] {
			d.used[p.name] = true
			return "\nlimit " + arg(snake(p.name))
		}
	}
	return ""
}

// valueParam is the parameter that holds the struct.
func (d *draft) valueParam() (param, bool) {
	for _, p := range d.m.params {
		inner, _ := bare(p.typ)
		if text := exprText(inner); d.t.noun != "" && (text == d.t.noun || strings.HasSuffix(text, "."+d.t.noun)) {
			return p, true
		}
	}
	return param{}, false
}

// insert writes all columns, or all that the database does not make.
func (d *draft) insert() string {
	if p, ok := d.valueParam(); ok {
		d.used[p.name] = true
	}
	for _, p := range d.m.params {
		d.used[p.name] = d.used[p.name] || d.e.isTenant(p.name) || d.t.match(p.name) != ""
	}
	var names, values []string
	for _, c := range d.t.columns {
		if d.m.verb == "create" && d.t.made && d.t.isKey(c.name) && c.name != d.t.tenant {
			continue
		}
		names = append(names, ident(c.name))
		value := arg(c.name)
		if c.nullable {
			value = "sqlc.narg('" + c.name + "')"
		}
		values = append(values, value)
	}
	return fmt.Sprintf("insert into %s (%s)\nvalues (%s)", ident(d.t.name), strings.Join(names, ", "), strings.Join(values, ", "))
}

func (d *draft) onConflict() string {
	var sets []string
	for _, c := range d.t.columns {
		if !d.t.isKey(c.name) {
			sets = append(sets, ident(c.name)+" = excluded."+ident(c.name))
		}
	}
	text := "\non conflict (" + idents(d.t.primary()) + ") do "
	if sets == nil {
		return text + "nothing"
	}
	return text + "update\nset " + strings.Join(sets, ",\n    ")
}

// update sets the columns that parameters, or the struct, name.
func (d *draft) update() string {
	var sets []string
	if p, ok := d.valueParam(); ok {
		d.used[p.name] = true
		for _, c := range d.t.columns {
			if !d.t.isKey(c.name) {
				sets = append(sets, ident(c.name)+" = "+arg(c.name))
			}
		}
	}
	for _, p := range d.m.params {
		if d.used[p.name] || d.isWhere(p.name) {
			continue
		}
		if c := d.set(p); c != "" {
			d.used[p.name] = true
			sets = append(sets, c)
		}
	}
	if sets == nil {
		key := ident(d.t.key[0])
		d.remarks = append(d.remarks, "It sets nothing yet: no parameter is called like a column.")
		sets = []string{key + " = " + key}
	}
	return "update " + ident(d.t.name) + "\nset " + strings.Join(sets, ", ") + d.where(true) + d.returningIfAny()
}

// set is what a parameter sets: the column that is called like it, or the only
// one whose name ends with its name.
func (d *draft) set(p param) string {
	if c := d.t.match(p.name); c != "" && !d.t.isKey(c) {
		return ident(c) + " = " + arg(snake(p.name))
	}
	c := d.t.ending(p.name)
	if c == "" || d.t.typeOf(c) != d.m.source.column(p.typ).typ {
		return ""
	}
	value := arg(snake(p.name))
	if adds.MatchString(d.m.name) && slices.Contains([]string{"bigint", "integer", "smallint", "numeric", "double precision", "real"}, d.t.typeOf(c)) {
		value = ident(c) + " + " + value
	}
	d.remarks = append(d.remarks, p.name+" is taken for "+c+" because of their names and types.")
	return ident(c) + " = " + value
}

var adds = regexp.MustCompile(`^(Add|Increment|Increase|Deposit)`)

// isWhere tells whether a parameter names the row.
func (d *draft) isWhere(name string) bool {
	paths, _ := d.m.keyPaths()
	return d.e.isTenant(name) || slices.ContainsFunc(paths, func(path string) bool { return pathRoot(path) == name })
}

// where names the rows: those of the tenant and the key, and those that other
// parameters name.
func (d *draft) where(keyed bool) string {
	conditions := d.tenantCondition()
	paths, many := d.m.keyPaths()
	for i, path := range paths {
		if i >= len(d.t.key) {
			break
		}
		d.used[pathRoot(path)] = true
		column, name := d.t.key[i], pathColumn(path)
		if many && d.m.verb != "write" {
			conditions = append(conditions, fmt.Sprintf("%s = any(@%s::%s[])", ident(column), name, d.t.typeOf(column)))
			continue
		}
		if many {
			name = column // one element at a time
		}
		conditions = append(conditions, ident(column)+" = "+arg(name))
	}
	if keyed || d.m.verb == "lock" {
		return conditioned(conditions)
	}
	for _, p := range d.m.params {
		if c := d.t.match(p.name); c != "" && !d.used[p.name] {
			d.used[p.name] = true
			conditions = append(conditions, ident(c)+" = "+arg(snake(p.name)))
		} else if strings.EqualFold(p.name, "after") && len(d.t.key) == 1 && !isPointer(p.typ) {
			d.used[p.name] = true
			conditions = append(conditions, ident(d.t.key[0])+" > "+arg("after"))
		}
	}
	return conditioned(conditions)
}

func isPointer(expr ast.Expr) bool {
	_, ok := expr.(*ast.StarExpr)
	return ok
}

func (d *draft) tenantCondition() []string {
	if d.t.tenant == "" {
		return nil
	}
	for _, p := range d.m.params {
		if d.e.isTenant(p.name) {
			d.used[p.name] = true
			return []string{ident(d.t.tenant) + " = " + arg(d.t.tenant)}
		}
	}
	if d.m.words["tenant"] != "" {
		d.used[pathRoot(d.m.words["tenant"])] = true
		return []string{ident(d.t.tenant) + " = " + arg(d.t.tenant)}
	}
	return nil
}

func conditioned(conditions []string) string {
	if len(conditions) == 0 {
		return ""
	}
	return "\nwhere " + strings.Join(conditions, " and ")
}
