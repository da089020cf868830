package compare

import (
	"bytes"
	"math"
	"reflect"
	"time"
)

// Equal compares two values with ==; only that a NaN equals a NaN. Use Any for interfaces, whose == can panic, and Time
// for times, whose == means something else.
func Equal[T comparable](c *Collector, name string, served, other T, options ...Option) {
	if served != other {
		unequal(c, name, served, other, options)
	}
}

// unequal is apart from Equal so that Equal is inlined: equal fields then cost a comparison and nothing else.
//
//go:noinline
func unequal[T any](c *Collector, name string, served, other T, options []Option) {
	if bothNaN(reflect.ValueOf(served), reflect.ValueOf(other)) {
		return
	}
	c.report(name, KindValue, served, other, merge(options))
}

func bothNaN(served, other reflect.Value) bool {
	return isNaN(served) && isNaN(other)
}

func isNaN(v reflect.Value) bool {
	return v.IsValid() && v.CanFloat() && math.IsNaN(v.Float())
}

// Time compares two instants, whatever their time zones. By default times less than one microsecond apart are equal:
// Go keeps nanoseconds and PostgreSQL microseconds, so that a time loses digits on its way through the database.
// Within sets another tolerance.
func Time(c *Collector, name string, served, other time.Time, options ...Option) {
	if served != other { // a short cut: the same representation is the same instant
		timesDiffer(c, name, served, other, options)
	}
}

//go:noinline
func timesDiffer(c *Collector, name string, served, other time.Time, options []Option) {
	opt := merge(options)
	if sameInstant(served, other, opt) {
		return
	}
	c.report(name, KindValue, served, other, opt)
}

func sameInstant(served, other time.Time, opt Option) bool {
	if served.Equal(other) {
		return true
	}
	served, other = served.Round(0), other.Round(0) // the wall clock: a monotonic reading means nothing to a database
	apart := served.Sub(other).Abs()
	if opt.hasWithin() {
		return apart <= opt.within
	}
	return apart < time.Microsecond
}

// Numeric is any integer or floating-point type.
type Numeric interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 |
		~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr |
		~float32 | ~float64
}

// Number compares two numbers: exactly, or with Tolerance, or, for a time.Duration, Within. NaN equals NaN, and -0
// equals 0.
func Number[T Numeric](c *Collector, name string, served, other T, options ...Option) {
	if served != other {
		numbersDiffer(c, name, served, other, options)
	}
}

//go:noinline
func numbersDiffer[T Numeric](c *Collector, name string, served, other T, options []Option) {
	opt := merge(options)
	tolerance := opt.tolerance
	if opt.hasWithin() {
		tolerance = max(tolerance, float64(opt.within))
	}
	if bothNaN(reflect.ValueOf(served), reflect.ValueOf(other)) || near(served, other, tolerance) {
		return
	}
	c.report(name, KindValue, served, other, opt)
}

func near[T Numeric](served, other T, tolerance float64) bool {
	if !(tolerance > 0) {
		return false
	}
	if kind := reflect.TypeFor[T]().Kind(); kind == reflect.Float32 || kind == reflect.Float64 {
		bits := reflect.TypeFor[T]().Bits()
		return floatDecimal(float64(served), bits).near(floatDecimal(float64(other), bits), tolerance)
	}
	// The unsigned difference is exact where the signed one would overflow.
	return float64(uint64(max(served, other))-uint64(min(served, other))) <= tolerance
}

// Bytes compares two byte slices. Nil differs from empty unless NilEmpty is given.
func Bytes[T ~[]byte](c *Collector, name string, served, other T, options ...Option) {
	if !bytes.Equal(served, other) || (served == nil) != (other == nil) {
		bytesDiffer(c, name, served, other, options)
	}
}

func bytesDiffer[T ~[]byte](c *Collector, name string, served, other T, options []Option) {
	opt := merge(options)
	if opt.nilEmpty() && len(served) == 0 && len(other) == 0 {
		return
	}
	c.report(name, KindValue, served, other, opt)
}

// Method compares two values by their own method Equal, as decimals, addresses and the like have it. A method that
// panics makes the field uncomparable.
func Method[T interface{ Equal(T) bool }](c *Collector, name string, served, other T, options ...Option) {
	Custom(c, name, served, other, T.Equal, options...)
}

// Custom compares two values by a function of the user's, which reports whether they are equal. A function that panics
// makes the field inconclusive, never equal, and the other fields are still compared.
func Custom[T any](c *Collector, name string, served, other T, equal func(served, other T) bool, options ...Option) {
	defer func() {
		if recovered := recover(); recovered != nil && !merge(options).ignored() {
			c.Add(panicked(name, recovered))
		}
	}()
	if !equal(served, other) {
		c.report(name, KindValue, served, other, merge(options))
	}
}

// Struct compares two values by the Func of their type.
func Struct[T any](c *Collector, name string, served, other T, diff Func[T], options ...Option) {
	if found := diff(served, other); found != nil {
		c.absorb(name, found, merge(options))
	}
}

// Pointer compares what two pointers point to. Nil differs from everything but nil, unless NilEmpty is given: then it
// equals a pointer to the zero value.
func Pointer[T any](c *Collector, name string, served, other *T, diff Func[T], options ...Option) {
	switch {
	case served == other:
	case served == nil || other == nil:
		oneNil(c, name, served, other, options)
	default:
		if found := diff(*served, *other); found != nil {
			c.absorb(name, found, merge(options))
		}
	}
}

func oneNil[T any](c *Collector, name string, served, other *T, options []Option) {
	opt := merge(options)
	switch {
	case served == nil && opt.nilEmpty() && reflect.ValueOf(other).Elem().IsZero():
	case other == nil && opt.nilEmpty() && reflect.ValueOf(served).Elem().IsZero():
	case served == nil:
		c.report(name, KindExtra, nil, *other, opt)
	default:
		c.report(name, KindMissing, *served, nil, opt)
	}
}

// Values is the Func of a comparable type, for elements of lists and maps, for what pointers point to, and for whole
// answers.
func Values[T comparable](served, other T) []Diff {
	var c Collector
	Equal(&c, "", served, other)
	return c.Diffs()
}

// Times is the Func of time.Time.
func Times(served, other time.Time) []Diff {
	var c Collector
	Time(&c, "", served, other)
	return c.Diffs()
}

// Numbers is the Func of a numeric type.
func Numbers[T Numeric](served, other T) []Diff {
	var c Collector
	Number(&c, "", served, other)
	return c.Diffs()
}
