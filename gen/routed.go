package gen

import (
	"fmt"
	"go/types"
	"strconv"
	"strings"
)

// routedData fills in the template of a routed file.
type routedData struct {
	Repo     string
	Entities []entityData
}

type entityData struct {
	Iface, Entity, Routed, Constructor, Copier string
	Cfg, Route, Err, Recv, Tx                  string // names of variables

	Ops        []opData
	Structs    []structData
	Methods    []methodData
	CopierCode string
}

type opData struct{ Var, Method, Kind, Flags string }

type structData struct {
	Name, What, Method string
	Fields             []string
}

type methodData struct {
	Doc, Name, Recv, Params, Results string
	Guards                           []guardData
	Assign, Func, Arguments          string
	CallParams, CallResults          string
	CallBody, Return                 string
}

type guardData struct{ Cond, Return string }

var kinds = map[string]string{
	verbRead: "KindRead", verbList: "KindList", verbLock: "KindLock",
	verbWrite: "KindWrite", verbCreate: "KindCreate", verbStream: "KindStream",
}

func (f *file) entity(e *entity) entityData {
	s := newScope(f.imports)
	data := entityData{
		Iface: e.iface, Entity: strconv.Quote(e.name), Routed: e.decl.routed, Constructor: e.decl.constructor, Copier: e.decl.copier,
		Cfg: s.local("cfg"), Route: s.local("route"), Err: s.local("err"), Recv: s.local("r"), Tx: s.local("tx"),
	}
	for _, m := range e.methods {
		data.Ops = append(data.Ops, opData{Var: m.decl.op, Method: m.name, Kind: kinds[m.verb], Flags: m.flags()})
		data.Structs = append(data.Structs, f.structs(m)...)
		data.Methods = append(data.Methods, f.method(m))
	}
	data.CopierCode = f.copierCode(e)
	return data
}

// flags says what may wait in a write's queue, and what the runtime has to clone:
// arguments of calls that run on both sides, or again after a failure.
func (m *method) flags() string {
	flags := ""
	if m.queued() {
		flags = ", Queue: true"
	}
	for _, i := range m.args() {
		if m.verb != verbStream && holdsMemory(m.params[i].typ, map[types.Type]bool{}) {
			flags += ", CloneArgs: true"
			break
		}
	}
	if m.verb == verbRead || m.verb == verbList {
		for _, r := range m.results {
			if holdsMemory(r.typ, map[types.Type]bool{}) {
				return flags + ", CloneResult: true"
			}
		}
	}
	return flags
}

// queued reports whether the statements of the side with authority may wait for
// COMMIT: nothing of what they return reaches the caller but their errors.
func (m *method) queued() bool { return m.verb == verbWrite && len(m.results) == 0 }

func (f *file) structs(m *method) []structData {
	var all []structData
	if m.decl.args != "" {
		d := structData{Name: m.decl.args, What: "arguments", Method: m.name}
		for n, i := range m.args() {
			d.Fields = append(d.Fields, m.decl.fields[n]+" "+f.show(m.params[i].typ))
		}
		all = append(all, d)
	}
	if m.decl.result != "" {
		d := structData{Name: m.decl.result, What: "results", Method: m.name}
		for n, r := range m.results {
			d.Fields = append(d.Fields, m.decl.resultFields[n]+" "+f.show(r.typ))
		}
		all = append(all, d)
	}
	return all
}

// call is one generated method in the making.
type call struct {
	*file
	m *method
	s *scope

	recv, ctx, side string
	out, err        string
	params          []string // the parameters' names in generated code
	args            string   // the closure's last parameter
}

func (f *file) method(m *method) methodData {
	c := &call{file: f, m: m, s: newScope(f.imports)}
	c.recv, c.ctx, c.side = c.s.local("r"), c.s.local("ctx"), c.s.local("side")
	for i, p := range m.params {
		name := p.name
		if name == "" {
			name = fmt.Sprintf("arg%d", i+1)
		}
		c.params = append(c.params, c.s.param(name))
	}
	c.args = "_"
	switch args := m.args(); {
	case len(args) == 1:
		c.args = c.params[args[0]]
	case len(args) > 1:
		c.args = c.s.local("args")
	}
	c.out, c.err = c.s.local("out"), c.s.local("err")
	data := methodData{
		Doc: f.doc(m), Name: m.name, Recv: c.recv, Params: c.signature(), Results: c.results(), Guards: c.guards(),
		Func: c.function(), Arguments: c.arguments(),
		CallParams:  fmt.Sprintf("%s %s.Context, %s %s, %s %s", c.ctx, f.imports.std("context"), c.side, m.entity.iface, c.args, c.argsType()),
		CallResults: c.callResults(), CallBody: c.body(),
	}
	data.Assign, data.Return = c.outcome()
	return data
}

func (c *call) signature() string {
	list := []string{c.ctx + " " + c.imports.std("context") + ".Context"}
	for i, p := range c.m.params {
		typ := c.show(p.typ)
		if c.m.variadic && i == len(c.m.params)-1 {
			typ = "..." + c.show(p.typ.(*types.Slice).Elem()) // so is the last parameter of a variadic function
		}
		list = append(list, c.params[i]+" "+typ)
	}
	return strings.Join(list, ", ")
}

