package gen

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// argument fills one parameter of a query.
type argument struct {
	target
	param   int    // of the method; -1 where the Mapper gives it
	path    string // behind the parameter's name
	convert bool
	clamp   bool // a limit of type int, to int32
}

// argSource is something that a method was given.
type argSource struct {
	names []string
	param int
	path  string
	typ   types.Type
	level int // 0 for a parameter, more for what is inside of one
}

// sources lists what a method is given, elem's elements in place of it.
func (c *versionCode) sources(m *method, elem int) []argSource {
	var list []argSource
	for i, p := range m.params {
		t, names := p.typ, []string{c.plain(p.name)}
		if i == elem {
			t = t.Underlying().(*types.Slice).Elem() // so batchParam says
			names = append(names, c.plain(singular(p.name)))
		}
		if i == m.tenantParam() {
			names = append(names, "tenant")
		}
		list = append(list, argSource{names: names, param: i, typ: t})
		if named, pointer := deref(t); !isOpaque(named) && (!pointer || m.throughKey(i)) {
			for _, f := range c.fieldsOf(named, "", false) {
				list = append(list, argSource{names: []string{c.plain(f.name)}, param: i, path: f.path, typ: f.typ, level: 1 + f.depth})
			}
		}
	}
	return list
}

// throughKey reports whether a parameter that is a pointer cannot be nil, as the
// method's key or tenant is read through it: the routed repository looks.
func (m *method) throughKey(param int) bool {
	reads := func(p path) bool { return p.root == param && len(p.steps) > 0 }
	return m.tenant != nil && reads(*m.tenant) || slices.ContainsFunc(m.keys, func(k keySet) bool { return slices.ContainsFunc(k.parts, reads) })
}

// singular is the opposite of plural, as far as names of parameters need it.
func singular(name string) string {
	switch {
	case strings.HasSuffix(name, "ies"):
		return strings.TrimSuffix(name, "ies") + "y"
	case strings.HasSuffix(name, "ses"), strings.HasSuffix(name, "xes"):
		return strings.TrimSuffix(name, "es")
	}
	return strings.TrimSuffix(name, "s")
}

// argumentsOf fills the parameters of a query; those that nothing agrees with are
// results of the Mapper.
func (c *versionCode) argumentsOf(p *methodPlan) bool {
	sources := c.sources(p.m, p.elem)
	used := map[int]bool{}
	var mapped []target
	for _, t := range p.q.params {
		a := argument{target: t, param: -1}
		if s := pickSource(sources, c.plain(t.name)); s != nil {
			convert, ok := copied(s.typ, t.typ)
			clamp := !ok && isLimit(s, t)
			if ok || clamp {
				a.param, a.path, a.convert, a.clamp = s.param, s.path, convert, clamp
				used[s.param] = true
			}
		}
		if a.param < 0 {
			mapped = append(mapped, t)
		}
		p.args = append(p.args, a)
	}
	if len(mapped) > 0 {
		p.params = c.paramsMapper(p, mapped)
		return true
	}
	for i, param := range p.m.params {
		if !used[i] {
			c.g.problem(p.m, "version %s: query %s does not use the parameter %s: add @%s to the query and run `sqlc generate`, or write the method in package %s: %s",
				c.v.Name, p.q.name, param.name, columnName(param.name), c.v.pkg.Name, c.signatureOf(p.m))
			return false
		}
	}
	return true
}

// paramsMapper takes all that the method takes.
func (c *versionCode) paramsMapper(p *methodPlan, mapped []target) *mapperMethod {
	var params []target
	for i, param := range p.m.params {
		t := target(param)
		if i == p.elem {
			t = target{strings.ToLower(c.elemName(p)), param.typ.Underlying().(*types.Slice).Elem()} // so batchParam says
		}
		params = append(params, t)
	}
	what := "the parameters of query " + p.q.name
	if p.q.struct_ != nil {
		what = "the fields of " + c.say(p.q.struct_)
	}
	name := p.m.name + "Params"
	return c.mapperMethod(name, params, mapped, fmt.Sprintf("%s returns %s that nothing given to %s agrees with.", name, what, p.m.name))
}

// elemName is the variable of a loop over a batch's parameter.
func (c *versionCode) elemName(p *methodPlan) string {
	name := p.m.params[p.elem].name
	if short := singular(name); short != name && short != "" {
		return short
	}
	return "element"
}

// isLimit reports whether a page's length goes into a narrower integer: a page
// of more rows than that is not asked for.
func isLimit(s *argSource, t target) bool {
	return s.level == 0 && s.names[0] == "limit" && types.Identical(s.typ, types.Typ[types.Int]) &&
		(types.Identical(t.typ, types.Typ[types.Int32]) || types.Identical(t.typ, types.Typ[types.Int64]))
}

// pickSource finds what is called by a name: a parameter before a field, nil
// where several could be meant.
func pickSource(sources []argSource, plain string) *argSource {
	var found *argSource
	twice := false
	for i := range sources {
		s := &sources[i]
		matches := false
		for _, name := range s.names {
			matches = matches || name == plain && name != ""
		}
		switch {
		case !matches:
		case found == nil || s.level < found.level:
			found, twice = s, false
		case s.level == found.level:
			twice = true
		}
	}
	if twice {
		return nil
	}
	return found
}

// columnName is a Go name as it is usual in SQL.
func columnName(name string) string { return strings.ReplaceAll(words(name), " ", "_") }
