package compare

import (
	"encoding/json"
	"time"
)

// simplyEqual settles the common cases without reflection: scalars, and what documents are made of.
// What is deep or large, and perhaps a circle, it leaves to reflection.
func simplyEqual(served, other any) bool {
	left := simpleNodes
	return simplyEqualAt(served, other, 0, &left)
}

const simpleNodes = 1 << 16

func simplyEqualAt(served, other any, depth int, left *int) bool {
	if *left--; *left < 0 || depth > maxDepth {
		return false
	}
	switch s := served.(type) {
	case nil:
		return other == nil
	case string:
		return holds(s, other)
	case bool:
		return holds(s, other)
	case int:
		return holds(s, other)
	case int32:
		return holds(s, other)
	case int64:
		return holds(s, other)
	case float64:
		return holds(s, other)
	case json.Number:
		return holds(s, other)
	case time.Time:
		o, ok := other.(time.Time)
		return ok && SameTime(&s, &o)
	case []byte:
		o, ok := other.([]byte)
		return ok && SameBytes(s, o)
	case []any:
		o, ok := other.([]any)
		return ok && simplyEqualLists(s, o, depth, left)
	case map[string]any:
		o, ok := other.(map[string]any)
		return ok && simplyEqualMaps(s, o, depth, left)
	}
	return false
}

func holds[T comparable](served T, other any) bool {
	o, ok := other.(T)
	return ok && served == o
}

func simplyEqualLists(served, other []any, depth int, left *int) bool {
	if len(served) != len(other) || (served == nil) != (other == nil) {
		return false
	}
	for i := range served {
		if !simplyEqualAt(served[i], other[i], depth+1, left) {
			return false
		}
	}
	return true
}

func simplyEqualMaps(served, other map[string]any, depth int, left *int) bool {
	if len(served) != len(other) || (served == nil) != (other == nil) {
		return false
	}
	for k, v := range served {
		w, ok := other[k]
		if !ok || !simplyEqualAt(v, w, depth+1, left) {
			return false
		}
	}
	return true
}
