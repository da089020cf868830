package compare

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
)

// maxJSON is how long two documents may be together, in bytes, to be looked into.
const maxJSON = 16 << 20

// JSON compares two JSON documents by what they say: neither white space nor the order of members counts, and numbers
// are compared as decimals, as PostgreSQL's jsonb does (1.0 equals 1). Differences inside have paths of their own. Text
// that is no JSON is compared byte by byte, and of two documents that have more than 16 MiB together and are not the same
// text nothing can be said; nil equals empty. Names of members stand in paths as keys of maps do: hashed,
// unless Safe is given.
func JSON[T ~[]byte | ~string](c *Collector, name string, served, other T, options ...Option) {
	if string(served) == string(other) {
		return
	}
	if len(served)+len(other) > maxJSON {
		text := func(n int) plain { return plain("document of " + strconv.Itoa(n) + " bytes: too large to look into") }
		c.report(name, KindUncomparable, text(len(served)), text(len(other)), merge(options))
		return
	}
	servedValue, ok := decodeJSON([]byte(served))
	otherValue, ok2 := decodeJSON([]byte(other))
	if !ok || !ok2 {
		c.report(name, KindValue, served, other, merge(options))
		return
	}
	var d Collector
	Any(&d, "", servedValue, otherValue, options...)
	for _, found := range d.Diffs() {
		found.Path = join(name, found.Path)
		c.Add(found)
	}
}

func decodeJSON(text []byte) (any, bool) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, false
	}
	_, err := decoder.Token()
	return value, err == io.EOF
}
