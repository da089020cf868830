package compare

const (
	// maxDiffering is after how many differing elements the comparison of two lists or maps stops.
	maxDiffering = 256
	// maxKeyed is how many elements two lists without an order may have together to be matched by keys.
	maxKeyed = 1 << 20
	// maxMatching is how many pairs of elements are tried in order to match two lists without an order.
	maxMatching = 1 << 16
)

// Slice compares two lists in their order. Where their lengths differ, equal elements at both ends are lined up, so
// that one missing element in the middle is reported as that and not as a change of all that follow. Nil differs from
// empty unless NilEmpty is given.
func Slice[T any](c *Collector, name string, served, other []T, diff Func[T], options ...Option) {
	l := list[T]{name: name, options: options}
	switch {
	case !l.lengths(served, other):
	case len(served) == len(other):
		l.inOrder(served, other, diff)
	default:
		l.aligned(served, other, diff)
	}
	c.addAll(&l.found)
}

// Unordered compares two lists whatever the order of their elements: each element is matched to an equal one, as often
// as it occurs. Elements without an equal are reported as missing and extra, or, if each list has one such element, by
// their differences. It tries pairs, up to 65,536 of them: lists of more than some hundred elements in an order of their
// own come out as uncomparable, and want UnorderedBy or UnorderedValues. With tolerances, which are not transitive, an
// unlucky matching can leave elements over.
func Unordered[T any](c *Collector, name string, served, other []T, diff Func[T], options ...Option) {
	l := list[T]{name: name, options: options}
	if l.lengths(served, other) && !inPlace(served, other, diff) {
		l.match(served, other, diff)
	}
	c.addAll(&l.found)
}

// UnorderedValues is Unordered for elements that == compares; its time grows with the length alone.
func UnorderedValues[T comparable](c *Collector, name string, served, other []T, options ...Option) {
	UnorderedBy(c, name, served, other, func(element T) T { return element }, Values[T], options...)
}

// UnorderedBy compares two lists whatever the order of their elements, matching those of the same key. Elements that
// share a key are matched in the order in which they stand. Of lists in different orders that have more than 1,048,576
// elements together nothing can be said. Where key panics, so does UnorderedBy; Run recovers it.
func UnorderedBy[T any, K comparable](c *Collector, name string, served, other []T, key func(T) K, diff Func[T], options ...Option) {
	l := list[T]{name: name, options: options}
	switch {
	case !l.lengths(served, other):
	case sameKeys(served, other, key):
		l.inOrder(served, other, diff)
	case len(served)+len(other) > maxKeyed:
		l.tooLong(served, other)
	default:
		byKey(&l, served, other, key, diff)
	}
	c.addAll(&l.found)
}

func byKey[T any, K comparable](l *list[T], served, other []T, key func(T) K, diff Func[T]) {
	places := placesOf(other, key)
	matched := make([]bool, len(other))
	var missing []int
	for i := range served {
		j, ok := places.take(key(served[i]))
		if !ok {
			missing = append(missing, i)
			continue
		}
		matched[j] = true
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
