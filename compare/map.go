package compare

import (
	"cmp"
	"slices"
)

// Map compares two maps key by key. Keys stand in the paths as keyed hashes, since they are data, unless Safe is given.
// Nil differs from empty unless NilEmpty is given.
func Map[K comparable, V any](c *Collector, name string, served, other map[K]V, diff Func[V], options ...Option) {
	m := mapping[K, V]{c: c, name: name, options: options}
	if (served == nil) != (other == nil) && !m.bothEmpty(served, other) {
		c.report(name, KindValue, served, other, merge(options))
		return
	}
	var oddServed, oddOther []V // values under NaN, which no key finds
	for k, v := range served {
		w, ok := other[k]
		switch {
		case ok:
			if found := diff(v, w); found != nil {
				m.entry(k, found)
			}
		case isOdd(k):
			oddServed = append(oddServed, v)
		default:
			m.lone(k, KindMissing, v, absent{})
		}
	}
	for k, w := range other {
		if isOdd(k) {
			oddOther = append(oddOther, w)
		} else if _, ok := served[k]; !ok {
			m.lone(k, KindExtra, absent{}, w)
		}
	}
	m.flush()
	if len(oddServed)+len(oddOther) > 0 {
		Unordered(c, join(name, "[NaN]"), oddServed, oddOther, diff, append(options, NilEmpty())...)
	}
}

// mapping is the comparison of two maps in progress. Maps have no order: what is found is sorted before it is added.
type mapping[K comparable, V any] struct {
	c       *Collector
	name    string
	options []Option
	found   []Diff
	missed  bool
}

func (m *mapping[K, V]) bothEmpty(served, other map[K]V) bool {
	return merge(m.options).nilEmpty() && len(served) == 0 && len(other) == 0
}

func (m *mapping[K, V]) entry(key K, found []Diff) {
	m.keep(func(c *Collector, opt Option) { c.absorb(m.path(key, opt), found, opt) })
}

func (m *mapping[K, V]) lone(key K, kind Kind, served, other any) {
	m.keep(func(c *Collector, opt Option) { c.report(m.path(key, opt), kind, served, other, opt) })
}

func (m *mapping[K, V]) keep(add func(*Collector, Option)) {
	if len(m.found) >= maxDiffering {
		m.missed = true
		return
	}
	var entry Collector
	add(&entry, merge(m.options))
	m.found = append(m.found, entry.Diffs()...)
}

func (m *mapping[K, V]) path(key K, opt Option) string { return m.name + "[" + keyText(key, opt) + "]" }

func keyText(key any, opt Option) string {
	if opt.safe() {
		return display(key)
	}
	return RedactKey(nil, display(key))
}

func (m *mapping[K, V]) flush() {
	slices.SortStableFunc(m.found, func(a, b Diff) int { return cmp.Compare(a.Path, b.Path) })
	for _, d := range m.found {
		m.c.Add(d)
	}
	m.c.truncated = m.c.truncated || m.missed
}
