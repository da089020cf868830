package gen

import (
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// method is one method of an entity, understood.
type method struct {
	*declaredMethod
	entity *entity
	sig    *types.Signature
	verb   string

	params   []param // without ctx
	variadic bool
	results  []result // without the error
	stream   streamForm

	tenant    *path // nil where the entity has no tenants
	keys      []keySet
	all       bool // every key of the tenant
	unordered bool
	by        string
	decl      methodDecl
}

type param struct {
	name string // as written; "" where it has none
	typ  types.Type
}

type result struct {
	name string
	typ  types.Type
}

// keySet is one key= or keys= of a directive: a key, or several.
type keySet struct {
	many  bool
	parts []path
	codec codec
}

type streamForm int

const (
	noStream streamForm = iota
	seqStream
	eachStream
)

// tenantParam returns the index of the parameter that is the tenant, or -1.
func (m *method) tenantParam() int {
	if m.tenant != nil && len(m.tenant.steps) == 0 {
		return m.tenant.root
	}
	return -1
}

// args returns the indexes of the parameters that are not the tenant.
func (m *method) args() []int {
	var list []int
	for i := range m.params {
		if i != m.tenantParam() {
			list = append(list, i)
		}
	}
	return list
}

// problem reports something about the method.
func (g *generator) problem(m *method, format string, args ...any) {
	if m.pkg != m.entity.pkg {
		format += " (it comes from package " + m.pkg.Types.Path() + "; the method can be written into this interface too)"
	}
	g.ps.add(m.pos(), m.entity.iface+"."+m.name, format, args...)
}

// methods understands the methods of an entity.
func (g *generator) methods(e *entity, declared []*declaredMethod) {
	set := e.methodSet()
	seen := map[string]bool{}
	for _, d := range declared {
		seen[d.name] = true
		for i := range set.NumMethods() {
			if fn := set.Method(i); fn.Name() == d.name {
				m := &method{declaredMethod: d, entity: e, sig: fn.Type().(*types.Signature)} // methods have signatures
				if !fn.Exported() && fn.Pkg() != e.pkg.Types {
					g.problem(m, "it is not exported by its package: no other package can implement it")
				} else if g.method(m) {
					e.methods = append(e.methods, m)
				}
			}
		}
	}
	for i := range set.NumMethods() {
		if fn := set.Method(i); !seen[fn.Name()] {
			g.ps.add(e.pos, e.iface+"."+fn.Name(), "the source of this embedded method cannot be found: write the method into the interface itself, with its directive")
		}
	}
}

// method fills m in and reports whether all of it is understood.
func (g *generator) method(m *method) bool {
	before := len(g.ps.list)
	if !g.wellTyped(m) || !g.signature(m) {
		return false
	}
	var dir *directive
	for _, d := range m.dirs {
		switch {
		case d.verb == verbEntity:
			g.problem(m, "%s%s stands above a method: put it above the interface", marker, verbEntity)
			return false
		case dir != nil:
			g.problem(m, "it has two directives, %s and %s: keep one", dir.verb, d.verb)
			return false
		}
		dir = d
	}
	if dir == nil {
		g.problem(m, "it has no directive: add %s above it, if that is what it does (the directives are %s)", g.suggest(m), strings.Join(verbs[1:], ", "))
		return false
	}
	m.verb = dir.verb
	m.unordered = dir.has("unordered")
	m.by, _ = dir.get("by")
	g.streamShape(m)
	g.movable(m)
	g.orderless(m)
	g.readTenant(m, dir)
	g.readKeys(m, dir)
	return len(g.ps.list) == before
}

// orderless checks unordered and by=, which are about a result that is a list.
func (g *generator) orderless(m *method) {
	switch {
	case !m.unordered && m.by != "":
		g.problem(m, "by=%s needs unordered", m.by)
	case !m.unordered:
	case len(m.results) == 0:
		g.problem(m, "unordered, and it has no result besides the error")
	default:
		if _, ok := m.results[0].typ.Underlying().(*types.Slice); !ok {
			g.problem(m, "unordered, and its first result, of type %s, is no slice: a slice inside of it is tagged where it is declared, with `compare:\"unordered\"`",
				g.show(m, m.results[0].typ))
			m.unordered = false
		}
	}
}

// wellTyped reports types that the type checker could not resolve.
func (g *generator) wellTyped(m *method) bool {
	if !holdsInvalid(m.sig, map[types.Type]bool{}) {
		return true
	}
	text := "it does not type-check"
	if errs := m.pkg.typeErrors(m.node.Pos(), m.node.End()); len(errs) > 0 {
		text += ": " + errs[0].Msg
	}
	g.problem(m, "%s", text)
	return false
}

// signature takes ctx and the error off the signature.
func (g *generator) signature(m *method) bool {
	ps, rs := m.sig.Params(), m.sig.Results()
	if ps.Len() == 0 || !isNamed(ps.At(0).Type(), "context", "Context") {
		g.problem(m, "its first parameter is no context.Context: the decision and the deadline travel in it; add ctx context.Context")
		return false
	}
	m.variadic = m.sig.Variadic()
	for i := 1; i < ps.Len(); i++ {
		m.params = append(m.params, param{name: at(m.declaredMethod.params, i), typ: ps.At(i).Type()})
	}
	if rs.Len() == 1 && seqElem(rs.At(0).Type()) != nil {
		m.stream = seqStream
		m.results = []result{{typ: rs.At(0).Type()}}
		return true
	}
	for v := range rs.Variables() {
		if isNamed(v.Type(), "iter", "Seq") || isNamed(v.Type(), "iter", "Seq2") {
			g.problem(m, "its iterator cannot say that it failed: return one iter.Seq2[T, error] and nothing else")
			return false
		}
	}
	if rs.Len() == 0 || !isError(rs.At(rs.Len()-1).Type()) {
		g.problem(m, "its last result is no error: a call that is refused or that fails must be able to say so; add an error result")
		return false
	}
	for i := range rs.Len() - 1 {
		if isError(rs.At(i).Type()) {
			g.problem(m, "it has more than one error result: keep the last one")
			return false
		}
		m.results = append(m.results, result{name: at(m.declaredMethod.results, i), typ: rs.At(i).Type()})
	}
	return true
}

func at(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return ""
}

// streamShape checks that what hands out rows is a stream and the reverse.
func (g *generator) streamShape(m *method) {
	callback := -1
	for i, p := range m.params {
		if isCallback(p.typ) {
			callback = i
		}
	}
	switch {
	case m.verb != verbStream && m.stream == seqStream:
		g.problem(m, "it returns an iterator: use %s%s", marker, verbStream)
	case m.verb != verbStream && callback >= 0:
		g.problem(m, "it calls a function for its rows: use %s%s", marker, verbStream)
	case m.verb != verbStream || m.stream == seqStream:
	case callback >= 0 && len(m.results) == 0:
		m.stream = eachStream
	default:
		g.problem(m, "it is no stream: return one iter.Seq2[T, error], or take a func(T) error and return an error; a method that returns a slice is a %slist", marker)
	}
}

// isCallback reports whether t is func(rows...) error or func(rows...) bool.
func isCallback(t types.Type) bool {
	sig, ok := t.Underlying().(*types.Signature)
	if !ok || sig.Results().Len() != 1 || sig.Params().Len() == 0 {
		return false
	}
	result := sig.Results().At(0).Type()
	basic, _ := result.Underlying().(*types.Basic)
	return isError(result) || basic != nil && basic.Kind() == types.Bool
}

// seqElem returns T of iter.Seq2[T, error], or nil.
func seqElem(t types.Type) types.Type {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || !isNamed(named, "iter", "Seq2") || named.TypeArgs().Len() != 2 || !isError(named.TypeArgs().At(1)) {
		return nil
	}
	return named.TypeArgs().At(0)
}

func isError(t types.Type) bool {
	return types.Identical(t, types.Universe.Lookup("error").Type())
}

// isNamed reports whether t is the named type of a package.
func isNamed(t types.Type, path, name string) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == path && named.Obj().Name() == name
}

