package gen

import (
	"fmt"
	"go/types"
	"strings"
)

// execCode ends a method that returns an error alone.
func (w *sqlcMethod) execCode(call string) {
	tell := w.absence("")
	switch {
	case w.q.command == "exec":
		w.printf("return %s\n", call)
	case w.q.command == "one":
		w.printf("_, %s %s %s\n", w.err, w.assign(false), call)
		if tell != "" {
			w.printf("if %s.Is(%s, %s.ErrNoRows) {\n%s}\n", w.imports.std("errors"), w.err, w.imports.named(pgxPath, "pgx"), tell)
		}
		w.printf("return %s\n", w.err)
	case tell != "" && w.oneKey(w.m) && w.q.command != "copyfrom":
		rows := w.s.local("rows")
		count := rows
		if w.q.command == "execresult" {
			count += ".RowsAffected()"
		}
		w.printf("%s, %s := %s\nif %s != nil {\nreturn %s\n}\nif %s == 0 {\n%s}\nreturn nil\n", rows, w.err, call, w.err, w.err, count, tell)
	default:
		w.printf("_, %s %s %s\nreturn %s\n", w.err, w.assign(false), call, w.err)
	}
}

// assign is := unless all that stands before it is there already.
func (w *sqlcMethod) assign(fresh bool) string {
	if !fresh && w.methodPlan.params != nil && w.elem < 0 {
		return "="
	}
	return ":="
}

// countCode returns the number of rows.
func (w *sqlcMethod) countCode(call string) {
	rows := w.s.local("rows")
	count := rows
	if w.q.command == "execresult" {
		count += ".RowsAffected()"
	}
	if t := w.m.results[0].typ; !types.Identical(t, types.Typ[types.Int64]) {
		count = w.typeConversion(t) + "(" + count + ")"
	} else if w.q.command != "execresult" {
		w.printf("return %s\n", call)
		return
	}
	w.printf("%s, %s := %s\nreturn %s, %s\n", rows, w.err, call, count, w.err)
}

// absence writes the return of a method that found nothing, or "" where the
// entity has no way to say so. values stand before the error.
func (w *sqlcMethod) absence(values string) string {
	c := &w.v.entity.copier
	switch c.missing.form {
	case missingIs:
		return fmt.Sprintf("return %s%s\n", values, w.qualified(c.missing))
	case missingAs:
		return fmt.Sprintf("return %s%s\n", values, w.missingValue(c.missing))
	case missingFunc:
		return fmt.Sprintf("return %s%s.m.%s()\n", values, w.recv, w.notFound.name)
	}
	return ""
}

// qualified names what the directive's notfound= names.
func (c *versionCode) qualified(m missing) string {
	if name := c.imports.qualifier(m.pkg); name != "" {
		return name + "." + m.name
	}
	return m.name
}

// missingValue makes an error of a type.
func (c *versionCode) missingValue(m missing) string {
	t := m.pkg.Scope().Lookup(m.name).Type()
	if _, ok := t.Underlying().(*types.Struct); ok {
		text := c.qualified(m) + "{}"
		if m.ptr {
			text = "&" + text
		}
		return text
	}
	if m.ptr {
		return "new(" + c.qualified(m) + ")"
	}
	return c.typeConversion(t) + "(" + c.zero(t) + ")"
}

// oneCode returns what one row says.
func (w *sqlcMethod) oneCode(call string) {
	found := len(w.m.results) == 2
	row := w.s.local("row")
	tell := w.absence(w.failed)
	if _, number := w.q.row.Underlying().(*types.Basic); number && w.m.verb == verbList {
		tell = "" // select count(*) always has a row
	}
	_, pointer := w.m.results[0].typ.Underlying().(*types.Pointer)
	switch {
	case found:
		tell = fmt.Sprintf("return %snil\n", w.failed)
	case tell == "" && pointer:
		tell = "return nil, nil\n"
	}
	if tell == "" && w.result.plain() && !w.result.convert && !found {
		w.printf("return %s\n", call)
		return
	}
	w.printf("%s, %s := %s\n", row, w.err, call)
	if tell != "" {
		w.printf("if %s.Is(%s, %s.ErrNoRows) {\n%s}\n", w.imports.std("errors"), w.err, w.imports.named(pgxPath, "pgx"), tell)
	}
	if w.result.plain() && !w.result.convert && !found {
		w.printf("return %s, %s\n", row, w.err)
		return
	}
	w.printf("if %s != nil {\nreturn %s%s\n}\n", w.err, w.failed, w.err)
	more := ""
	if found {
		more = "true, "
	}
	w.returnValue(row, more)
}

