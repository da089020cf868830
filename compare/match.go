package compare

import (
	"fmt"
	"slices"
)

// list is the comparison of two lists in progress. It collects by itself, and holds neither the caller's collector nor
// the Func, so that both stay off the heap.
type list[T any] struct {
	found     Collector
	name      string
	options   []Option
	differing int // elements that differ
	ignored   int // elements that differ in ignored fields only
}

// lengths reports a difference in length and returns whether the elements are to be compared.
func (l *list[T]) lengths(served, other []T) bool {
	opt := merge(l.options)
	switch {
	case len(served) != len(other):
		l.found.report(l.name, KindLength, plain(fmt.Sprint(len(served))), plain(fmt.Sprint(len(other))), opt)
		return !opt.ignored()
	case (served == nil) != (other == nil) && !opt.nilEmpty():
		l.found.report(l.name, KindValue, empty(served), empty(other), opt)
		return false
	}
	return true
}

// empty returns an empty list that is nil where the other is. Lists that come
// from arrays thus stay where they are, off the heap.
func empty[T any](list []T) []T {
	if list == nil {
		return nil
	}
	return []T{}
}

// pair adds the differences of a matched pair, by the place in the served list, and returns false once enough elements
// were found to differ.
func (l *list[T]) pair(i int, found []Diff) bool {
	if len(found) == 0 {
		return true
	}
	opt := merge(l.options)
	if !counts(found) {
		if l.ignored++; l.ignored > MaxDiffs {
			return true // enough to show; elements that differ are still to be looked for
		}
	}
	l.found.absorb(indexed(l.name, i), found, opt)
	if opt.ignored() {
		return false // one difference tells all
	}
	if counts(found) {
		l.differing++
	}
	if l.differing >= maxDiffering {
		l.found.truncate(l.name)
		return false
	}
	return true
}

// inOrder compares two lists of one length.
func (l *list[T]) inOrder(served, other []T, diff Func[T]) {
	for i := range served {
		if found := diff(served[i], other[i]); found != nil && !l.pair(i, found) {
			return
		}
	}
}

// counts reports whether any of the differences is not ignored.
func counts(found []Diff) bool {
	return slices.ContainsFunc(found, func(d Diff) bool { return !d.Ignored })
}

// leftover reports the elements at these places as missing or extra.
func (l *list[T]) leftover(elements []T, places []int, kind Kind) {
	opt := merge(l.options)
	for _, i := range places {
		if kind == KindMissing {
			l.found.report(indexed(l.name, i), kind, elements[i], absent{}, opt)
		} else {
			l.found.report(indexed(l.name, i), kind, absent{}, elements[i], opt)
		}
		if l.differing++; l.differing >= maxDiffering {
			l.found.truncate(l.name)
			return
		}
	}
}

// aligned compares lists of different lengths between their equal beginnings and ends.
func (l *list[T]) aligned(served, other []T, diff Func[T]) {
	same := func(i, j int) bool { return !counts(diff(served[i], other[j])) }
	shorter := min(len(served), len(other))
	start, end := 0, 0
	for start < shorter && same(start, start) {
		start++
	}
	for end < shorter-start && same(len(served)-1-end, len(other)-1-end) {
		end++
	}
	common := shorter - end
	for i := start; i < common; i++ {
		if !l.pair(i, diff(served[i], other[i])) {
			return
		}
	}
	l.leftover(served, span(common, len(served)-end), KindMissing)
	l.leftover(other, span(common, len(other)-end), KindExtra)
}

func span(from, to int) []int {
	var places []int
	for i := from; i < to && len(places) <= maxDiffering; i++ {
		places = append(places, i)
	}
	return places
}

// inPlace reports whether each element equals the one in the same place, the common case, without allocating.
func inPlace[T any](served, other []T, diff Func[T]) bool {
	if len(served) != len(other) {
		return false
	}
	for i := range served {
		if diff(served[i], other[i]) != nil {
			return false
		}
	}
	return true
}

// match pairs equal elements and reports the rest.
func (l *list[T]) match(served, other []T, diff Func[T]) {
	tries := 0
	matched := make([]bool, len(other))
	var missing []int
	for i := range served {
		j, found := find(served[i], other, diff, matched, i, &tries)
		if tries > maxMatching {
			l.tooLong(served, other)
			return
		}
		if j < 0 {
			missing = append(missing, i)
			continue
		}
		matched[j] = true
		l.pair(i, found)
	}
	extra := unmatched(matched)
	if len(missing) == 1 && len(extra) == 1 {
		l.pair(missing[0], diff(served[missing[0]], other[extra[0]]))
		return
	}
	l.leftover(served, missing, KindMissing)
	l.leftover(other, extra, KindExtra)
}

// tooLong reports that nothing can be said about two lists in different orders.
func (l *list[T]) tooLong(served, other []T) {
	text := func(n int) plain { return plain(fmt.Sprintf("%d elements: too many to match", n)) }
	l.found.report(l.name, KindUncomparable, text(len(served)), text(len(other)), merge(l.options))
}

// find returns the place of an unmatched element that equals this one, the place near first, or, failing that, of one
// that differs in ignored fields only, with those differences; -1 if there is none.
func find[T any](element T, other []T, diff Func[T], matched []bool, near int, tries *int) (int, []Diff) {
	second, secondFound := -1, []Diff(nil)
	for step := range other {
		j := (near + step) % len(other)
		if matched[j] {
			continue
		}
		if *tries++; *tries > maxMatching {
			return -1, nil
		}
		found := diff(element, other[j])
		if len(found) == 0 {
			return j, nil
		}
		if second < 0 && !counts(found) {
			second, secondFound = j, found
		}
	}
	return second, secondFound
}

func unmatched(matched []bool) []int {
	var places []int
	for j, m := range matched {
		if !m {
			places = append(places, j)
		}
	}
	return places
}

// places are the places of a list's elements by their keys, first place first.
type places[K comparable] struct {
	byKey map[K]int // the first place that was not taken yet
	next  []int     // the place of the same key behind each, or none
	odd   []int     // of keys like NaN, which no map finds
}

const none = -1

func placesOf[T any, K comparable](elements []T, key func(T) K) *places[K] {
	p := places[K]{byKey: make(map[K]int, len(elements)), next: make([]int, len(elements))}
	for i := len(elements) - 1; i >= 0; i-- {
		k := key(elements[i])
		if isOdd(k) {
			p.odd = append(p.odd, i)
			continue
		}
		p.next[i] = none
		if behind, ok := p.byKey[k]; ok {
			p.next[i] = behind
		}
		p.byKey[k] = i
	}
	slices.Reverse(p.odd)
	return &p
}

// take returns the first place of the key that was not taken yet.
func (p *places[K]) take(key K) (int, bool) {
	if isOdd(key) {
		return shift(&p.odd)
	}
	place, ok := p.byKey[key]
	if !ok || place == none {
		return 0, false
	}
	p.byKey[key] = p.next[place]
	return place, true
}

func shift(list *[]int) (int, bool) {
	if len(*list) == 0 {
		return 0, false
	}
	first := (*list)[0]
	*list = (*list)[1:]
	return first, true
}

// isOdd reports whether a key differs from itself, as NaN does.
func isOdd[K comparable](key K) bool { return key != key } //nolint:gocritic // that is the point
