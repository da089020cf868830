package payload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// merge makes of what was stored (raw) what is to be stored: known is what the
// struct of the stored version makes of raw, and after what it is to be. What is in
// raw and not in known is unknown, and stays. What known and after agree about
// keeps its text in raw. It returns what would be lost, if anything.
//
// same says that known and after are of one version. A member that is in raw and
// in after and not in known was then left out for being empty, and what is unknown
// inside a member goes with it when the program removes that. Between versions the
// one is another member of the same name, unless it is empty, and the other is a
// loss.
func merge(raw, known, after []byte, same bool) (merged []byte, loss string) {
	m := merging{same: same}
	merged = m.value(raw, known, after, "")
	return merged, m.loss
}

type merging struct {
	same bool
	loss string
}

func (m *merging) loses(format string, args ...any) {
	if m.loss == "" {
		m.loss = fmt.Sprintf(format, args...)
	}
}

func (m *merging) value(raw, known, after []byte, path string) []byte {
	switch {
	case equal(known, after):
		return raw
	case raw[0] == '{' && known[0] == '{' && after[0] == '{':
		return m.object(raw, known, after, path)
	case raw[0] == '[' && known[0] == '[' && after[0] == '[':
		return m.array(raw, known, after, path)
	}
	m.replaced(raw, known, path)
	return after
}

// replaced looks for what is unknown inside a value that goes.
func (m *merging) replaced(raw, known []byte, path string) {
	switch {
	case m.same:
	case raw[0] == '{' && known[0] == '{':
		knows := members(known)
		for _, r := range members(raw) {
			if k := lookup(knows, r.name); k == nil {
				m.loses("an unknown member of %q has no place any more", path)
			} else {
				m.replaced(r.value, k.value, join(path, k.name))
			}
		}
	case raw[0] == '[' && known[0] == '[':
		knows := items(known)
		for i, r := range items(raw) {
			if i < len(knows) {
				m.replaced(r, knows[i], path+"[]")
			}
		}
	}
}

func (m *merging) object(raw, known, after []byte, path string) []byte {
	knows, wants := members(known), members(after)
	var all []member
	placed := map[string]bool{}
	for _, r := range members(raw) {
		k, w := lookup(knows, r.name), lookup(wants, r.name)
		switch {
		case k == nil && w == nil:
			all = append(all, r)
		case k == nil && !m.same && !empty(r.value):
			m.loses("an unknown member has the name of %q, which is new", join(path, w.name))
		case k == nil:
			all = append(all, member{name: r.name, key: r.key, value: w.value})
			placed[w.name] = true
		case w == nil:
			m.replaced(r.value, k.value, join(path, k.name))
		case placed[w.name]: // in other letters: the last one counts for encoding/json
			if !equal(k.value, w.value) {
				m.loses("%q stands there twice, in capital and in small letters", join(path, w.name))
			}
			all = append(all, r)
		default:
			r.value = m.value(r.value, k.value, w.value, join(path, w.name))
			all = append(all, r)
			placed[w.name] = true
		}
	}
	for _, w := range wants {
		k := lookup(knows, w.name)
		if !placed[w.name] && (k == nil || !m.same || !equal(k.value, w.value)) {
			all = append(all, w)
		}
	}
	return objectOf(all)
}

// array keeps the elements that did not change, wherever they are now. Those that
// did are taken for changed in place where nothing was added or taken away before
// them; otherwise it cannot be told which one was which.
func (m *merging) array(raw, known, after []byte, path string) []byte {
	was, knows, wants := items(raw), items(known), items(after)
	if len(was) != len(knows) { // a type that reads arrays in its own way
		return after
	}
	from := matched(knows, wants)
	gone := make([]bool, len(knows))
	for i := range gone {
		gone[i] = !slices.Contains(from, i)
	}
	for i, w := range wants {
		switch {
		case from[i] >= 0:
			wants[i] = was[from[i]]
		case len(wants) == len(knows) && gone[i]:
			wants[i], gone[i] = m.value(was[i], knows[i], w, path+"[]"), false
		case slices.Contains(gone, true):
			lost := merging{} // whatever is unknown there
			for j := range knows {
				if gone[j] {
					lost.replaced(was[j], knows[j], path+"[]")
				}
			}
			if lost.loss != "" {
				m.loses("elements of %q with unknown members were changed while others came or went", path)
			}
		}
	}
	return append(append([]byte{'['}, bytes.Join(wants, []byte{','})...), ']')
}

// matched says of each element which one of before it equals, or -1: the one in
// its place, or else the first that no other one takes.
func matched(before, after [][]byte) []int {
	from, free := make([]int, len(after)), make([]bool, len(before))
	for i := range free {
		free[i] = i >= len(after) || !equal(before[i], after[i])
	}
	for i, a := range after {
		if from[i] = i; i < len(before) && !free[i] && equal(before[i], a) {
			continue
		}
		from[i] = -1
		for j, b := range before {
			if free[j] && equal(b, a) {
				from[i], free[j] = j, false
				break
			}
		}
	}
	return from
}

func empty(value []byte) bool {
	switch string(value) {
	case "null", `""`, "0", "false", "[]", "{}":
		return true
	}
	return false
}

// lookup finds a member as encoding/json finds a field: by its name, or else by
// its name in other letters.
func lookup(all []member, name string) *member {
	for i := range all {
		if all[i].name == name {
			return &all[i]
		}
	}
	for i := range all {
		if bytes.EqualFold([]byte(all[i].name), []byte(name)) {
			return &all[i]
		}
	}
	return nil
}

// equal compares two values that the same structs made.
func equal(a, b []byte) bool {
	var left, right bytes.Buffer
	if json.Compact(&left, a) != nil || json.Compact(&right, b) != nil {
		return false
	}
	return bytes.Equal(left.Bytes(), right.Bytes())
}
