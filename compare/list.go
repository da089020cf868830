package compare



const (
	// maxDiffering is after how many differing elements the comparison of two lists or maps stops.
	maxDiffering = 256
	// maxMatching is how many pairs of elements are tried in order to match two lists without an order.
	maxMatching = 1 << 20
)

// Slice compares two lists in their order. Where their lengths differ, equal elements at both ends are lined up, so
// that one missing element in the middle is reported as that and not as a change of all that follow. Nil differs from
// empty unless NilEmpty is given.
func Slice[T any](c *Collector, name string, served, other []T, diff Func[T], options ...Option) {
	if len(served) == len(other) && (served == nil) == (other == nil) {
		l := list[T]{c: c, name: name, diff: diff, options: options}
		for i := range served {
			if found := diff(served[i], other[i]); found != nil && !l.pair(i, found) {
				return
			}
		}
		return
	}
	l := list[T]{c: c, name: name, diff: diff, options: options}
	if l.lengths(served, other) {
		l.aligned(served, other)
	}
}

// Unordered compares two lists whatever the order of their elements: each element is matched to an equal one, as often
// as it occurs. Elements without an equal are reported as missing and extra, or, if each list has one such element, by
// their differences. It tries pairs, up to a million: lists of thousands of elements in another order are better served
// by UnorderedBy or UnorderedValues, and come out as uncomparable here. With tolerances, which are not transitive, an
// unlucky matching can leave elements over.
func Unordered[T any](c *Collector, name string, served, other []T, diff Func[T], options ...Option) {
	l := list[T]{c: c, name: name, diff: diff, options: options}
	if l.lengths(served, other) && !l.inPlace(served, other) {
		l.match(served, other)
	}
}

// UnorderedValues is Unordered for elements that == compares; its time grows with the length alone.
func UnorderedValues[T comparable](c *Collector, name string, served, other []T, options ...Option) {
	UnorderedBy(c, name, served, other, func(element T) T { return element }, Values[T], options...)
}

// UnorderedBy compares two lists whatever the order of their elements, matching those of the same key. Elements that
// share a key are matched in the order in which they stand. Where key panics, so does UnorderedBy; Run recovers it.
func UnorderedBy[T any, K comparable](c *Collector, name string, served, other []T, key func(T) K, diff Func[T], options ...Option) {
	l := list[T]{c: c, name: name, diff: diff, options: options}
	if !l.lengths(served, other) {
		return
	}
	if sameKeys(served, other, key) {
		for i := range served {
			if found := diff(served[i], other[i]); found != nil && !l.pair(i, found) {
				return
			}
		}
		return
	}
	places := make(map[K][]int, len(other))
	var unequal []int // places of keys that differ from themselves: NaN
	for j := range other {
		if k := key(other[j]); k == k { //nolint:gocritic,staticcheck // false for NaN
			places[k] = append(places[k], j)
		} else {
			unequal = append(unequal, j)
		}
	}
	var missing []int
	matched := make([]bool, len(other))
	for i := range served {
		k := key(served[i])
		from := unequal
		if k == k { //nolint:gocritic,staticcheck // false for NaN
			from = places[k]
		}
		if len(from) == 0 {
			missing = append(missing, i)
			continue
		}
		j := from[0]
		matched[j] = true
		if k == k { //nolint:gocritic,staticcheck // false for NaN
			places[k] = from[1:]
		} else {
			unequal = from[1:]
		}
		if !l.pair(i, diff(served[i], other[j])) {
			return
		}
	}
	l.leftover(served, missing, KindMissing)
	l.leftover(other, unmatched(matched), KindExtra)
}

func sameKeys[T any, K comparable](served, other []T, key func(T) K) bool {
	if len(served) != len(other) {
		return false
	}
	for i := range served {
		if key(served[i]) != key(other[i]) {
			return false
		}
	}
	return true
}

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
		case k != k: //nolint:gocritic,staticcheck // true for NaN
			oddServed = append(oddServed, v)
		default:
			m.lone(k, KindMissing, v, absent{})
		}
	}
	for k, w := range other {
		if k != k { //nolint:gocritic,staticcheck // true for NaN
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
