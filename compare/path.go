package compare

import (
	"fmt"
	"strconv"
	"strings"
)

// join puts the path of a part behind the path of the whole: join("Lines[3]", "Cents") is "Lines[3].Cents".
func join(whole, part string) string {
	switch {
	case whole == "":
		return part
	case part == "":
		return whole
	case part[0] == '[':
		return limited(whole + part)
	}
	return limited(whole + "." + part)
}

func indexed(name string, i int) string { return limited(name + "[" + strconv.Itoa(i) + "]") }

// MaxPath is where the path of a difference is cut, in bytes: one that was ends in cutPath, and leads to a value above
// the one that differs.
const (
	MaxPath = 1000
	cutPath = "[...]"
)

func limited(path string) string {
	if len(path) <= MaxPath {
		return path
	}
	segments := split(path[:MaxPath])
	at := 0
	for i, s := range segments[:len(segments)-1] { // the last one may be half a name
		if i > 0 && s[0] != '[' {
			at++ // the dot
		}
		at += len(s)
	}
	return path[:at] + cutPath
}

// Pattern returns the path with every index and key replaced by [*]: the name of a field, whichever element it was
// found in. Pattern("Lines[3].Cents") is "Lines[*].Cents".
func Pattern(path string) string {
	at := strings.IndexByte(path, '[')
	if at < 0 {
		return path
	}
	var pattern strings.Builder
	for ; at >= 0; at = strings.IndexByte(path, '[') {
		pattern.WriteString(path[:at] + "[*]")
		path = path[at+len(bracketed(path[at:])):]
	}
	return pattern.String() + path
}

// split cuts a path into names and bracketed parts: `A.B[3]["x]"].C` into A, B, [3], ["x]"], C. It is total: whatever
// is not a path comes back in parts that match nothing.
func split(path string) []string {
	var segments []string
	for path != "" {
		var s string
		if path[0] == '[' {
			s = bracketed(path)
		} else if end := strings.IndexAny(path, ".["); end >= 0 {
			s = path[:end]
		} else {
			s = path
		}
		path = path[len(s):]
		if rest, dot := strings.CutPrefix(path, "."); dot && rest != "" {
			path = rest
		} else if dot {
			s, path = s+".", "" // a dot at the end: part of no name
		}
		if s == "" {
			s = "." // an empty name
		}
		segments = append(segments, s)
	}
	return segments
}

// bracketed returns the leading bracketed part of path, minding quotes; an unclosed one reaches to the end.
func bracketed(path string) string {
	if quoted, err := strconv.QuotedPrefix(path[1:]); err == nil {
		if end := 1 + len(quoted); end < len(path) && path[end] == ']' {
			return path[:end+1]
		}
	}
	if end := strings.IndexByte(path, ']'); end >= 0 {
		return path[:end+1]
	}
	return path
}

// wellFormed reports whether every part of a pattern is a name or [*].
func wellFormed(segments []string) error {
	for _, s := range segments {
		switch {
		case s == "[*]":
		case s[0] == '[':
			return fmt.Errorf("%s: rules hold for every element: write [*]", s)
		case strings.ContainsAny(s, ".*] \t\n"):
			return fmt.Errorf("%q is no field name: write names with dots between them and [*] for elements", s)
		}
	}
	return nil
}

// matches reports whether the pattern names the path or something above it. A leading [*] may be left out of the
// pattern: what is said of an entity holds for a list of entities too.
func matches(pattern, path string) bool {
	if pattern == "*" {
		return true
	}
	want, have := split(pattern), split(path)
	if covers(want, have) {
		return len(want) > 0
	}
	for len(have) > 0 && have[0][0] == '[' {
		have = have[1:]
		if covers(want, have) {
			return len(want) > 0
		}
	}
	return false
}

func covers(want, have []string) bool {
	if len(want) > len(have) {
		return false
	}
	for i, s := range want {
		element := have[i][0] == '['
		if element && s != "[*]" || !element && s != have[i] {
			return false
		}
	}
	return true
}