// readTenantRule reads the entity's tenant= argument.
func (g *generator) readTenantRule(e *entity) {
	value, ok := e.dir.get("tenant")
	e.tenant = tenantRule{none: value == "none", param: value}
	if ok && !token.IsIdentifier(value) {
		e.tenant = tenantRule{broken: true}
		g.ps.add(e.dir.pos, e.iface, "tenant=%s is no name of a parameter: a field belongs to the directive of its method", value)
	}
}

// readTenant finds the tenant of one method.
func (g *generator) readTenant(m *method, dir *directive) {
	rule := &m.entity.tenant
	text, explicit := dir.get("tenant")
	switch {
	case rule.broken:
		return
	case rule.none && explicit:
		g.problem(m, "tenant=%s, but the entity says tenant=none", text)
		return
	case rule.none:
		return
	case !explicit:
		if text = m.usualTenant(rule.param); text == "" {
			g.problem(m, "%s", m.noTenant(rule.param))
			return
		}
	}
	p, err := m.resolve(text)
	if err != nil {
		g.problem(m, "tenant=%s: %v", text, err)
		return
	}
	if p.each >= 0 || p.root == resultRoot {
		g.problem(m, "tenant=%s: a call has one tenant, known before it: name a parameter or a field of one", text)
		return
	}
	c, err := newCodec(m.entity.pkg.Types, p.typ)
	if err == nil && len(c.parts) != 1 {
		err = errNoText(p.typ)
	}
	if err != nil {
		g.problem(m, "tenant=%s: %v", text, err)
		return
	}
	if rule.typ == nil {
		rule.typ, rule.codec = p.typ, c
	} else if !types.Identical(rule.typ, p.typ) {
		g.problem(m, "tenant=%s is of type %s, and other methods of the entity have tenants of type %s: texts of one tenant could differ; use one type",
			text, g.show(m, p.typ), g.show(m, rule.typ))
		return
	}
	m.tenant = &p
}

func (m *method) usualTenant(name string) string {
	for _, p := range m.params {
		usual := p.name == "tenant" || p.name == "tenantID" || p.name == "tenantId"
		if p.name != "" && (p.name == name || name == "" && usual) {
			return p.name
		}
	}
	return ""
}

func (m *method) noTenant(name string) string {
	if name == "" {
		name = "tenant"
	}
	remedy := "add one, or name a field (tenant=c.TenantID) in the directive, or say tenant=none on the interface"
	if len(m.params) > 0 && !slices.ContainsFunc(m.params, func(p param) bool { return p.name != "" }) {
		remedy = "its parameters have no names; name them"
	}
	for _, p := range m.params {
		if field := fieldNamed(p.typ, "TenantID", "Tenant"); field != "" && p.name != "" {
			remedy = "add tenant=" + p.name + "." + field + " to the directive"
		}
	}
	return "it has no parameter " + name + ", so that its tenant is unknown: " + remedy
}

// fieldNamed returns the first of the names that t, or what it points to, has as a field.
func fieldNamed(t types.Type, names ...string) string {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	if _, ok := t.Underlying().(*types.Struct); !ok {
		return ""
	}
	for _, name := range names {
		if obj, _, _ := types.LookupFieldOrMethod(t, true, nil, name); obj != nil {
			if _, ok := obj.(*types.Var); ok {
				return name
			}
		}
	}
	return ""
}
