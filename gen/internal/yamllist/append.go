// Package yamllist adds an element to a list in the text of a YAML file, so
// that everything else in it, comments and order included, stays byte for byte
// as it is.
//
// It edits text and writes no file. Where it cannot be sure it refuses.
package yamllist

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ErrForm says that a list is written in a way that is not added to: in
// brackets, or as an alias.
var ErrForm = errors.New("the list is not written as one element per line, each behind a dash")

// Append adds an element to the list that stands behind a key. path leads to
// the list: keys of mappings, and numbers of elements of lists. The element is
// text in block form that begins with "- ". A list that is empty, or nothing
// at all behind its key, is begun.
func Append(source []byte, element string, path ...any) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(source, &document); err != nil {
		return nil, fmt.Errorf("read YAML: %w", err)
	}
	if len(document.Content) == 0 {
		return nil, ErrForm
	}
	key, list, err := follow(document.Content[0], path)
	if err != nil {
		return nil, err
	}
	lines := bytes.SplitAfter(source, []byte("\n"))
	var at, indent int
	switch {
	case list.Kind == yaml.ScalarNode && list.Tag == "!!null", list.Kind == yaml.SequenceNode && len(list.Content) == 0:
		if lines, err = emptied(lines, key, list); err != nil {
			return nil, err
		}
		at, indent = key.Line, key.Column-1+2
	case list.Kind == yaml.SequenceNode && list.Style&yaml.FlowStyle == 0:
		at, indent = end(lines, list), list.Column-1
	default:
		return nil, ErrForm
	}
	after := insert(lines, at, indented(element, indent))
	if bytes.Contains(source, []byte("\r\n")) {
		after = bytes.ReplaceAll(bytes.ReplaceAll(after, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	}
	return after, proven(source, after, element, path)
}

// follow returns the list at the end of a path, and its key.
func follow(n *yaml.Node, path []any) (key, value *yaml.Node, err error) {
	value = n
	for _, step := range path {
		if value.Kind == yaml.AliasNode || value.Style&yaml.FlowStyle != 0 {
			return nil, nil, ErrForm
		}
		switch step := step.(type) {
		case int:
			if value.Kind != yaml.SequenceNode || step >= len(value.Content) {
				return nil, nil, ErrForm
			}
			value = value.Content[step]
		case string:
			if key, value = pair(value, step); key == nil {
				return nil, nil, ErrForm
			}
		}
	}
	if key == nil {
		return nil, nil, ErrForm
	}
	return key, value, nil
}

func pair(n *yaml.Node, name string) (key, value *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

// emptied takes away what says that a list is empty.
func emptied(lines [][]byte, key, list *yaml.Node) ([][]byte, error) {
	if list.Kind == yaml.ScalarNode && list.Value == "" {
		return lines, nil
	}
	line := string(lines[list.Line-1])
	before, rest := line[:list.Column-1], line[list.Column-1:]
	word := list.Value
	if list.Kind == yaml.SequenceNode {
		closing := strings.Index(rest, "]")
		if closing < 0 || strings.Trim(rest[:closing], "[ ") != "" {
			return nil, ErrForm
		}
		word = rest[:closing+1]
	}
	if list.Line != key.Line || !strings.HasPrefix(rest, word) {
		return nil, ErrForm
	}
	rest = rest[len(word):]
	if strings.TrimSpace(rest) == "" {
		before = strings.TrimRight(before, " ")
	} else {
		before, rest = strings.TrimRight(before, " "), " "+strings.TrimLeft(rest, " ")
	}
	lines[list.Line-1] = []byte(before + rest)
	return lines, nil
}

// end returns how many lines there are up to the end of a list's last element:
// what is indented further than its dash belongs to it.
func end(lines [][]byte, list *yaml.Node) int {
	dash := list.Column - 1
	last := list.Content[len(list.Content)-1].Line
	for i := last; i < len(lines); i++ {
		line := strings.TrimRight(string(lines[i]), " \t\r\n")
		if line == "" {
			continue
		}
		if len(line)-len(strings.TrimLeft(line, " ")) <= dash {
			break
		}
		last = i + 1
	}
	return last
}

func indented(element string, by int) string {
	var text strings.Builder
	for line := range strings.Lines(strings.TrimRight(element, "\n") + "\n") {
		text.WriteString(strings.Repeat(" ", by) + line)
	}
	return text.String()
}

// insert puts text behind a number of lines.
func insert(lines [][]byte, at int, text string) []byte {
	before, after := bytes.Join(lines[:at], nil), bytes.Join(lines[at:], nil)
	if len(before) > 0 && before[len(before)-1] != '\n' {
		before = append(before, '\n')
	}
	return append(append(before, text...), after...)
}

// proven reads both texts and demands that they differ by the element alone.
func proven(before, after []byte, element string, path []any) error {
	var want, have, added any
	err := errors.Join(yaml.Unmarshal(before, &want), yaml.Unmarshal(after, &have), yaml.Unmarshal([]byte(element), &added))
	elements, ok := added.([]any)
	if err != nil || !ok || len(elements) != 1 {
		return ErrForm
	}
	want, ok = grown(want, elements[0], path)
	if !ok || !reflect.DeepEqual(want, have) {
		return ErrForm
	}
	return nil
}

// grown returns a value with an element more in the list at a path.
func grown(value, element any, path []any) (any, bool) {
	if len(path) == 0 {
		list, ok := value.([]any)
		return append(append([]any{}, list...), element), ok || value == nil
	}
	var ok bool
	switch step := path[0].(type) {
	case int:
		list, is := value.([]any)
		if !is || step >= len(list) {
			return nil, false
		}
		list[step], ok = grown(list[step], element, path[1:])
	case string:
		mapping, is := value.(map[string]any)
		if !is {
			return nil, false
		}
		mapping[step], ok = grown(mapping[step], element, path[1:])
	}
	return value, ok
}
