package gen

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// contractOperation is one operation of a description in the making.
type contractOperation struct {
	*contractFile
	m       *method
	fields  []string // of the arguments' struct, by parameter; "" for a callback
	results []string // of the answer's struct
}

// contractFields returns the field for each parameter, none for a callback.
func (m *method) contractFields() []string {
	fields := make([]string, len(m.params))
	used := map[string]bool{}
	for i, p := range m.params {
		if !isCallback(p.typ) {
			fields[i] = uniqueField(used, p.name, i+1)
		}
	}
	return fields
}

// unfit says why an operation cannot be tried, or "".
func (o *contractOperation) unfit() string {
	m := o.m
	switch {
	case m.stream == eachStream:
		if o.callbackRow() == nil {
			return "its callback is no func(T) error"
		}
	case m.verb == verbCreate:
		return o.unfitCreate()
	}
	return ""
}

// callbackRow returns T of the parameter func(T) error, or nil.
func (o *contractOperation) callbackRow() types.Type {
	for _, p := range o.m.params {
		if sig, ok := p.typ.Underlying().(*types.Signature); ok && sig.Params().Len() == 1 && isError(sig.Results().At(0).Type()) {
			return sig.Params().At(0).Type()
		}
	}
	return nil
}

func (o *contractOperation) code() string {
	test, m := o.imports.std(contractPath), o.m
	args, answer := o.argsName(m), o.answer()
	results := len(m.results)
	if m.stream != noStream {
		results = 1
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s.Operation[%s, %s, %s]{\nName: %q,\nKind: %s.%s,\n", test, o.iface, args, answer, m.name, o.imports.std(repoPath), kinds[m.verb])
	fmt.Fprintf(&out, "Draw: func(d *%s.Draw) %s {\n%s},\n", test, args, o.draw())
	fmt.Fprintf(&out, "Call: func(ctx %s.Context, r %s, args %s) (%s, error) {\n%s},\n", o.imports.std("context"), o.iface, args, answer, o.call())
	if diff := o.compare(); diff != "" {
		fmt.Fprintf(&out, "Compare: %s,\n", diff)
	}
	fmt.Fprintf(&out, "GoCode: %q,\nResults: %d,\n},\n", o.goCode(), results)
	return out.String()
}

// answer is the type of the operation's answer.
func (o *contractOperation) answer() string {
	m := o.m
	switch {
	case m.verb == verbCreate:
		return o.answerName(m)
	case m.stream == seqStream:
		return "[]" + o.show(seqElem(m.results[0].typ))
	case m.stream == eachStream:
		return "[]" + o.show(o.callbackRow())
	case len(m.results) == 0:
		return o.imports.std(contractPath) + ".None"
	case len(m.results) == 1:
		return o.show(m.results[0].typ)
	}
	return o.answerName(m)
}

func (o *contractOperation) structs() string {
	var out strings.Builder
	m := o.m
	fmt.Fprintf(&out, "\n// %s are the arguments of %s.%s.\ntype %s struct {\n", o.argsName(m), o.e.iface, m.name, o.argsName(m))
	for i, p := range m.params {
		if o.fields[i] != "" {
			fmt.Fprintf(&out, "%s %s\n", o.fields[i], o.show(p.typ))
		}
	}
	out.WriteString("}\n")
	if m.stream != noStream || len(m.results) < 2 && m.verb != verbCreate {
		return out.String()
	}
	fmt.Fprintf(&out, "\n// %s is the answer of %s.%s.\ntype %s struct {\n", o.answerName(m), o.e.iface, m.name, o.answerName(m))
	for i, r := range m.results {
		fmt.Fprintf(&out, "%s %s\n", o.results[i], o.show(r.typ))
	}
	if m.verb == verbCreate {
		fmt.Fprintf(&out, "%s %s // what the new key reads\n", o.stored(), o.show(o.e.copier.value))
	}
	out.WriteString("}\n")
	return out.String()
}

// draw writes how the arguments are drawn.
func (o *contractOperation) draw() string {
	var fields []string
	for i, p := range o.m.params {
		if o.fields[i] != "" {
			fields = append(fields, o.fields[i]+": "+o.drawn(i, p))
		}
	}
	literal := fmt.Sprintf("%s{%s}", o.argsName(o.m), strings.Join(fields, ", "))
	fixes := o.fixes()
	if fixes == "" {
		return "return " + literal + "\n"
	}
	return "args := " + literal + "\n" + fixes + "return args\n"
}

// drawn writes how one argument is drawn, without what is inside of it.
func (o *contractOperation) drawn(i int, p param) string {
	test, m := o.imports.std(contractPath), o.m
	name := p.name
	if name == "" {
		name = o.fields[i]
	}
	draw := func(function string, t types.Type) string {
		return fmt.Sprintf("%s.%s[%s](d, %q)", test, function, o.show(t), name)
	}
	if i == m.tenantParam() {
		return draw("Tenant", p.typ)
	}
	for _, set := range m.keys {
		for _, part := range set.parts {
			switch {
			case part.root != i || len(part.steps) > 0:
			case part.each < 0:
				return draw("Key", p.typ)
			default:
				keys := draw("Keys", part.typ)
				if _, isNamed := types.Unalias(p.typ).(*types.Named); isNamed {
					return o.show(p.typ) + "(" + keys + ")"
				}
				return keys
			}
		}
	}
	basic, _ := p.typ.Underlying().(*types.Basic)
	isInteger := basic != nil && basic.Info()&types.IsInteger != 0
	pointer, isPointer := p.typ.(*types.Pointer)
	switch {
	case m == o.e.copier.keys && isPointer && o.e.key.parts[0].field == "":
		return draw("KeyOrNil", pointer.Elem())
	case isInteger && (m == o.e.copier.keys || strings.EqualFold(name, "limit")):
		return draw("Limit", p.typ)
	}
	return draw("Value", p.typ)
}

// fixes writes the keys and the tenant into drawn values.
func (o *contractOperation) fixes() string {
	var out strings.Builder
	for _, set := range o.m.keys {
		for _, part := range set.parts {
			out.WriteString(o.assign(part, "Key"))
		}
	}
	if o.m.tenant != nil {
		out.WriteString(o.assign(*o.m.tenant, "Tenant"))
	}
	return out.String()
}

// assign writes one key or tenant to where its path leads inside of an argument.
func (o *contractOperation) assign(p path, function string) string {
	if p.root == resultRoot || len(p.steps) == 0 || slices.ContainsFunc(p.steps, func(s step) bool { return s.call }) {
		return ""
	}
	value := fmt.Sprintf("%s.%s[%s](d, %q)", o.imports.std(contractPath), function, o.show(p.typ), p.text)
	root := "args." + o.fields[p.root]
	if p.each < 0 {
		target, guards := p.whole(root)
		return guarded(guards, target+" = "+value+"\n")
	}
	list, guards := p.slice(root)
	target, inner := p.element(list + "[i]")
	return guarded(guards, fmt.Sprintf("for i := range %s {\n%s}\n", list, guarded(inner, target+" = "+value+"\n")))
}

func guarded(guards []string, code string) string {
	if len(guards) == 0 {
		return code
	}
	return "if " + strings.Join(guards, " != nil && ") + " != nil {\n" + code + "}\n"
}

// invocation writes the call. argument writes the i-th of the parameters that
// are no callbacks, n-th by number.
func (o *contractOperation) invocation(argument func(i, n int) string, callback string) string {
	list := []string{"ctx"}
	n := 0
	for i := range o.m.params {
		arg := callback
		if o.fields[i] != "" {
			arg = argument(i, n)
			n++
			if o.m.variadic && i == len(o.m.params)-1 {
				arg += "..."
			}
		}
		list = append(list, arg)
	}
	text := fmt.Sprintf("r.%s(%s)", o.m.name, strings.Join(list, ", "))
	test := o.imports.std(contractPath)
	switch o.m.stream {
	case seqStream:
		text = fmt.Sprintf("%s.CollectSeq(%s)", test, text)
	case eachStream:
		text = fmt.Sprintf("%s.CollectEach(func(each func(%s) error) error { return %s })", test, o.show(o.callbackRow()), text)
	}
	return text
}

// goCode is the call with places for the arguments' code.
func (o *contractOperation) goCode() string {
	return o.invocation(func(_, n int) string { return fmt.Sprintf("{%d}", n) }, "each")
}

func (o *contractOperation) call() string {
	m := o.m
	invoke := o.invocation(func(i, _ int) string { return "args." + o.fields[i] }, "each")
	none := o.imports.std(contractPath) + ".None{}"
	switch {
	case m.verb == verbCreate:
		return o.createCall(invoke)
	case m.stream != noStream || len(m.results) == 1:
		return "return " + invoke + "\n"
	case len(m.results) == 0:
		return "return " + none + ", " + invoke + "\n"
	}
	return fmt.Sprintf("var out %s\nvar err error\nout.%s, err = %s\nreturn out, err\n", o.answer(), strings.Join(o.results, ", out."), invoke)
}
