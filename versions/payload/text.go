package payload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// wellFormed returns what is wrong with a JSON object, or nothing. It looks at
// the nesting first: what is nested too deeply is not parsed.
func wellFormed(data []byte, maxDepth int) string {
	depth, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return fmt.Sprintf("it is nested more than %d levels deep", maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	switch {
	case !utf8.Valid(data):
		return "it is not UTF-8"
	case !json.Valid(data):
		return "it is not JSON"
	case bytes.TrimSpace(data)[0] != '{':
		return "it is no object"
	case twice(bytes.TrimSpace(data)):
		return "an object in it has two members of one name"
	}
	return ""
}

// twice reports whether an object in the value has a name twice: readers disagree
// on which of the two counts.
func twice(value []byte) bool {
	switch value[0] {
	case '{':
		seen := map[string]bool{}
		for _, m := range members(value) {
			if seen[m.name] || twice(m.value) {
				return true
			}
			seen[m.name] = true
		}
	case '[':
		return slices.ContainsFunc(items(value), twice)
	}
	return false
}

// member is one member of an object, as it was written.
type member struct {
	name       string
	key, value []byte // key is the name as JSON, with its quotes
}

// members splits a valid JSON object.
func members(object []byte) (all []member) {
	rest := space(object[1:])
	for rest[0] != '}' {
		key := rest[:end(rest)]
		rest = space(rest[len(key):])
		rest = space(rest[1:]) // the colon
		value := rest[:end(rest)]
		var name string
		_ = json.Unmarshal(key, &name) // it is valid
		all = append(all, member{name: name, key: key, value: value})
		if rest = space(rest[len(value):]); rest[0] == ',' {
			rest = space(rest[1:])
		}
	}
	return all
}

// items splits a valid JSON array.
func items(array []byte) (all [][]byte) {
	rest := space(array[1:])
	for rest[0] != ']' {
		value := rest[:end(rest)]
		all = append(all, value)
		if rest = space(rest[len(value):]); rest[0] == ',' {
			rest = space(rest[1:])
		}
	}
	return all
}

func space(text []byte) []byte { return bytes.TrimLeft(text, " \t\r\n") }

// end returns where the first value of a valid JSON text ends.
func end(text []byte) int {
	depth, inString := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			if inString = !inString; !inString && depth == 0 {
				return i + 1
			}
		case inString:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1
			}
			if depth < 0 {
				return i
			}
		case depth == 0 && (c == ',' || c == ':' || c == ' ' || c == '\t' || c == '\r' || c == '\n'):
			return i
		}
	}
	return len(text)
}

// find returns the value of an object's member.
func find(object []byte, name string) ([]byte, bool) {
	for _, m := range members(object) {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// withVersion puts the version where it stood, or in front.
func withVersion(object []byte, field, version string) []byte {
	all := members(object)
	for i, m := range all {
		if m.name == field {
			all[i].value = []byte(version)
			return objectOf(all)
		}
	}
	key, _ := json.Marshal(field) // a string always can be
	return objectOf(append([]member{{name: field, key: key, value: []byte(version)}}, all...))
}

func objectOf(all []member) []byte {
	var text bytes.Buffer
	text.WriteByte('{')
	for i, m := range all {
		if i > 0 {
			text.WriteByte(',')
		}
		text.Write(m.key)
		text.WriteByte(':')
		text.Write(m.value)
	}
	text.WriteByte('}')
	return text.Bytes()
}
