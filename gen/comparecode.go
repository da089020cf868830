package gen

import (
	"fmt"
	"go/types"
	"strconv"
	"strings"
)

// compareFile writes the functions of one file.
func (f *file) compareCode(made []*comparer) string {
	var out strings.Builder
	for _, c := range made {
		out.WriteString(f.comparer(c))
	}
	return out.String()
}

// comparer writes one comparison function.
func (f *file) comparer(c *comparer) string {
	s := newScope(f.imports)
	served, other, col := s.local("served"), s.local("other"), s.local("c")
	typ := c.params
	if c.typ != nil {
		typ = f.show(c.typ)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "\n// %s returns the differences between two values of type %s.\n", c.name, strings.ReplaceAll(typ, "\n", " "))
	for _, note := range c.notes {
		fmt.Fprintf(&out, "// %s\n", note)
	}
	compare := f.imports.std(comparePath)
	fmt.Fprintf(&out, "func %s(%s, %s %s) []%s.Diff {\n", c.name, served, other, typ, compare)
	if len(c.fields) == 0 {
		out.WriteString("\treturn nil // nothing in it can be compared\n}\n")
		return out.String()
	}
	if c.quick() {
		fmt.Fprintf(&out, "if %s(%s) {\nreturn nil\n}\n", c.same, strings.Join(c.addresses(served, other), ", "))
	}
	fmt.Fprintf(&out, "\tvar %s %s.Collector\n", col, compare)
	if c.byRef {
		fmt.Fprintf(&out, "\tif %s == nil || %s == nil {\n%s.Any(&%s, \"\", %s, %s)\nreturn %s.Diffs()\n}\n", served, other, compare, col, served, other, col)
	}
	for _, one := range c.fields {
		fmt.Fprintf(&out, "\t%s.%s(%s)\n", compare, one.op, strings.Join(f.arguments(one, col, served, other), ", "))
	}
	fmt.Fprintf(&out, "\treturn %s.Diffs()\n}\n", col)
	if c.quick() {
		out.WriteString(f.same(c, served, other, typ))
	}
	return out.String()
}

func (f *file) arguments(c comparison, col, served, other string) []string {
	a, b := served+c.sel, other+c.sel
	if c.conv != nil {
		conv := f.show(c.conv)
		a, b = conv+"("+a+")", conv+"("+b+")"
	}
	if c.address {
		a, b = "&"+a, "&"+b
	}
	args := []string{"&" + col, strconv.Quote(c.name), a, b}
	switch {
	case c.op == "Custom":
		args = append(args, f.equalFunc(c))
	case c.by != nil:
		args = append(args, f.keyFunc(c.by))
	}
	if c.elem != nil {
		args = append(args, f.function(c.elem))
	}
	return append(args, f.options(c)...)
}

// equalFunc writes the function by which the user's code compares.
func (f *file) equalFunc(c comparison) string {
	if c.custom != nil {
		return f.object(c.custom)
	}
	return fmt.Sprintf("func(served, other %s) bool { return %s }", f.show(c.typ), c.method)
}

// function writes an expression of type compare.Func.
func (f *file) function(fn *function) string {
	if fn.fn != nil {
		return fn.fn.name
	}
	return f.imports.std(comparePath) + "." + fn.std + f.instance(fn)
}

func (f *file) instance(fn *function) string {
	if fn.std == "Times" {
		return ""
	}
	return "[" + f.show(fn.typ) + "]"
}

// keyFunc writes the function by which elements of two lists are matched.
func (f *file) keyFunc(by *path) string {
	elem, key := f.show(by.elem), f.show(by.typ)
	expr, guards := by.whole("v")
	if len(guards) == 0 {
		return fmt.Sprintf("func(v %s) %s { return %s }", elem, key, expr)
	}
	return fmt.Sprintf("func(v %s) (key %s) {\nif %s {\nkey = %s\n}\nreturn key\n}", elem, key, joinGuards(guards, "!=", " && "), expr)
}

func joinGuards(guards []string, op, with string) string {
	conds := make([]string, len(guards))
	for i, g := range guards {
		conds[i] = g + " " + op + " nil"
	}
	return strings.Join(conds, with)
}

func (f *file) options(c comparison) []string {
	pkg := f.imports.std(comparePath)
	var opts []string
	if c.tag.ignore {
		opts = append(opts, pkg+".Ignore()")
	}
	if c.tag.safe {
		opts = append(opts, pkg+".Safe()")
	}
	if c.tag.nilEmpty && c.op != "Decimal" {
		opts = append(opts, pkg+".NilEmpty()")
	}
	if c.tag.within == "" || c.op != "Time" && c.op != "Number" && c.op != "Decimal" && c.op != "Any" {
		return opts
	}
	if c.tag.isTime {
		return append(opts, pkg+".Within("+durationCode(f.imports.std("time"), c.tag.duration)+")")
	}
	return append(opts, pkg+".Tolerance("+strconv.FormatFloat(c.tag.tolerance, 'g', -1, 64)+")")
}

// object names a function or variable of this package or another.
func (f *file) object(obj types.Object) string {
	if q := f.imports.qualifier(obj.Pkg()); q != "" {
		return q + "." + obj.Name()
	}
	return obj.Name()
}

// show writes a type as code of this file.
func (f *file) show(t types.Type) string { return types.TypeString(t, f.imports.qualifier) }
