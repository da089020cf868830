package gen

import (
	"fmt"
	"go/types"
	"strings"
)

// copierCode writes the functions between keys and their texts, and the copier.
func (f *file) copierCode(e *entity) string {
	var out strings.Builder
	out.WriteString(f.keyTextCode(e))
	out.WriteString(f.parseCode(e.decl.keyOf, "the key of a canonical text", e.key))
	if e.decl.tenantOf != "" {
		out.WriteString(f.parseCode(e.decl.tenantOf, "the tenant of a canonical text", e.tenant.codec))
	}
	if e.decl.absent != "" {
		fmt.Fprintf(&out, "\nvar %s = %s.New(%q)\n", e.decl.absent, f.imports.std("errors"), e.iface+": not found")
	}
	c := &copyCode{file: f, e: e, s: newScope(f.imports)}
	out.WriteString(c.code())
	return out.String()
}

// keyTextCode writes the one place that makes the text of this entity's keys.
func (f *file) keyTextCode(e *entity) string {
	s := newScope(f.imports)
	var params, texts []string
	for i, p := range e.key.parts {
		name := "key"
		if p.field != "" {
			name = lowerFirst(p.field)
		}
		name = s.param(name)
		params = append(params, name+" "+f.show(p.typ))
		texts = append(texts, f.text(e.key.parts[i], name))
	}
	text := texts[0]
	if e.key.parts[0].field != "" {
		text = f.imports.std(repoPath) + ".CompositeKey(" + strings.Join(texts, ", ") + ")"
	}
	return fmt.Sprintf("\n// %s returns the canonical text of a key.\nfunc %s(%s) string { return %s }\n",
		e.decl.keyText, e.decl.keyText, strings.Join(params, ", "), text)
}

// parseCode writes a function from text to value.
func (f *file) parseCode(name, what string, c codec) string {
	s := newScope(f.imports)
	text, value, parts, err := s.local("text"), s.local("value"), s.local("parts"), s.local("err")
	var out strings.Builder
	fmt.Fprintf(&out, "\n// %s returns %s.\nfunc %s(%s string) (%s, error) {\n", name, what, name, text, f.show(c.typ))
	if c.parts[0].field == "" {
		out.WriteString(f.parseOne(c.parts[0], text, value, err))
		return out.String()
	}
	fmt.Fprintf(&out, "var %s %s\n%s, %s := %s.SplitKey(%s, %d)\nif %s != nil {\nreturn %s, %s\n}\n",
		value, f.show(c.typ), parts, err, f.imports.std(repoPath), text, len(c.parts), err, value, err)
	for i, p := range c.parts {
		out.WriteString(f.parseInto(p, fmt.Sprintf("%s[%d]", parts, i), value, err))
	}
	fmt.Fprintf(&out, "return %s, nil\n}\n", value)
	return out.String()
}

// parseOne ends a function that parses a scalar.
func (f *file) parseOne(p keyPart, text, value, err string) string {
	switch {
	case !p.needsParsing():
		return "return " + text + ", nil\n}\n"
	case p.form == formString:
		return fmt.Sprintf("return %s(%s), nil\n}\n", f.show(p.typ), text)
	case p.form == formUUID:
		return fmt.Sprintf("return %s.Parse(%s)\n}\n", f.imports.named("github.com/google/uuid", "uuid"), text)
	case p.form == formText:
		return fmt.Sprintf("var %s %s\n%s := %s.UnmarshalText([]byte(%s))\nreturn %s, %s\n}\n", value, f.show(p.typ), err, value, text, value, err)
	}
	return fmt.Sprintf("%s, %s := %s\nreturn %s, %s\n}\n", value, err, f.parser(p, text), f.converted(p, value), err)
}

// parseInto parses one part of a composite key into its field.
func (f *file) parseInto(p keyPart, text, value, err string) string {
	field := value + "." + p.field
	fail := fmt.Sprintf("; %s != nil {\nreturn %s, %s\n}\n", err, value, err)
	switch p.form {
	case formString:
		return fmt.Sprintf("%s = %s\n", field, f.converted(p, text))
	case formUUID:
		return fmt.Sprintf("if %s, %s = %s.Parse(%s)%s", field, err, f.imports.named("github.com/google/uuid", "uuid"), text, fail)
	case formText:
		return fmt.Sprintf("if %s = %s.UnmarshalText([]byte(%s))%s", err, field, text, fail)
	}
	part := lowerFirst(p.field) + "Part"
	return fmt.Sprintf("%s, %s := %s\nif %s != nil {\nreturn %s, %s\n}\n%s = %s\n",
		part, err, f.parser(p, text), err, value, err, field, f.converted(p, part))
}

