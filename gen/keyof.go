package gen

import (
	"fmt"
	"slices"
	"strings"
)

// valueKey writes the copier's function from a value to its key, along the
// paths by which the role put= names its key: lists under a share of keys find
// out by it which side each row comes from. It is empty where the key is not in
// the value.
func (c *copyCode) valueKey() string {
	put := c.e.copier.put
	set, args := put.keys[0], put.args()
	var exprs, nils []string
	s := c.s.inner()
	value := s.local("value")
	if c.e.copier.putDeref < 0 { // the pointer that get returns
		nils = append(nils, value+" == nil")
	}
	for _, p := range set.parts {
		if p.root != args[0] || p.each > 0 {
			return ""
		}
		expr, guards := p.expr(value, 0, len(p.steps))
		exprs = append(exprs, expr)
		for _, guard := range guards {
			if guard == value && c.e.copier.putDeref > 0 {
				continue // put takes a pointer to it
			}
			if cond := guard + " == nil"; !slices.Contains(nils, cond) {
				nils = append(nils, cond)
			}
		}
	}
	if len(exprs) != len(c.e.key.parts) {
		return ""
	}
	key := exprs[0]
	if c.e.key.parts[0].field != "" {
		var fields []string
		for i, part := range c.e.key.parts {
			fields = append(fields, part.field+": "+exprs[i])
		}
		key = c.show(c.e.key.typ) + "{" + strings.Join(fields, ", ") + "}"
	}
	body := "return " + key
	if len(nils) > 0 {
		body = fmt.Sprintf("if %s {\nreturn *new(%s) // no key\n}\n%s", strings.Join(nils, " || "), c.show(c.e.key.typ), body)
		body = "\n" + body + "\n"
	} else {
		body = " " + body + " "
	}
	return fmt.Sprintf("KeyOf: func(%s %s) %s {%s},\n", value, c.show(c.e.copier.value), c.show(c.e.key.typ), body)
}
