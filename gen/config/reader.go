package config

import (
	"fmt"
	"go/token"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// reader turns nodes into values and collects what is wrong with them.
type reader struct {
	path     string
	problems []Problem
}

func (r *reader) pos(n *yaml.Node) token.Position {
	return token.Position{Filename: r.path, Line: n.Line, Column: n.Column}
}

// resolved follows an alias to what it stands for.
func resolved(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	return n
}

// entry is a key of a mapping with its value.
type entry struct{ key, value *yaml.Node }

// mapping returns the values of an object by their keys; what is unknown,
// missing or there twice is reported.
func (r *reader) mapping(n *yaml.Node, where string, o *object) map[string]entry {
	content := resolved(n)
	if content.Kind != yaml.MappingNode {
		r.problem(r.pos(n), where, "expected %s with the keys %s, found %s: write `%s`", o.what, strings.Join(o.names(), ", "), shown(content), o.keys[0].example)
		return nil
	}
	found, meant := map[string]entry{}, map[string]bool{}
	for i := 0; i+1 < len(content.Content); i += 2 {
		k, v := content.Content[i], content.Content[i+1]
		name := resolved(k).Value
		_, known := o.find(name)
		first, twice := found[name]
		switch {
		case resolved(k).Tag == "!!merge":
			r.problem(r.pos(k), where, "<< is not read here: write the keys out")
		case !known || resolved(k).Kind != yaml.ScalarNode:
			meant[r.unknown(k, content, where, o)] = true
		case twice:
			r.problem(r.pos(k), where, "the key %s is there twice, first in line %d: delete one of them", name, first.key.Line)
		default:
			found[name] = entry{k, v}
		}
	}
	for _, k := range o.keys {
		if _, there := found[k.name]; k.required && !there && !meant[k.name] {
			r.problem(r.pos(n), where, "the key %s is missing: add the line `%s`", k.name, k.example)
		}
	}
	return found
}

// unknown reports a key, and returns the one that was probably meant.
func (r *reader) unknown(k, among *yaml.Node, where string, o *object) (meant string) {
	name := shown(resolved(k))
	if resolved(k).Kind == yaml.ScalarNode {
		name = resolved(k).Value
		meant = Nearest(name, o.names())
		for i := 0; i < len(among.Content); i += 2 {
			if meant != "" && among.Content[i].Value == meant {
				r.problem(r.pos(k), where, "unknown key %s of %s: delete it, since %s is in line %d", name, o.what, meant, among.Content[i].Line)
				return meant
			}
		}
		if meant != "" {
			r.problem(r.pos(k), where, "unknown key %s of %s: write %s", name, o.what, meant)
			return meant
		}
	}
	r.problem(r.pos(k), where, "unknown key %s of %s: expected %s; delete it", name, o.what, strings.Join(o.names(), ", "))
	return ""
}

// list returns the elements of a list; nothing at all is an empty one.
func (r *reader) list(e entry, where, example string) []*yaml.Node {
	content := resolved(e.value)
	switch {
	case content.Kind == yaml.SequenceNode:
		return content.Content
	case content.Kind == yaml.ScalarNode && content.Tag == "!!null":
		return nil
	}
	r.problem(r.pos(e.value), where, "%s: expected a list, each element of which begins with `- %s`, found %s", e.key.Value, example, shown(content))
	return nil
}

// text returns a value in the form that it must have.
func (r *reader) text(n *yaml.Node, name, where string, f *form) Text {
	t := Text{Pos: r.pos(n)}
	content := resolved(n)
	unfit := f.check(content.Value)
	switch {
	case content.Kind != yaml.ScalarNode:
		r.problem(t.Pos, where, "%s: expected a text, found %s", name, shown(content))
	case content.Tag == "!!null" || content.Tag == "!!str" && content.Value == "":
		r.problem(t.Pos, where, "%s has no value: write one, or delete the key", name)
	case unfit != nil:
		r.problem(t.Pos, where, "%s: %v", name, unfit)
		t.Value = content.Value
	case content.Tag != "!!str":
		r.problem(t.Pos, where, "%s: expected a text, found %s: put it in quotes, %q", name, shown(content), content.Value)
	default:
		t.Value = content.Value
	}
	return t
}

// shown says what a node is, for people.
func shown(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!null":
		return "nothing"
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return "the yes or no " + n.Value
	case "!!timestamp":
		return "the date " + n.Value
	case "!!str":
		return "the text " + strconv.Quote(n.Value)
	}
	return fmt.Sprintf("%q with the tag %s", n.Value, n.Tag)
}