// returnValue converts a row and returns it.
func (w *sqlcMethod) returnValue(row, more string) {
	v := w.result
	if v.fails() && v.elem == nil && !v.toPtr && more == "" {
		w.printf("return %s\n", w.convertCall(v, row, w.recv))
		return
	}
	if v.elem == nil && !v.fails() && !v.toPtr {
		w.printf("return %s, %snil\n", w.convertCall(v, row, w.recv), more)
		return
	}
	value := w.s.local("value")
	if v.conv != nil && v.toPtr {
		pointed := *v
		pointed.toPtr = false
		w.out.WriteString(w.convertInto(convertSite{v: &pointed, from: row, to: value, fresh: true, err: w.err, recv: w.recv, failed: w.failed, s: w.s}))
		w.printf("return &%s, %snil\n", value, more)
		return
	}
	w.out.WriteString(w.convertInto(convertSite{v: v, from: row, to: value, fresh: true, err: w.err, recv: w.recv, failed: w.failed, s: w.s}))
	w.printf("return %s, %snil\n", value, more)
}

// manyCode returns a list.
func (w *sqlcMethod) manyCode(call string) {
	typ := w.m.results[0].typ
	v := w.result
	if v.plain() && !v.convert {
		if types.Identical(typ, types.NewSlice(v.from)) || typeName(typ) != nil {
			w.printf("return %s\n", call)
			return
		}
	}
	rows, list, i, row := w.s.local("rows"), w.s.local("list"), w.s.local("i"), w.s.local("row")
	w.printf("%s, %s := %s\nif %s != nil {\nreturn nil, %s\n}\n%s := make(%s, len(%s))\nfor %s, %s := range %s {\n",
		rows, w.err, call, w.err, w.err, list, w.show(typ), rows, i, row, rows)
	w.out.WriteString(w.convertInto(convertSite{v: v, from: row, to: fmt.Sprintf("%s[%s]", list, i), err: w.err, recv: w.recv, failed: "nil, ", s: w.s, row: true}))
	w.printf("}\nreturn %s, nil\n", list)
}

// batchCode sends a batch and keeps its first error.
func (w *sqlcMethod) batchCode(call string) {
	failed := w.s.local("failed")
	keep := fmt.Sprintf("if %s == nil {\n%s = %s\n}\n", failed, failed, w.err)
	if w.q.command == "batchexec" {
		w.printf("var %s error\n%s.Exec(func(_ int, %s error) {\n%s})\nreturn %s\n", failed, call, w.err, keep, failed)
		return
	}
	list, i, row := w.s.local("list"), w.s.local("n"), w.s.local("row")
	typ := w.show(w.m.results[0].typ)
	var tell string
	if w.q.command == "batchone" {
		w.printf("%s := make(%s, len(%s))\n", list, typ, w.params[w.elem])
		w.printf("var %s error\n%s.QueryRow(func(%s int, %s %s, %s error) {\n", failed, call, i, row, w.show(w.q.row), w.err)
		site := convertSite{v: w.result, from: row, to: fmt.Sprintf("%s[%s]", list, i), err: w.err, recv: w.recv, s: w.s, row: true, soft: true}
		w.printf("if %s == nil {\n%s}\n%s})\n", w.err, w.convertInto(site), keep)
		if tell = w.absence("nil, "); tell != "" {
			w.printf("if %s.Is(%s, %s.ErrNoRows) {\n%s}\n", w.imports.std("errors"), failed, w.imports.named(pgxPath, "pgx"), tell)
		}
	} else {
		rows, value := w.s.local("rows"), w.s.local("value")
		w.printf("var %s %s\nvar %s error\n%s.Query(func(_ int, %s []%s, %s error) {\nfor _, %s := range %s {\nvar %s %s\n",
			list, typ, failed, call, rows, w.show(w.q.row), w.err, row, rows, value, w.show(w.m.results[0].typ.Underlying().(*types.Slice).Elem()))
		site := convertSite{v: w.result, from: row, to: value, err: w.err, recv: w.recv, s: w.s, row: true, soft: true}
		w.printf("if %s == nil {\n%s}\n%s = append(%s, %s)\n}\n%s})\n", w.err, w.convertInto(site), list, list, value, keep)
	}
	w.printf("if %s != nil {\nreturn nil, %s\n}\nreturn %s, nil\n", failed, failed, list)
}

