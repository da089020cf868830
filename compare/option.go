package compare

import "time"

// Option changes how one field is compared. Options come from a field's struct tag (see the package comment) and are
// given to the functions that compare fields. The zero value changes nothing; of two options of the same sort the
// later one holds. An option that has no meaning for a function is without effect.
type Option struct {
	flags     optionFlags
	within    time.Duration
	tolerance float64
}

type optionFlags uint8

const (
	flagIgnore optionFlags = 1 << iota
	flagSafe
	flagNilEmpty
	flagWithin
	flagTolerance
)

// Ignore compares the field, with everything beneath it, but counts no difference in it. A comparison in which only
// ignored fields differ counts as ignored, not as matched. Values of ignored fields are never kept.
func Ignore() Option { return Option{flags: flagIgnore} }

// Safe says that the values of the field, and of everything beneath it, hold nothing personal and may be shown in logs
// and in ledgers.
func Safe() Option { return Option{flags: flagSafe} }

// NilEmpty makes nil equal to empty: a nil slice or map to one without elements, a nil pointer to a pointer to the zero
// value.
func NilEmpty() Option { return Option{flags: flagNilEmpty} }

// Within lets two times, or two values of type time.Duration, lie up to d apart; zero asks for the same nanosecond.
func Within(d time.Duration) Option { return Option{flags: flagWithin, within: d} }

// Tolerance lets two numbers or decimals lie up to t apart, in the unit of the field. Binary fractions are taken as they
// print, so that 1.1 and 1.0 lie within 0.1. A t that is not above zero asks for equality.
func Tolerance(t float64) Option { return Option{flags: flagTolerance, tolerance: t} }

func merge(options []Option) Option {
	var all Option
	for _, o := range options {
		all.flags |= o.flags
		if o.flags&flagWithin != 0 {
			all.within = o.within
		}
		if o.flags&flagTolerance != 0 {
			all.tolerance = o.tolerance
		}
	}
	return all
}

func (o Option) ignored() bool      { return o.flags&flagIgnore != 0 }
func (o Option) safe() bool         { return o.flags&flagSafe != 0 }
func (o Option) nilEmpty() bool     { return o.flags&flagNilEmpty != 0 }
func (o Option) hasWithin() bool    { return o.flags&flagWithin != 0 }
func (o Option) hasTolerance() bool { return o.flags&flagTolerance != 0 }