func (c *call) results() string {
	var list []string
	for _, r := range c.m.results {
		list = append(list, c.show(r.typ))
	}
	if c.m.stream == seqStream {
		return list[0]
	}
	return tuple(append(list, "error"))
}

func tuple(list []string) string {
	if len(list) == 1 {
		return list[0]
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// value is the type that the runtime carries: nothing, the result, or all results.
func (c *call) value() string {
	switch len(c.m.results) {
	case 0:
		return "struct{}"
	case 1:
		return c.show(c.m.results[0].typ)
	}
	return c.m.decl.result
}

// bare reports whether the closure returns an error alone.
func (c *call) bare() bool {
	return len(c.m.results) == 0 && (c.m.verb == verbWrite || c.m.verb == verbStream)
}

func (c *call) function() string {
	switch {
	case c.m.stream == seqStream:
		return "Seq"
	case c.m.stream == eachStream:
		return "Each"
	case c.m.verb == verbWrite && len(c.m.results) > 0:
		return "WriteResult"
	case c.m.verb == verbList:
		return "Read"
	}
	return upperFirst(c.m.verb)
}

func (c *call) argsType() string {
	switch args := c.m.args(); len(args) {
	case 0:
		return c.imports.std(repoPath) + ".NoArgs"
	case 1:
		return c.show(c.m.params[args[0]].typ)
	}
	return c.m.decl.args
}

func (c *call) argsValue() string {
	switch args := c.m.args(); len(args) {
	case 0:
		return c.argsType() + "{}"
	case 1:
		return c.params[args[0]]
	}
	var fields []string
	for n, i := range c.m.args() {
		fields = append(fields, c.m.decl.fields[n]+": "+c.params[i])
	}
	return c.m.decl.args + "{" + strings.Join(fields, ", ") + "}"
}

// arguments are those of the runtime's function, up to the closure.
func (c *call) arguments() string {
	list := []string{c.ctx, c.recv + ".route", c.m.decl.op, c.tenant()}
	switch c.m.verb {
	case verbRead, verbList:
		list = append(list, c.keys(), c.file.function(c.m.decl.diff), c.argsValue())
	case verbLock, verbWrite:
		list = append(list, c.keys(), c.argsValue())
	case verbCreate:
		list = append(list, c.argsValue(), c.keysOf())
	case verbStream:
		list = append(list, c.argsValue())
	}
	return wrap(list, 4)
}

// wrap joins the arguments of a call on one line, or, where that is too long,
// the first ones on one line and the others on as few as they need.
func wrap(list []string, first int) string {
	const width = 110
	if line := strings.Join(list, ", "); len(line) <= width && !strings.Contains(line, "\n") {
		return line
	}
	lines := []string{strings.Join(list[:first], ", ")}
	for i, arg := range list[first:] {
		last := len(lines) - 1
		if i == 0 || strings.Contains(arg, "\n") || len(lines[last])+2+len(arg) > width {
			lines = append(lines, arg)
		} else {
			lines[last] += ", " + arg
		}
	}
	return strings.Join(lines, ",\n")
}

func (c *call) callResults() string {
	switch {
	case c.m.stream == seqStream:
		return c.show(c.m.results[0].typ)
	case c.bare():
		return "error"
	}
	return "(" + c.value() + ", error)"
}

// invocation calls the side's method with the closure's own arguments.
func (c *call) invocation() string {
	list := []string{c.ctx}
	n := 0
	for i := range c.m.params {
		arg := c.params[i]
		if i != c.m.tenantParam() {
			if c.m.decl.args != "" {
				arg = c.args + "." + c.m.decl.fields[n]
			}
			n++
		}
		if c.m.variadic && i == len(c.m.params)-1 {
			arg += "..."
		}
		list = append(list, arg)
	}
	return fmt.Sprintf("%s.%s(%s)", c.side, c.m.name, strings.Join(list, ", "))
}

func (c *call) body() string {
	switch {
	case len(c.m.results) > 1:
		return fmt.Sprintf("var %s %s\nvar %s error\n%s, %s = %s\nreturn %s, %s",
			c.out, c.value(), c.err, c.unpacked(), c.err, c.invocation(), c.out, c.err)
	case len(c.m.results) == 1 || c.bare():
		return "return " + c.invocation()
	}
	return "return struct{}{}, " + c.invocation()
}

// unpacked are the fields of a struct that holds several results.
func (c *call) unpacked() string {
	return c.out + "." + strings.Join(c.m.decl.resultFields, ", "+c.out+".")
}

// outcome says what to do with what the runtime returns.
func (c *call) outcome() (assign, ret string) {
	switch {
	case len(c.m.results) > 1:
		return c.out + ", " + c.err + " := ", "return " + c.unpacked() + ", " + c.err
	case len(c.m.results) == 1 || c.bare():
		return "return ", ""
	}
	return "_, " + c.err + " := ", "return " + c.err
}
