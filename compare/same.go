package compare

import (
	"bytes"
	"time"
)

// The functions of this file answer the question that nearly every comparison comes down to: is there no difference at
// all? Generated comparators ask it first, field by field, and look for the differences only where the answer is no.
// They allocate nothing, know no paths and no options, and may say no where options make two values equal; they never
// say yes of values between which a comparator finds a difference.

// SameText reports whether two strings are equal. For short ones, as most columns hold, it is cheaper than ==, which
// calls a function made for long ones.
func SameText[T ~string](served, other T) bool { return sameText(string(served), string(other)) }

func sameText(a, b string) bool {
	n := len(a)
	switch {
	case n != len(b):
		return false
	case n > 32:
		return a == b
	case n > 16:
		return (eight(a, 0)^eight(b, 0))|(eight(a, 8)^eight(b, 8))|(eight(a, n-16)^eight(b, n-16))|(eight(a, n-8)^eight(b, n-8)) == 0
	case n >= 8:
		return (eight(a, 0)^eight(b, 0))|(eight(a, n-8)^eight(b, n-8)) == 0
	case n >= 4:
		return (four(a, 0)^four(b, 0))|(four(a, n-4)^four(b, n-4)) == 0
	}
	for i := range n {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// eight and four read that many bytes; the compiler makes one load of them.
func eight(s string, at int) uint64 {
	s = s[at : at+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func four(s string, at int) uint32 {
	s = s[at : at+4]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// SameTime reports whether two times are the same instant, to the nanosecond.
func SameTime(served, other *time.Time) bool {
	return *served == *other || sameMoment(served, other) // a short cut: the same representation is the same instant
}

//go:noinline
func sameMoment(served, other *time.Time) bool { return served.Equal(*other) }

// SameBytes reports whether two byte slices hold the same, and both are nil or neither is.
func SameBytes[T ~[]byte](served, other T) bool {
	return (served == nil) == (other == nil) && bytes.Equal(served, other)
}

// SameValue reports whether two pointers lead to values that == calls equal.
func SameValue[T comparable](served, other *T) bool { return *served == *other }

// SameValues reports whether two lists hold equal values in the same order, and both are nil or neither is.
func SameValues[T comparable](served, other []T) bool {
	if len(served) != len(other) || (served == nil) != (other == nil) {
		return false
	}
	for i := range served {
		if served[i] != other[i] {
			return false
		}
	}
	return true
}

// SameList does the same with elements that same compares.
func SameList[T any](served, other []T, same func(served, other *T) bool) bool {
	if len(served) != len(other) || (served == nil) != (other == nil) {
		return false
	}
	for i := range served {
		if !same(&served[i], &other[i]) {
			return false
		}
	}
	return true
}

// SameArray does the same with the elements of two arrays, without their addresses, so that the arrays stay off the heap.
func SameArray[T any](served, other []T, diff Func[T]) bool {
	return (served == nil) == (other == nil) && inPlace(served, other, diff)
}

// SameMap reports whether two maps hold the same under the same keys, and both are nil or neither is.
func SameMap[K comparable, V any](served, other map[K]V, diff Func[V]) bool {
	if len(served) != len(other) || (served == nil) != (other == nil) {
		return false
	}
	for k, v := range served {
		w, ok := other[k]
		if !ok || len(diff(v, w)) > 0 {
			return false
		}
	}
	return true
}

// SamePointer reports whether two pointers lead to the same, or are both nil.
func SamePointer[T any](served, other *T, same func(served, other *T) bool) bool {
	return served == other || served != nil && other != nil && same(served, other)
}

// SameMethod reports whether a type's own method Equal calls two values equal. One that panics does not.
func SameMethod[T interface{ Equal(T) bool }](served, other T) (same bool) {
	defer func() {
		if recover() != nil {
			same = false
		}
	}()
	return served.Equal(other)
}

// SameBy does the same with a function of the user's.
func SameBy[T any](served, other T, equal func(served, other T) bool) (same bool) {
	defer func() {
		if recover() != nil {
			same = false
		}
	}()
	return equal(served, other)
}

// SameDecimal reports whether Decimal finds no difference.
func SameDecimal[T any](served, other T) bool {
	var c Collector
	Decimal(&c, "", served, other)
	return c.diffs == nil && !c.truncated
}

// SameAny reports whether Any finds no difference.
func SameAny[T any](served, other T) bool {
	var c Collector
	Any(&c, "", served, other)
	return c.diffs == nil && !c.truncated
}
