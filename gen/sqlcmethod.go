package gen

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// sqlc decides all methods of a version over sqlc.
func (c *versionCode) sqlc() {
	if c.queries = c.g.readQueries(c.v); c.queries == nil {
		return
	}
	wanted := c.wanted()
	decided := map[*method]*methodPlan{}
	for _, m := range c.getFirst(wanted) {
		if m.verb == verbStream {
			c.g.problem(m, "version %s: a stream is written by hand in package %s: %s", c.v.Name, c.v.pkg.Name, c.signatureOf(m))
			continue
		}
		q := c.pair(m)
		if q == nil {
			continue
		}
		p := &methodPlan{m: m, q: q, elem: -1}
		if c.batchOf(p) && c.resultOf(p) && c.argumentsOf(p) {
			decided[m] = p
		}
	}
	for _, m := range wanted {
		if p := decided[m]; p != nil {
			c.plans = append(c.plans, p)
		}
	}
	c.needNotFound()
}

// getFirst puts the method that reads one value before the others: its row is
// what is meant by a row.
func (c *versionCode) getFirst(methods []*method) []*method {
	get := c.v.entity.copier.get
	return append(slices.DeleteFunc([]*method{get}, func(m *method) bool { return !slices.Contains(methods, m) }),
		slices.DeleteFunc(slices.Clone(methods), func(m *method) bool { return m == get })...)
}

// misfit reports a query whose shape does not answer the method.
func (c *versionCode) misfit(p *methodPlan, text string, args ...any) bool {
	c.g.problem(p.m, "version %s: query %s is :%s, and %s; or write the method in package %s: %s",
		c.v.Name, p.q.name, p.q.command, fmt.Sprintf(text, args...), c.v.pkg.Name, c.signatureOf(p.m))
	return false
}

// batchOf finds what a batch goes through.
func (c *versionCode) batchOf(p *methodPlan) bool {
	if !p.q.isBatch() {
		return true
	}
	if p.elem = c.batchParam(p.m); p.elem < 0 {
		return c.misfit(p, "%s has no slice of which it takes the elements: write `-- name: %s :%s`", p.m.name, p.q.name, c.commandFor(p.m))
	}
	return true
}

// resultOf decides what becomes of what a query returns.
func (c *versionCode) resultOf(p *methodPlan) bool {
	results := p.m.results
	command := p.q.command
	found := len(results) == 2 && types.Identical(results[1].typ, types.Typ[types.Bool]) && command == "one"
	switch {
	case len(results) == 0 && (command == "many" || command == "batchmany" || command == "batchone"):
		return c.misfit(p, "%s returns nothing: write `-- name: %s :%s`", p.m.name, p.q.name, c.commandFor(p.m))
	case len(results) == 0:
		return true
	case command == "exec" || command == "batchexec":
		return c.misfit(p, "%s returns a result: write `-- name: %s :%s`", p.m.name, p.q.name, c.commandFor(p.m))
	case len(results) > 1 && !found:
		return c.misfit(p, "%s returns several results: a struct that holds them can be generated", p.m.name)
	case p.q.row == nil:
		p.count = isCount(results[0].typ)
		if !p.count {
			return c.misfit(p, "%s returns %s, which is no count: write `-- name: %s :%s`", p.m.name, c.say(results[0].typ), p.q.name, c.commandFor(p.m))
		}
		return true
	}
	return c.rowResult(p, results[0])
}

func (c *versionCode) rowResult(p *methodPlan, r result) bool {
	to := r.typ
	if p.q.command != "one" {
		slice, ok := to.Underlying().(*types.Slice)
		if !ok || isBytes(to) {
			return c.misfit(p, "%s returns one %s: write `-- name: %s :one`", p.m.name, c.say(to), p.q.name)
		}
		to = slice.Elem()
	} else if isList(p.m) && !isSlice(p.q.row) {
		return c.misfit(p, "%s returns a list: write `-- name: %s :many`", p.m.name, p.q.name)
	}
	if p.result = c.valueCopy(p.q.row, to); p.result != nil {
		return true
	}
	name := r.name
	if name == "" {
		name = "result"
	}
	method := p.m.name + "Result"
	p.result = &valueCopy{from: p.q.row, to: to, mapper: c.mapperMethod(method,
		[]target{{"value", p.q.row}}, []target{{name, to}},
		fmt.Sprintf("%s returns what %s makes of %s.", method, p.m.name, c.say(p.q.row)))}
	return true
}

// isCount reports whether a number of rows fits.
func isCount(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && (b.Kind() == types.Int64 || b.Kind() == types.Int)
}

func isSlice(t types.Type) bool {
	_, ok := t.Underlying().(*types.Slice)
	return ok
}

// needNotFound asks the Mapper for an error where the entity's is known by a
// function alone.
func (c *versionCode) needNotFound() {
	if c.v.entity.copier.missing.form != missingFunc {
		return
	}
	c.notFound = &mapperMethod{
		name: c.mapperNames.unique("NotFound"), bare: true,
		doc: fmt.Sprintf("NotFound returns an error of which %s says that it means not found.", c.v.entity.copier.missing.name),
	}
	c.mapper = append(c.mapper, c.notFound)
}

// sqlcMethod is one method being written.
type sqlcMethod struct {
	*versionCode
	*methodPlan
	s              *scope
	recv, ctx, err string
	params         []string
	failed         string // what is returned before the error, with a comma behind it
	out            strings.Builder
}

func (w *sqlcMethod) printf(format string, args ...any) { fmt.Fprintf(&w.out, format, args...) }

