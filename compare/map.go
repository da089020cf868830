package compare

import (
	"cmp"
	"reflect"
	"slices"
)

// Map compares two maps key by key. Keys stand in the paths as keyed hashes, since they are data, unless Safe is given.
// Nil differs from empty unless NilEmpty is given.
func Map[K comparable, V any](c *Collector, name string, served, other map[K]V, diff Func[V], options ...Option) {
	m := mapping[K, V]{name: name, options: options}
	if (served == nil) != (other == nil) && len(served)+len(other) == 0 {
		if opt := merge(options); !opt.nilEmpty() {
			c.report(name, KindValue, served, other, opt)
		}
		return
	}
	var oddServed, oddOther []V // values under NaN, which no key finds
	for k, v := range served {
		if m.full() {
			break
		}
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
		if m.full() {
			break
		}
		if isOdd(k) {
			oddOther = append(oddOther, w)
		} else if _, ok := served[k]; !ok {
			m.lone(k, KindExtra, absent{}, w)
		}
	}
	m.addTo(c)
	if len(oddServed)+len(oddOther) > 0 {
		Unordered(c, join(name, "[NaN]"), oddServed, oddOther, diff, slices.Concat(options, []Option{NilEmpty()})...)
	}
}

// mapping is the comparison of two maps in progress. Maps have no order: what is found is sorted before it is added.
type mapping[K comparable, V any] struct {
	name    string
	options []Option
	found   []Diff
	counted int // entries found that count
	ignored int // entries found that do not
}

func (m *mapping[K, V]) entry(key K, found []Diff) {
	m.keep(func(c *Collector, opt Option) { c.absorb(m.path(key, opt), found, opt) })
}

func (m *mapping[K, V]) lone(key K, kind Kind, served, other any) {
	m.keep(func(c *Collector, opt Option) { c.report(m.path(key, opt), kind, served, other, opt) })
}

func (m *mapping[K, V]) keep(add func(*Collector, Option)) {
	var entry Collector
	add(&entry, merge(m.options))
	found := entry.Diffs()
	switch {
	case counts(found):
		m.counted++
	case m.ignored >= MaxDiffs:
		return
	default:
		m.ignored++
	}
	m.found = append(m.found, found...)
}

// full reports whether enough entries were found to differ.
func (m *mapping[K, V]) full() bool { return m.counted >= maxDiffering }

func (m *mapping[K, V]) path(key K, opt Option) string {
	return m.name + keyPath(reflect.ValueOf(&key).Elem(), opt)
}

func (m *mapping[K, V]) addTo(c *Collector) {
	slices.SortStableFunc(m.found, func(a, b Diff) int { return cmp.Compare(a.Path, b.Path) })
	for _, d := range m.found {
		c.Add(d)
	}
	if m.full() {
		c.truncate(m.name)
	}
}

// keyPath returns a key of a map as a part of a path: hashed, or, where it is safe and has a short plain text, as it is.
func keyPath(key reflect.Value, opt Option) string {
	if opt.safe() {
		text := "[" + render(key, MaxText) + "]"
		if len(text) <= MaxText && bracketed(text) == text {
			return text
		}
	}
	return "[#" + keyedHash(processSecret(), key) + "]"
}