// parser calls strconv for a basic kind.
func (f *file) parser(p keyPart, text string) string {
	strconv := f.imports.std("strconv")
	basic := p.typ.Underlying().(*types.Basic) // the form says so
	bits := map[types.BasicKind]int{
		types.Int8: 8, types.Int16: 16, types.Int32: 32, types.Int64: 64,
		types.Uint8: 8, types.Uint16: 16, types.Uint32: 32, types.Uint64: 64,
	}[basic.Kind()]
	switch p.form {
	case formInt:
		return fmt.Sprintf("%s.ParseInt(%s, 10, %d)", strconv, text, bits)
	case formUint:
		return fmt.Sprintf("%s.ParseUint(%s, 10, %d)", strconv, text, bits)
	}
	return fmt.Sprintf("%s.ParseBool(%s)", strconv, text)
}

// converted makes a value of the part's type out of what strconv returned.
func (f *file) converted(p keyPart, expr string) string {
	returned := map[keyForm]string{formString: "string", formInt: "int64", formUint: "uint64", formBool: "bool"}[p.form]
	if p.typ.String() == returned {
		return expr
	}
	return f.show(p.typ) + "(" + expr + ")"
}

// copyCode writes the copier of one entity.
type copyCode struct {
	*file
	e *entity
	s *scope
}

func (c *copyCode) code() string {
	repo, e := c.imports.std(repoPath), c.e
	iface, key, value := e.iface, c.show(e.key.typ), c.show(e.copier.value)
	var out strings.Builder
	fmt.Fprintf(&out, "\n// %s copies a key from side to side by %s, %s, %s and %s.\nfunc %s() %s.Copier[%s] {\n",
		e.decl.copier, e.copier.get.name, e.copier.put.name, e.copier.del.name, e.copier.keys.name, e.decl.copier, repo, iface)
	fmt.Fprintf(&out, "return %s.CopyBy[%s, %s, %s]{\n", repo, iface, key, value)
	fmt.Fprintf(&out, "KeyText: %s,\nParseKey: %s,\n%s", c.keyText(), e.decl.keyOf, c.valueKey())
	ctx, side, tenant, k, v := c.s.local("ctx"), c.s.local("side"), c.s.local("tenant"), c.s.local("key"), c.s.local("value")
	after, limit := c.s.local("after"), c.s.local("limit")
	head := fmt.Sprintf("%s %s.Context, %s %s, %s string", ctx, c.imports.std("context"), side, iface, tenant)
	fmt.Fprintf(&out, "Get: func(%s, %s %s) (%s, error) {\n%s},\n", head, k, key, value, c.get(ctx, side, tenant, k, v))
	fmt.Fprintf(&out, "Put: func(%s, %s %s) error {\n%s},\n", head, v, value, c.put(ctx, side, tenant, v))
	fmt.Fprintf(&out, "Delete: func(%s, %s %s) error {\n%s},\n", head, k, key, c.del(ctx, side, tenant, k))
	fmt.Fprintf(&out, "KeysAfter: func(%s, %s *%s, %s int) ([]%s, error) {\n%s},\n", head, after, key, limit, key, c.keys(ctx, side, tenant, after, limit))
	fmt.Fprintf(&out, "IsNotFound: %s,\nCompare: %s,\n}\n}\n", c.missing(), c.function(e.decl.diff))
	return out.String()
}

func (c *copyCode) keyText() string {
	if c.e.key.parts[0].field == "" {
		return c.e.decl.keyText
	}
	key := newScope(c.imports).local("key")
	var parts []string
	for _, p := range c.e.key.parts {
		parts = append(parts, key+"."+p.field)
	}
	return fmt.Sprintf("func(%s %s) string { return %s(%s) }", key, c.show(c.e.key.typ), c.e.decl.keyText, strings.Join(parts, ", "))
}

// withTenant begins a closure: the tenant of the method's own type, and the
// statements that make it.
func (c *copyCode) withTenant(m *method, tenant, fail string) (name, code string) {
	if c.e.decl.tenantOf == "" || m.tenantParam() < 0 {
		return tenant, ""
	}
	s := c.s.inner()
	typed, err := s.local("typed"), s.local("err")
	return typed, fmt.Sprintf("%s, %s := %s(%s)\nif %s != nil {\n%s%s\n}\n", typed, err, c.e.decl.tenantOf, tenant, err, fail, err)
}

