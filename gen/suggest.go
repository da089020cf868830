package gen

import (
	"go/types"
	"regexp"
	"strings"
)

// guesses are the verbs that names of methods suggest, the first match wins.
var guesses = []struct {
	name *regexp.Regexp
	verb string
}{
	{regexp.MustCompile(`(^Lock)|(ForUpdate$)`), verbLock},
	{regexp.MustCompile(`^(Create|Insert|Add|New|Register)`), verbCreate},
	{regexp.MustCompile(`^(Save|Put|Set|Upsert|Update|Delete|Remove|Store|Rename|Move|Merge|Increment|Mark|Clear|Replace|Apply|Charge|Transfer)`), verbWrite},
	{regexp.MustCompile(`^(List|All|Search|Query|Count|Page|Keys|Sum)`), verbList},
	{regexp.MustCompile(`^(Get|Find|Load|Read|Fetch|By|Has|Exists|Is|Lookup)`), verbRead},
}

// suggest guesses the directive of a method from its name and its shape. It is
// shown to a person and never acted upon.
func (g *generator) suggest(m *method) string {
	if m.stream == seqStream {
		return marker + verbStream
	}
	for _, p := range m.params {
		if isCallback(p.typ) {
			return marker + verbStream
		}
	}
	verb := verbWrite
	if len(m.results) > 0 {
		verb = verbRead
	}
	for _, guess := range guesses {
		if guess.name.MatchString(m.name) {
			verb = guess.verb
			break
		}
	}
	key := g.suggestKey(m, verb)
	if verb == verbCreate && (len(m.results) == 0 || key == "") {
		verb = verbWrite // the caller makes the key
		key = g.suggestKey(m, verb)
	}
	switch {
	case verb == verbList, verb == verbRead && (key == "" || strings.HasPrefix(key, "key=") && isList(m)):
		return marker + verbList
	case key == "":
		return marker + verb + " all"
	}
	return marker + verb + " " + key
}

// isList reports whether the method returns any number of rows.
func isList(m *method) bool {
	if len(m.results) == 0 {
		return false
	}
	_, ok := m.results[0].typ.Underlying().(*types.Slice)
	return ok && !isBytes(m.results[0].typ)
}

func (g *generator) suggestKey(m *method, verb string) string {
	if verb == verbCreate {
		if len(m.results) == 0 {
			return ""
		}
		return g.keyIn("result", m.results[0].typ)
	}
	for _, p := range m.params {
		if p.name == "" || p.name == m.usualTenant(m.entity.tenant.param) {
			continue
		}
		if key := g.keyIn(p.name, p.typ); key != "" {
			return key
		}
	}
	return ""
}

// keyIn says how a value called name holds a key, or "".
func (g *generator) keyIn(name string, t types.Type) string {
	if slice, ok := t.Underlying().(*types.Slice); ok {
		if textForm(slice.Elem()) != 0 {
			return "keys=" + name
		}
		if field := fieldNamed(slice.Elem(), "ID", "Key"); field != "" {
			return "keys=" + name + "[]." + field
		}
		return ""
	}
	if textForm(t) != 0 {
		return "key=" + name
	}
	if field := fieldNamed(t, "ID", "Key"); field != "" {
		return "key=" + name + "." + field
	}
	return ""
}