// convertCall writes the call that converts a value, without pointers and lists.
func (c *versionCode) convertCall(v *valueCopy, from, recv string) string {
	switch {
	case v.mapper != nil:
		return fmt.Sprintf("%s.m.%s(%s)", recv, v.mapper.name, from)
	case v.conv == nil && v.convert:
		return fmt.Sprintf("%s(%s)", c.typeConversion(v.to), from)
	case v.conv == nil:
		return from
	}
	if v.fromPtr {
		from = "*" + from
	}
	if v.same {
		from = fmt.Sprintf("%s(%s)", c.show(v.conv.from), from)
	}
	return fmt.Sprintf("%s.%s(%s)", recv, v.conv.fn, from)
}

// convertSite is a place where a value is converted into a variable.
type convertSite struct {
	v         *valueCopy
	from, to  string
	fresh     bool // the variable is declared here
	err, recv string
	failed    string // what is returned before an error
	row       bool   // what a query returned, which is never a nil pointer
	soft      bool   // errors are kept in err, and nothing is returned
	s         *scope
}

// convertInto writes the statements that convert a value into a variable.
func (c *versionCode) convertInto(at convertSite) string {
	v := at.v
	if v.elem != nil {
		return c.convertList(at)
	}
	if v.conv != nil && v.fromPtr && v.toPtr && !at.row {
		return c.convertPointer(at)
	}
	assign := "="
	if at.fresh {
		assign = ":="
	}
	target := at.to
	if v.toPtr && v.conv != nil {
		target, assign = at.s.local("converted"), ":="
	}
	var out strings.Builder
	call := c.convertCall(v, at.from, at.recv)
	switch {
	case !v.fails():
		fmt.Fprintf(&out, "%s %s %s\n", target, assign, call)
	case at.soft && assign == "=":
		fmt.Fprintf(&out, "%s, %s = %s\n", target, at.err, call)
	case at.soft:
		fmt.Fprintf(&out, "var %s %s\n%s, %s = %s\n", target, c.show(v.conv.to), target, at.err, call)
	case assign == ":=":
		fmt.Fprintf(&out, "%s, %s := %s\nif %s != nil {\nreturn %s%s\n}\n", target, at.err, call, at.err, at.failed, at.err)
	default:
		fmt.Fprintf(&out, "if %s, %s = %s; %s != nil {\nreturn %s%s\n}\n", target, at.err, call, at.err, at.failed, at.err)
	}
	if target != at.to {
		op := "="
		if at.fresh {
			op = ":="
		}
		fmt.Fprintf(&out, "%s %s &%s\n", at.to, op, target)
	}
	return out.String()
}

// convertPointer converts what is pointed to; nil stays nil.
func (c *versionCode) convertPointer(at convertSite) string {
	v := *at.v
	v.toPtr = false
	inner := at
	inner.v, inner.to, inner.fresh = &v, at.s.local("converted"), true
	declared := ""
	if at.fresh {
		declared = fmt.Sprintf("var %s %s\n", at.to, c.show(at.v.to))
	}
	return fmt.Sprintf("%sif %s != nil {\n%s%s = &%s\n}\n", declared, at.from, c.convertInto(inner), at.to, inner.to)
}

