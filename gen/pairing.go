package gen

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// pair finds the query that answers a method: the one that crossfade.yaml
// names, or the one that is called like the method, with or without the
// entity's name. It reports why there is none.
func (c *versionCode) pair(m *method) *query {
	if name, ok := c.v.Query(m.name); ok {
		if q := c.queries.queries[name.Value]; q != nil {
			return q
		}
		c.g.ps.add(name.Pos, c.v.where, "methods: %s: there is no query %s in %s%s", m.name, name, c.v.SQLC.Package, c.near(name.Value))
		return nil
	}
	names := c.queryNames(m)
	if q := c.queries.queries[m.name]; q != nil {
		return q
	}
	var found []string
	for _, name := range names {
		if c.queries.queries[name] != nil && !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	switch len(found) {
	case 1:
		return c.queries.queries[found[0]]
	case 0:
		c.unpaired(m, names)
	default:
		c.g.ps.add(c.v.Pos, c.v.where, "%s could be answered by %s: choose one: `methods: {%s: %s}`", m.name, strings.Join(found, " and by "), m.name, found[0])
	}
	return nil
}

// queryNames are the names by which a method's query is found.
func (c *versionCode) queryNames(m *method) []string {
	one := c.noun(m)
	names := []string{m.name}
	if one != "" {
		names = append(names, m.name+one, m.name+pluralName(one), one+m.name)
	}
	return append(names, m.name+m.entity.iface)
}

// noun is the name of the entity's struct: Customer.
func (c *versionCode) noun(m *method) string {
	t, _ := deref(m.entity.copier.value)
	if name := typeName(t); name != nil && name.Pkg() != nil {
		return name.Name()
	}
	return ""
}

// pluralName is plural for a name in Go: OrderLines.
func pluralName(name string) string {
	at := strings.LastIndexFunc(name, func(r rune) bool { return r >= 'A' && r <= 'Z' })
	if at < 0 {
		return plural(name)
	}
	return name[:at] + upperFirst(plural(strings.ToLower(name[at:at+1])+name[at+1:]))
}

func (c *versionCode) unpaired(m *method, names []string) {
	name := m.name
	if one := c.noun(m); one != "" && len(c.queries.names) > 0 && !strings.Contains(m.name, one) {
		name = m.name + one
		if isList(m) && len(m.results) == 1 {
			name = m.name + pluralName(one)
		}
	}
	text := fmt.Sprintf("version %s has no query for it: add `-- name: %s :%s` to the version's SQL and run `sqlc generate`", c.v.Name, name, c.commandFor(m))
	if near := c.nearest(names, c.withoutNoun); near != "" {
		text += fmt.Sprintf(", or say `methods: {%s: %s}` in crossfade.yaml", m.name, near)
	}
	c.g.problem(m, "%s, or write the method in package %s: %s", text, c.v.pkg.Name, c.signatureOf(m))
}

// commandFor is the command that a method's shape asks for.
func (c *versionCode) commandFor(m *method) string {
	many := c.batchParam(m) >= 0
	switch {
	case many && len(m.results) == 0:
		return "batchexec"
	case many && m.verb != verbRead && len(m.results) == 1 && isCount(m.results[0].typ):
		return "copyfrom"
	case many && len(m.results) > 0 && m.verb != verbRead:
		return "batchone"
	case isList(m):
		return "many"
	case len(m.results) > 0:
		return "one"
	case m.verb == verbLock:
		return "one"
	case c.oneKey(m) && m.name != m.entity.copier.put.name:
		return "execrows"
	}
	return "exec"
}

// oneKey reports whether a method is about one key, so that no row means that
// it is not there.
func (c *versionCode) oneKey(m *method) bool { return len(m.keys) == 1 && !m.keys[0].many }

// signatureOf writes a method as it has to be declared by hand.
func (c *versionCode) signatureOf(m *method) string {
	qualify := func(p *types.Package) string {
		if p == c.v.pkg.Types {
			return ""
		}
		return p.Name()
	}
	list := []string{"ctx context.Context"}
	for i, p := range m.params {
		typ := types.TypeString(p.typ, qualify)
		if m.variadic && i == len(m.params)-1 {
			typ = "..." + strings.TrimPrefix(typ, "[]")
		}
		name := p.name
		if name == "" {
			name = "_"
		}
		list = append(list, name+" "+typ)
	}
	var results []string
	for _, r := range m.results {
		results = append(results, types.TypeString(r.typ, qualify))
	}
	if m.stream != seqStream {
		results = append(results, "error")
	}
	return fmt.Sprintf("func (r *Repository) %s(%s) %s", m.name, strings.Join(list, ", "), tuple(results))
}

// nearest returns a query that was probably meant by one of the names.
func (c *versionCode) nearest(names []string, shorten func(string) string) string {
	best, least := "", 4
	for _, want := range names {
		for _, have := range c.queries.names {
			short, own := shorten(want), shorten(have)
			d := distance(short, own)
			if len(own) > 2 && len(short) > 2 && (strings.HasPrefix(own, short) || strings.HasPrefix(short, own)) {
				d = min(d, 1)
			}
			if d < least && d*3 <= len(short)+2 {
				best, least = have, d
			}
		}
	}
	return best
}

// withoutNoun is a query's name in small letters, without the entity's.
func (c *versionCode) withoutNoun(name string) string {
	short := strings.ToLower(name)
	for _, noun := range []string{strings.ToLower(pluralName(c.entityNoun)), strings.ToLower(c.entityNoun)} {
		if rest := strings.ReplaceAll(short, noun, ""); noun != "" && rest != "" {
			short = rest
		}
	}
	return short
}

func (c *versionCode) near(name string) string {
	if near := c.nearest([]string{name}, strings.ToLower); near != "" {
		return ": did you mean " + near + "?"
	}
	return fmt.Sprintf(": it has %s", strings.Join(c.queries.names, ", "))
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// batchParam returns the parameter whose elements a batch takes one by one: the
// only slice of a method, or -1.
func (c *versionCode) batchParam(m *method) int {
	found := -1
	for i, p := range m.params {
		if _, ok := p.typ.Underlying().(*types.Slice); ok && !isBytes(p.typ) {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
}

// agree reports whether two names are the same but for case and underscores.
func agree(a, b string) bool { return plainName(a) == plainName(b) }

// plain is the name by which fields and parameters of a version are matched:
// the tenant is called tenant or tenant_id.
func (c *versionCode) plain(name string) string {
	plain := plainName(name)
	if plain == "tenantid" && !c.v.entity.tenant.none {
		return "tenant"
	}
	return plain
}

func plainName(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// copied says how a value of one type becomes one of another without loss, if
// it does: as it is, or converted.
func copied(from, to types.Type) (convert, ok bool) {
	switch {
	case types.Identical(from, to):
		return false, true
	case !isString(from) && isLiteral(from) != isLiteral(to) && types.AssignableTo(from, to) && !isInterface(to):
		return false, true
	case isError(from) || isError(to):
		return false, false
	}
	// A type over the other: type Level int and int, json.RawMessage and []byte.
	if !types.Identical(from.Underlying(), to.Underlying()) || isString(from) {
		return false, false
	}
	plainFrom, plainTo := types.Identical(from, from.Underlying()), types.Identical(to, to.Underlying())
	return true, plainFrom || plainTo
}

// isLiteral reports whether a type is written out, such as []byte: it is then
// assigned without a conversion.
func isLiteral(t types.Type) bool {
	_, basic := t.(*types.Basic)
	return !basic && typeName(t) == nil
}

func isString(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}
