package gen

import (
	"fmt"
	"go/types"
	"strings"
)

// addresses are the arguments of the function that says whether two values
// differ at all. It takes pointers, so that nothing is copied once more.
func (c *comparer) addresses(served, other string) []string {
	if c.byRef {
		return []string{served, other}
	}
	return []string{"&" + served, "&" + other}
}

// recursive reports whether a comparer comes back to itself. Such a one must not
// look at everything beneath a value before it descends: on each level the rest
// would be looked at again.
func (c *comparer) recursive() bool {
	seen := map[*comparer]bool{}
	var leads func(*comparer) bool
	leads = func(from *comparer) bool {
		for _, one := range from.fields {
			if one.elem == nil || one.elem.fn == nil {
				continue
			}
			next := one.elem.fn
			if next == c {
				return true
			}
			if !seen[next] {
				seen[next] = true
				if leads(next) {
					return true
				}
			}
		}
		return false
	}
	return leads(c)
}

// quick reports whether a comparer has a function beside it that says whether
// there is any difference at all.
func (c *comparer) quick() bool { return !c.byHand && len(c.fields) > 0 && !c.recursive() }

// same writes the function beside a comparer that says whether there is any
// difference at all.
func (f *file) same(c *comparer, served, other, typ string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "\n// %s reports whether %s has nothing to look for.\n", c.same, c.name)
	if !c.byRef {
		typ = "*" + typ
	}
	fmt.Fprintf(&out, "func %s(%s, %s %s) bool {\n", c.same, served, other, typ)
	if c.byRef {
		fmt.Fprintf(&out, "if %s == nil || %s == nil {\nreturn %s == %s\n}\n", served, other, served, other)
	}
	var all []string
	for _, one := range c.fields {
		if test := f.sameField(one, served, other); test != "true" {
			all = append(all, test)
		}
	}
	if len(all) == 0 {
		all = []string{"true"}
	}
	fmt.Fprintf(&out, "return %s\n}\n", strings.Join(all, " &&\n"))
	return out.String()
}

// sameField writes an expression that is true only where the comparison finds
// nothing, and as often as that can be told cheaply.
func (f *file) sameField(c comparison, served, other string) string {
	a, b := place(served, c.sel), place(other, c.sel)
	call := func(name string, args ...string) string {
		return f.imports.std(comparePath) + ".Same" + name + "(" + strings.Join(append([]string{a, b}, args...), ", ") + ")"
	}
	switch c.op {
	case "Equal", "Number":
		if isText(c.typ) {
			return call("Text")
		}
		return a + " == " + b
	case "Time":
		a, b = address(a), address(b)
		if c.conv != nil {
			conv := "(*" + f.show(c.conv) + ")"
			a, b = conv+"("+a+")", conv+"("+b+")"
		}
		return call("Time")
	case "Bytes":
		return call("Bytes")
	case "JSON":
		if isText(c.typ) {
			return call("Text")
		}
		return "string(" + a + ") == string(" + b + ")"
	case "Decimal":
		if isText(c.typ) {
			return call("Text")
		}
		return call("Decimal")
	case "Method":
		return call("Method")
	case "Custom":
		return call("By", f.equalFunc(c))
	case "Struct":
		return f.sameStruct(c, a, b)
	case "Pointer":
		return call("Pointer", f.sameFunc(c.elem, served, other))
	case "Map":
		return call("Map", f.function(c.elem))
	case "Slice", "Unordered", "UnorderedBy", "UnorderedValues":
		switch {
		case c.elem == nil || c.elem.std == "Values":
			return call("Values")
		case strings.HasSuffix(c.sel, "[:]"):
			return call("Array", f.function(c.elem))
		}
		return call("List", f.sameFunc(c.elem, served, other))
	}
	if c.address {
		a, b = address(a), address(b)
	}
	return call("Any")
}

// place is what a selector leads to behind a pointer.
func place(pointer, sel string) string {
	switch {
	case strings.HasPrefix(sel, "."):
		return pointer + sel
	case sel == "":
		return "*" + pointer
	}
	return "(*" + pointer + ")" + sel
}

func address(place string) string {
	if pointer, ok := strings.CutPrefix(place, "*"); ok {
		return pointer
	}
	return "&" + place
}

func isText(t types.Type) bool {
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsString != 0
}

func (f *file) sameStruct(c comparison, a, b string) string {
	fn := c.elem.fn
	switch {
	case fn != nil && !fn.byHand && len(fn.fields) == 0:
		return "true"
	case fn == nil || !fn.quick():
		if c.address {
			a, b = address(a), address(b)
		}
		return "len(" + f.function(c.elem) + "(" + a + ", " + b + ")) == 0"
	case c.address || !fn.byRef:
		a, b = address(a), address(b)
	}
	return fn.same + "(" + a + ", " + b + ")"
}

// sameFunc writes a func of two pointers that says whether elements are the same.
func (f *file) sameFunc(fn *function, served, other string) string {
	compare := f.imports.std(comparePath)
	switch {
	case fn.std == "Values":
		return compare + ".SameValue[" + f.show(fn.typ) + "]"
	case fn.std == "Times":
		return compare + ".SameTime"
	case fn.fn != nil && !fn.fn.byRef && fn.fn.quick():
		return fn.fn.same
	}
	typ := fn.typ
	if fn.fn != nil {
		typ = fn.fn.typ
	}
	return fmt.Sprintf("func(%[1]s, %[2]s *%[3]s) bool { return len(%[4]s(*%[1]s, *%[2]s)) == 0 }", served, other, f.show(typ), f.function(fn))
}