// convertList converts one element after the other; an empty list is nil.
func (c *versionCode) convertList(at convertSite) string {
	elem, value := at.s.local("element"), at.s.local("one")
	var out strings.Builder
	if at.fresh {
		fmt.Fprintf(&out, "var %s %s\n", at.to, c.show(at.v.to))
	}
	inner := at
	inner.v, inner.from, inner.to, inner.fresh = at.v.elem, elem, value, true
	fmt.Fprintf(&out, "for _, %s := range %s {\n", elem, at.from)
	if at.soft {
		fmt.Fprintf(&out, "var %s %s\n", value, c.show(at.v.elem.to))
		inner.fresh = false
	}
	fmt.Fprintf(&out, "%s%s = append(%s, %s)\n}\n", c.convertInto(inner), at.to, at.to, value)
	return out.String()
}

// conversionsCode writes the functions from struct to struct.
func (c *versionCode) conversionsCode() string {
	var out strings.Builder
	for _, conv := range c.conversions {
		out.WriteString(c.conversionCode(conv))
	}
	return out.String()
}

func (c *versionCode) conversionCode(conv *conversion) string {
	s := newScope(c.imports)
	recv, arg, err := s.local("r"), s.local(conv.arg), s.local("err")
	to := c.show(conv.to)
	failed := to + "{}, "
	result := to
	if conv.fails() {
		result = "(" + to + ", error)"
	}
	var out strings.Builder
	what := "makes the " + c.say(conv.to) + " of a row."
	if !c.isRow(conv.from) {
		what = "makes the row of one " + c.say(conv.from) + "."
	}
	fmt.Fprintf(&out, "\n%sfunc (%s *Repository) %s(%s %s) %s {\n", comment(conv.fn+" "+what), recv, conv.fn, arg, c.show(conv.from), result)
	mapped := map[string]string{}
	if conv.mapper != nil {
		var names []string
		i := 0
		for _, f := range conv.fields {
			if f.from == "" {
				mapped[f.name] = s.local(conv.mapper.results[i].name)
				names = append(names, mapped[f.name])
				i++
			}
		}
		fmt.Fprintf(&out, "%s, %s := %s.m.%s(%s)\nif %s != nil {\nreturn %s%s\n}\n", strings.Join(names, ", "), err, recv, conv.mapper.name, arg, err, failed, err)
	}
	direct := true
	var fields, sets []string
	for _, f := range conv.fields {
		expr := mapped[f.name]
		switch {
		case f.from == "":
		case f.sub != nil:
			expr = s.local(lowerFirst(f.name[strings.LastIndex(f.name, ".")+1:]))
			site := convertSite{v: f.sub, from: arg + f.from, to: expr, fresh: true, err: err, recv: recv, failed: failed, s: s}
			if f.sub.elem == nil && !f.sub.fails() && !f.sub.toPtr {
				expr = c.convertCall(f.sub, arg+f.from, recv)
			} else {
				out.WriteString(c.convertInto(site))
			}
		case f.convert:
			expr = fmt.Sprintf("%s(%s)", c.typeConversion(f.typ), arg+f.from)
		default:
			expr = arg + f.from
		}
		direct = direct && strings.Count(f.name, ".") == 1 && hasDirectField(conv.to, f.name[1:])
		fields = append(fields, f.name[1:]+": "+expr)
		sets = append(sets, f.name+" = "+expr)
	}
	tail := ""
	if conv.fails() {
		tail = ", nil"
	}
	if direct {
		fmt.Fprintf(&out, "return %s%s\n}\n", literal(to, fields), tail)
		return out.String()
	}
	made := s.local("made")
	fmt.Fprintf(&out, "var %s %s\n", made, to)
	for _, set := range sets {
		fmt.Fprintf(&out, "%s%s\n", made, set)
	}
	fmt.Fprintf(&out, "return %s%s\n}\n", made, tail)
	return out.String()
}

// hasDirectField reports whether a struct has the field itself, and not by
// embedding.
func hasDirectField(t types.Type, name string) bool {
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for f := range s.Fields() {
		if f.Name() == name {
			return true
		}
	}
	return false
}
