package gen

import (
	"fmt"
	"slices"
	"strings"
)

// needsParsing reports whether the text is not the value itself.
func (p keyPart) needsParsing() bool { return p.typ.String() != "string" }

// text writes the canonical text of a part.
func (f *file) text(p keyPart, expr string) string {
	switch p.form {
	case formString:
		return as("string", p, expr)
	case formInt:
		return f.imports.std("strconv") + ".FormatInt(" + as("int64", p, expr) + ", 10)"
	case formUint:
		return f.imports.std("strconv") + ".FormatUint(" + as("uint64", p, expr) + ", 10)"
	case formBool:
		return f.imports.std("strconv") + ".FormatBool(" + as("bool", p, expr) + ")"
	}
	return expr + ".String()"
}

// as converts a part to a basic type, unless it is of that type already.
func as(basic string, p keyPart, expr string) string {
	if p.typ.String() == basic {
		return expr
	}
	return basic + "(" + expr + ")"
}

// tenant is the tenant's text.
func (c *call) tenant() string {
	if c.m.tenant == nil {
		return c.imports.std(repoPath) + ".SoleTenant"
	}
	expr, _ := c.m.tenant.whole(c.params[c.m.tenant.root])
	return c.text(c.m.entity.tenant.codec.parts[0], expr)
}

// keys are the keys that a call names before it runs.
func (c *call) keys() string {
	repo := c.imports.std(repoPath)
	if len(c.m.keys) == 0 {
		return repo + ".AllKeys()"
	}
	root := func(p path) string { return c.params[p.root] }
	if len(c.m.keys) == 1 && !c.m.keys[0].many {
		return repo + ".Key(" + c.keyText(c.m.keys[0], root) + ")"
	}
	return repo + ".KeyList(" + c.keyTexts(root) + ")"
}

// keyText calls the entity's function for the text of one key.
func (c *call) keyText(set keySet, root func(path) string) string {
	var parts []string
	for _, p := range set.parts {
		expr, _ := p.whole(root(p))
		parts = append(parts, expr)
	}
	return c.m.entity.decl.keyText + "(" + strings.Join(parts, ", ") + ")"
}

// keyTexts is an expression of type []string.
func (c *call) keyTexts(root func(path) string) string {
	var lists, single []string
	for _, set := range c.m.keys {
		if set.many {
			lists = append(lists, c.eachText(set, root))
		} else {
			single = append(single, c.keyText(set, root))
		}
	}
	if len(single) > 0 {
		lists = append(lists, "[]string{"+strings.Join(single, ", ")+"}")
	}
	if len(lists) == 1 {
		return lists[0]
	}
	return c.imports.std("slices") + ".Concat(" + strings.Join(lists, ", ") + ")"
}

// eachText makes the text of each element's key.
func (c *call) eachText(set keySet, root func(path) string) string {
	first := set.parts[0]
	slice, _ := first.slice(root(first))
	one := c.m.entity.decl.keyText
	if len(set.parts) > 1 || len(first.steps) > first.each {
		var parts []string
		for _, p := range set.parts {
			expr, _ := p.element("v")
			parts = append(parts, expr)
		}
		one = fmt.Sprintf("func(v %s) string { return %s(%s) }", c.show(first.elem), one, strings.Join(parts, ", "))
	}
	return c.imports.std(repoPath) + ".KeyTexts(" + slice + ", " + one + ")"
}

// guards refuse a call whose key or tenant lies behind a nil pointer.
func (c *call) guards() []guardData {
	var all []guardData
	known := map[string]bool{}
	add := func(p path, tenant bool) {
		if p.root == resultRoot || c.m.verb == verbCreate && !tenant {
			return
		}
		if cond := c.nilCondition(p, c.params[p.root], known); cond != "" {
			all = append(all, guardData{Cond: cond, Return: c.refusal(p.text)})
		}
	}
	if c.m.tenant != nil {
		add(*c.m.tenant, true)
	}
	for _, set := range c.m.keys {
		for _, p := range set.parts {
			add(p, false)
		}
	}
	return all
}

// nilCondition is true where a path cannot be followed; "" where it always
// can, as far as the conditions before it do not say so already.
func (c *call) nilCondition(p path, root string, known map[string]bool) string {
	guards := p.guards(root)
	var conds []string
	add := func(cond string) {
		if !known[cond] {
			known[cond] = true
			conds = append(conds, cond)
		}
	}
	for _, guard := range guards {
		add(guard + " == nil")
	}
	if p.each >= 0 {
		slice, _ := p.slice(root)
		if _, inner := p.element("v"); len(inner) > 0 {
			add(fmt.Sprintf("%s.ContainsFunc(%s, func(v %s) bool { return %s })",
				c.imports.std("slices"), slice, c.show(p.elem), joinGuards(inner, "==", " || ")))
		}
	}
	return strings.Join(conds, " || ")
}

func (c *call) refusal(path string) string {
	err := fmt.Sprintf("&%s.KeyError{Op: %s, Path: %q}", c.imports.std(repoPath), c.m.decl.op, path)
	if c.m.stream == seqStream {
		elem := c.show(seqElem(c.m.results[0].typ))
		return fmt.Sprintf("return func(yield func(%s, error) bool) { yield(*new(%s), %s) }", elem, elem, err)
	}
	var list []string
	for _, r := range c.m.results {
		list = append(list, "*new("+c.show(r.typ)+")")
	}
	return "return " + strings.Join(append(list, err), ", ")
}

// keysOf writes the function that finds the keys which the database made.
func (c *call) keysOf() string {
	value := c.s.local("made")
	usesArgs, usesValue := false, false
	root := func(p path) string {
		switch {
		case p.root != resultRoot:
			usesArgs = true
			for n, i := range c.m.args() {
				if i == p.root && c.m.decl.args != "" {
					return c.args + "." + c.m.decl.fields[n]
				}
			}
			return c.params[p.root]
		case len(c.m.results) > 1:
			usesValue = true
			return value + "." + c.m.decl.resultFields[0]
		}
		usesValue = true
		return value
	}
	var conds []string
	for _, set := range c.m.keys {
		for _, p := range set.parts {
			if p.each >= 0 {
				continue
			}
			for _, guard := range p.guards(root(p)) {
				if cond := guard + " == nil"; !slices.Contains(conds, cond) {
					conds = append(conds, cond)
				}
			}
		}
	}
	code := "return " + c.keyTexts(root)
	if len(conds) > 0 {
		code = "if " + strings.Join(conds, " || ") + " {\nreturn nil // nothing was created\n}\n" + code
	}
	argsName, valueName := "_", "_"
	if usesArgs {
		argsName = c.args
	}
	if usesValue {
		valueName = value
	}
	return fmt.Sprintf("func(%s %s, %s %s) []string {\n%s\n}", argsName, c.argsType(), valueName, c.value(), code)
}