func (w *sqlcMethod) code() string {
	w.s = newScope(w.imports)
	w.head(w.m)
	fmt.Fprintf(&w.out, "\n%sfunc (%s *Repository) %s {\n", comment(fmt.Sprintf("%s is query %s.", w.m.name, w.q.name)), w.recv, w.declaration())
	call := w.call()
	switch {
	case strings.HasPrefix(w.q.command, "batch"):
		w.batchCode(call)
	case len(w.m.results) == 0:
		w.execCode(call)
	case w.count:
		w.countCode(call)
	case w.q.command == "many":
		w.manyCode(call)
	default:
		w.oneCode(call)
	}
	w.printf("}\n")
	return w.out.String()
}

// head gives names to the receiver and the parameters.
func (w *sqlcMethod) head(m *method) {
	w.recv, w.ctx, w.err = w.s.local("r"), w.s.local("ctx"), w.s.local("err")
	for i, p := range m.params {
		name := p.name
		if name == "" {
			name = fmt.Sprintf("arg%d", i+1)
		}
		w.params = append(w.params, w.s.param(name))
	}
	for _, r := range m.results {
		w.failed += w.zero(r.typ) + ", "
	}
}

// declaration is the method's name, parameters and results.
func (w *sqlcMethod) declaration() string {
	return w.m.name + "(" + (&call{file: w.file, m: w.m, ctx: w.ctx, params: w.params}).signature() + ") " +
		(&call{file: w.file, m: w.m}).results()
}

// argument writes what fills one parameter of the query.
func (w *sqlcMethod) argument(a argument, root func(int) string, mapped map[string]string) string {
	if a.param < 0 {
		return mapped[a.name]
	}
	expr := root(a.param) + a.path
	switch {
	case a.clamp && types.Identical(a.typ, types.Typ[types.Int32]):
		return fmt.Sprintf("int32(min(%s, %s.MaxInt32))", expr, w.imports.std("math"))
	case a.clamp, a.convert:
		return fmt.Sprintf("%s(%s)", w.typeConversion(a.typ), expr)
	}
	return expr
}

// typeConversion is a type as it stands before the parentheses of a conversion.
func (c *versionCode) typeConversion(t types.Type) string {
	text := c.show(t)
	if strings.HasPrefix(text, "*") || strings.HasPrefix(text, "func") || strings.HasPrefix(text, "<-") {
		return "(" + text + ")"
	}
	return text
}

// arguments returns what stands between the parentheses behind ctx, after the
// Mapper was asked for what it gives.
func (w *sqlcMethod) arguments(root func(int) string, failed string) string {
	mapped := map[string]string{}
	if w.methodPlan.params != nil {
		var results, inputs []string
		i := 0
		for _, a := range w.args {
			if a.param < 0 {
				name := w.s.local(w.methodPlan.params.results[i].name)
				i++
				mapped[a.name] = name
				results = append(results, name)
			}
		}
		for i := range w.m.params {
			inputs = append(inputs, root(i))
		}
		w.printf("%s, %s := %s.m.%s(%s)\nif %s != nil {\nreturn %s%s\n}\n", strings.Join(results, ", "), w.err, w.recv,
			w.methodPlan.params.name, strings.Join(inputs, ", "), w.err, failed, w.err)
	}
	var list []string
	if w.q.struct_ == nil {
		for _, a := range w.args {
			list = append(list, w.argument(a, root, mapped))
		}
		return strings.Join(list, ", ")
	}
	for _, a := range w.args {
		list = append(list, a.name+": "+w.argument(a, root, mapped))
	}
	text := literal(w.show(w.q.struct_), list)
	if w.q.structPtr {
		text = "&" + text
	}
	return text
}

// literal writes a struct on one line, or a field on each.
func literal(name string, fields []string) string {
	const width = 90
	if line := name + "{" + strings.Join(fields, ", ") + "}"; len(line) <= width {
		return line
	}
	return name + "{\n" + strings.Join(fields, ",\n") + ",\n}"
}

// call returns the call of the query, after what has to stand before it.
func (w *sqlcMethod) call() string {
	list := []string{w.ctx}
	if w.q.dbArg {
		list = append(list, w.recv+".db")
	}
	switch {
	case w.elem >= 0:
		list = append(list, w.batchArguments())
	default:
		if args := w.arguments(func(i int) string { return w.params[i] }, w.failed); args != "" {
			list = append(list, args)
		}
	}
	return fmt.Sprintf("%s.q.%s(%s)", w.recv, w.q.name, strings.Join(list, ", "))
}

// batchArguments makes the list of a batch.
func (w *sqlcMethod) batchArguments() string {
	source := w.params[w.elem]
	if w.q.struct_ == nil && len(w.args) == 1 && w.args[0].param == w.elem && w.args[0].path == "" && !w.args[0].convert {
		return source
	}
	list, index, elem := w.s.local("params"), w.s.local("i"), w.s.local(lowerFirst(w.elemName(w.methodPlan)))
	typ := "[]"
	switch {
	case w.q.structPtr:
		typ += "*" + w.show(w.q.struct_)
	case w.q.struct_ != nil:
		typ += w.show(w.q.struct_)
	default:
		typ += w.show(w.q.params[0].typ)
	}
	before := w.out.String()
	w.out.Reset()
	args := w.arguments(func(i int) string {
		if i == w.elem {
			return elem
		}
		return w.params[i]
	}, w.failed)
	inside := w.out.String()
	w.out.Reset()
	w.out.WriteString(before)
	if !w.usesElem() {
		elem = "_"
	}
	w.printf("%s := make(%s, len(%s))\nfor %s, %s := range %s {\n%s%s[%s] = %s\n}\n", list, typ, source, index, elem, source, inside, list, index, args)
	return list
}

func (w *sqlcMethod) usesElem() bool {
	for _, a := range w.args {
		if a.param == w.elem {
			return true
		}
	}
	return w.methodPlan.params != nil
}
