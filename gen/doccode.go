package gen

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// doc writes a method's comment: the interface's own words, and what the
// routed method does.
func (f *file) doc(m *method) string {
	sentence := m.sentence()
	lines := m.declaredMethod.doc
	if len(lines) == 0 {
		lines = []string{m.name + " " + sentence}
	} else {
		lines = append(append([]string{}, lines...), "", "Routed: "+sentence)
	}
	var out []string
	for _, line := range lines {
		out = append(out, strings.TrimRight("// "+line, " \t"))
	}
	return strings.Join(out, "\n")
}

// sentence says what a method does, in the words of its directive.
func (m *method) sentence() string {
	one, many := m.nouns()
	what := "one " + one
	for _, set := range m.keys {
		if set.many || len(m.keys) > 1 {
			what = many
		}
	}
	var by []string
	for _, set := range m.keys {
		var parts []string
		for _, p := range set.parts {
			parts = append(parts, p.text)
		}
		by = append(by, strings.Join(slices.Compact(parts), " with "))
	}
	if m == m.entity.copier.keys {
		return "walks the keys of " + many + ", up to a limit, behind the one that it is given."
	}
	keyed := ", keyed by " + strings.Join(by, " and ")
	switch m.verb {
	case verbRead:
		return "reads " + what + keyed + m.order()
	case verbLock:
		if m.all {
			return "reads " + many + " by predicate and locks all of the tenant's until the transaction ends."
		}
		return "reads " + what + keyed + ", and locks until the transaction ends."
	case verbList:
		return "reads " + many + " by predicate" + m.order()
	case verbWrite:
		if m.all {
			return "writes " + many + " by predicate, with all of the tenant's locked. " + m.way()
		}
		return "writes " + what + keyed + ". " + m.way()
	case verbCreate:
		return "creates " + what + keyed + ", which the database makes: the other side gets a copy. " + m.way()
	}
	return fmt.Sprintf("hands out %s while it reads them: from one side alone, and never compared.", many)
}

// way says how a write's statements travel, and why.
func (m *method) way() string {
	switch {
	case m.queued():
		return "Queued: it returns an error alone, so that sqlc's :exec statements wait and travel with COMMIT."
	case m.verb == verbCreate:
		return "Not queued: the key has to be read and locked before the other side is written."
	}
	return "Not queued: its result has to be read before the transaction ends."
}

func (m *method) order() string {
	switch {
	case m.by != "":
		return "; their order does not count, they are matched by " + m.by + "."
	case m.unordered:
		return "; their order does not count."
	}
	return "."
}

// nouns names the entity's value: customer, customers.
func (m *method) nouns() (one, many string) {
	t := m.entity.copier.value
	if p, ok := t.Underlying().(*types.Pointer); ok && typeName(t) == nil {
		t = p.Elem()
	}
	one = "row"
	if name := typeName(t); name != nil && name.Pkg() != nil {
		one = words(name.Name())
	}
	return one, plural(one)
}

func plural(noun string) string {
	switch {
	case strings.HasSuffix(noun, "y") && len(noun) > 1 && !strings.ContainsRune("aeiou", rune(noun[len(noun)-2])):
		return noun[:len(noun)-1] + "ies"
	case strings.HasSuffix(noun, "s"), strings.HasSuffix(noun, "x"), strings.HasSuffix(noun, "ch"), strings.HasSuffix(noun, "sh"):
		return noun + "es"
	}
	return noun + "s"
}