func (c *copyCode) get(ctx, side, tenant, key, value string) string {
	m, cp := c.e.copier.get, c.e.copier
	typed, code := c.withTenant(m, tenant, "return *new("+c.show(cp.value)+"), ")
	args, _ := m.keyArgs(typed, key) // the roles were checked
	invoke := fmt.Sprintf("%s.%s(%s)", side, m.name, strings.Join(append([]string{ctx}, args...), ", "))
	s := c.s.inner()
	found, err := s.local("found"), s.local("err")
	absent := c.absentError()
	_, pointer := cp.value.Underlying().(*types.Pointer)
	switch {
	case cp.found:
		gone := "!" + found
		if pointer {
			gone = "(" + gone + " || " + value + " == nil)"
		}
		return code + fmt.Sprintf("%s, %s, %s := %s\nif %s == nil && %s {\n%s = %s\n}\nreturn %s, %s\n",
			value, found, err, invoke, err, gone, err, absent, value, err)
	case pointer:
		return code + fmt.Sprintf("%s, %s := %s\nif %s == nil && %s == nil {\n%s = %s\n}\nreturn %s, %s\n",
			value, err, invoke, err, value, err, absent, value, err)
	}
	return code + "return " + invoke + "\n"
}

func (c *copyCode) put(ctx, side, tenant, value string) string {
	m := c.e.copier.put
	typed, code := c.withTenant(m, tenant, "return ")
	args := []string{ctx}
	for i := range m.params {
		switch {
		case i == m.tenantParam():
			args = append(args, typed)
		case c.e.copier.putDeref > 0:
			args = append(args, "&"+value)
		case c.e.copier.putDeref < 0:
			args = append(args, "*"+value)
		default:
			args = append(args, value)
		}
	}
	return code + c.onlyError(m, fmt.Sprintf("%s.%s(%s)", side, m.name, strings.Join(args, ", ")))
}

func (c *copyCode) del(ctx, side, tenant, key string) string {
	m := c.e.copier.del
	typed, code := c.withTenant(m, tenant, "return ")
	args, _ := m.keyArgs(typed, key) // the roles were checked
	return code + c.onlyError(m, fmt.Sprintf("%s.%s(%s)", side, m.name, strings.Join(append([]string{ctx}, args...), ", ")))
}

func (c *copyCode) keys(ctx, side, tenant, after, limit string) string {
	m := c.e.copier.keys
	typed, code := c.withTenant(m, tenant, "return nil, ")
	args := []string{ctx}
	n := 0
	for i := range m.params {
		if i == m.tenantParam() {
			args = append(args, typed)
			continue
		}
		args = append(args, []string{after, limit}[n])
		n++
	}
	return code + fmt.Sprintf("return %s.%s(%s)\n", side, m.name, strings.Join(args, ", "))
}

// onlyError drops the other results of a method.
func (c *copyCode) onlyError(m *method, invoke string) string {
	if len(m.results) == 0 {
		return "return " + invoke + "\n"
	}
	err := c.s.inner().local("err")
	return strings.Repeat("_, ", len(m.results)) + err + " := " + invoke + "\nreturn " + err + "\n"
}

// absentError is the error that says "not there" where a method returns none.
func (c *copyCode) absentError() string {
	if c.e.decl.absent != "" {
		return c.e.decl.absent
	}
	return c.missingName()
}

func (c *copyCode) missingName() string {
	m := c.e.copier.missing
	if q := c.imports.qualifier(m.pkg); q != "" {
		return q + "." + m.name
	}
	return m.name
}

// missing writes the function that recognises "not there".
func (c *copyCode) missing() string {
	m := c.e.copier.missing
	if m.form == missingFunc && c.e.decl.absent == "" {
		return c.missingName()
	}
	e := c.imports.std("errors")
	s := c.s.inner()
	err, target := s.local("err"), s.local("target")
	own := ""
	if c.e.decl.absent != "" {
		own = fmt.Sprintf("%s.Is(%s, %s)", e, err, c.e.decl.absent)
	}
	or := own
	if own != "" {
		or += " || "
	}
	switch m.form {
	case missingIs:
		return fmt.Sprintf("func(%s error) bool { return %s%s.Is(%s, %s) }", err, or, e, err, c.missingName())
	case missingFunc:
		return fmt.Sprintf("func(%s error) bool { return %s%s(%s) }", err, or, c.missingName(), err)
	case missingAs:
		name := c.missingName()
		if m.ptr {
			name = "*" + name
		}
		return fmt.Sprintf("func(%s error) bool {\nvar %s %s\nreturn %s%s.As(%s, &%s)\n}", err, target, name, or, e, err, target)
	}
	return fmt.Sprintf("func(%s error) bool { return %s }", err, own)
}
