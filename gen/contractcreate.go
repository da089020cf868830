package gen

import (
	"fmt"
	"strings"
)

// The key that a create makes is another one on each side. So what the key
// reads is part of the answer, without the key, and the row is deleted again.

// stored is the field of a create's answer that holds what the new key reads.
func (o *contractOperation) stored() string {
	for _, name := range o.results {
		if name == "Stored" {
			return "StoredAgain"
		}
	}
	return "Stored"
}

// unfitCreate says why a create cannot be tried, or "".
func (o *contractOperation) unfitCreate() string {
	m, c := o.m, o.e.copier
	switch {
	case len(m.keys) != 1 || m.keys[0].many || len(m.keys[0].parts) != 1:
		return "it makes several keys, or a key of several parts, which are different ones on each side"
	case c.found:
		return "the key that it makes is another one on each side, and what " + c.get.name + " reads by it cannot be told from nothing"
	case o.putKey() == nil:
		return "the key that it makes is another one on each side, and it cannot be taken out of what " + c.get.name + " reads"
	}
	key := m.keys[0].parts[0]
	for _, s := range key.steps {
		if s.call {
			return "the key that it makes is another one on each side, and it cannot be taken out of the answer"
		}
	}
	return ""
}

// putKey is the path to the key inside of the value that get returns, or nil.
func (o *contractOperation) putKey() *path {
	put := o.e.copier.put
	if len(put.keys) != 1 || len(put.keys[0].parts) != 1 || o.e.copier.putDeref != 0 {
		return nil
	}
	p := put.keys[0].parts[0]
	for _, s := range p.steps {
		if s.call {
			return nil
		}
	}
	if len(p.steps) == 0 {
		return nil
	}
	return &p
}

// createCall writes the body of Call.
func (o *contractOperation) createCall(invoke string) string {
	m, c := o.m, o.e.copier
	key := m.keys[0].parts[0]
	root := "args."
	if key.root == resultRoot {
		root = "out." + o.results[0]
	} else {
		root += o.fields[key.root]
	}
	made, guards := key.whole(root)
	stored := "out." + o.stored()
	storedKey, _ := o.putKey().whole(stored)
	tenant := ""
	if m.tenant != nil {
		tenant, _ = m.tenant.whole("args." + o.fields[m.tenant.root])
	}
	var out strings.Builder
	fmt.Fprintf(&out, "var out %s\nvar err error\n", o.answer())
	if len(m.results) > 0 {
		fmt.Fprintf(&out, "out.%s, err = %s\n", strings.Join(o.results, ", out."), invoke)
	} else {
		fmt.Fprintf(&out, "err = %s\n", invoke)
	}
	failed := append([]string{"err != nil"}, guards...)
	for i, guard := range guards {
		failed[i+1] = guard + " == nil"
	}
	fmt.Fprintf(&out, "if %s {\nreturn out, err\n}\n", strings.Join(failed, " || "))
	out.WriteString("// The key is another one on each side: the answer is what it reads, without it, and the row goes again.\n")
	get, _ := c.get.keyArgs(tenant, made)
	del, _ := c.del.keyArgs(tenant, made)
	fmt.Fprintf(&out, "if %s, err = r.%s(%s); err != nil {\nreturn out, err\n}\n", stored, c.get.name, strings.Join(append([]string{"ctx"}, get...), ", "))
	blanks := strings.Repeat("_, ", len(c.del.results))
	assign := "err = "
	if blanks != "" {
		assign = blanks + "err = "
	}
	fmt.Fprintf(&out, "%sr.%s(%s)\n", assign, c.del.name, strings.Join(append([]string{"ctx"}, del...), ", "))
	zero := fmt.Sprintf("*new(%s)", o.show(key.typ))
	if key.root == resultRoot {
		fmt.Fprintf(&out, "%s = %s\n", made, zero)
	}
	fmt.Fprintf(&out, "%s = %s\nreturn out, err\n", storedKey, zero)
	return out.String()
}
