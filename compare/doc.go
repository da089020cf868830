// Package compare finds the differences between the answers of two versions of one entity, field by field, and carries
// them to where people look: records, sinks, counters.
//
// It never reads a database, never knows which side is right, and never shows a value that is not marked safe. What it
// says is about two values that it was given: whether a difference is a mismatch, and not a mere race, is decided by
// its callers, who look a second time.
//
// # Comparators
//
// Comparators are functions of the shape Func, one per type, generated from the domain types:
//
//	func DiffCustomer(served, other Customer) []compare.Diff {
//		if sameCustomer(&served, &other) {
//			return nil
//		}
//		var c compare.Collector
//		compare.Equal(&c, "ID", served.ID, other.ID)
//		compare.Equal(&c, "Name", served.Name, other.Name)
//		compare.Time(&c, "UpdatedAt", served.UpdatedAt, other.UpdatedAt, compare.Within(time.Millisecond))
//		compare.Struct(&c, "Address", served.Address, other.Address, DiffAddress)
//		compare.Pointer(&c, "Nickname", served.Nickname, other.Nickname, compare.Values[string])
//		compare.UnorderedBy(&c, "Lines", served.Lines, other.Lines, func(l Line) int64 { return l.ID }, DiffLine)
//		compare.Map(&c, "Labels", served.Labels, other.Labels, compare.Values[string], compare.NilEmpty())
//		return c.Diffs()
//	}
//
//	func sameCustomer(served, other *Customer) bool {
//		return served.ID == other.ID &&
//			compare.SameText(served.Name, other.Name) &&
//			compare.SameTime(&served.UpdatedAt, &other.UpdatedAt) &&
//			sameAddress(&served.Address, &other.Address) &&
//			compare.SamePointer(served.Nickname, other.Nickname, compare.SameValue[string]) &&
//			compare.SameList(served.Lines, other.Lines, sameLine) &&
//			compare.SameMap(served.Labels, other.Labels, compare.Values[string])
//	}
//
// The second function is a short cut that a comparator by hand may leave out: it has neither paths nor options, may say no
// of values that options make equal, and never says yes of others. Equal values cost no allocation, but for those that
// are equal only by value or in another order, as decimals written in two ways, documents, lists without an order and
// what only reflection can look into; paths are built for differences only. Each function of the first sort takes the
// collector, the field's name ("" for the value itself), both values, a Func for what they hold where they hold
// something, and options.
// Types that contain themselves must be compared by Any, which follows a cycle once: a generated comparator would not
// end on one. A Func reads both values: nobody may write to them meanwhile.
//
// Which function compares which field:
//
//	strings, booleans, arrays and structs without floats, times or references   Equal, Values
//	integers and floats                        Equal, or Number where there is a tolerance; Numbers
//	time.Time                                  Time, Times
//	time.Duration                              Equal, or Number with Within
//	byte slices                                Bytes
//	json.RawMessage                            JSON
//	decimals that have a method Equal(T) bool  Method, or Decimal where there is a tolerance
//	other decimals, strings that hold them     Decimal
//	structs with fields of their own           Struct; embedded ones too, under the name of their type
//	pointers                                   Pointer; through it what is above
//	slices                                     Slice, Unordered, UnorderedBy, UnorderedValues
//	maps                                       Map
//	interfaces, functions, types that contain themselves, types with hidden fields   Any, Deep
//
// # Struct tags
//
// The generator reads the struct tag "compare" of each field of a domain type. Its grammar:
//
//	tag      = "-" | item { "," item }
//	item     = "ignore" | "safe" | "nilempty" | "decimal" | "json" | "unordered"
//	         | "by=" path | "within=" amount | "func=" name
//	path     = name { "." name }
//	amount   = a duration as time.ParseDuration reads it, with a unit and not negative | a number >= 0 as strconv.ParseFloat reads it, finite
//	name     = a Go identifier
//
// An empty tag is the same as none. White space around items does not count. Unknown items, an item given twice, an
// empty item, and items that do not fit the field's type or each other are errors of the generator.
//
//	-, ignore        differences here and beneath do not count; a comparison with no others counts as ignored. Alone, or with nothing but safe.
//	safe             values here and beneath may be shown in logs and ledgers. With any other item.
//	nilempty         slices, maps: nil equals empty; pointers: nil equals a pointer to the zero value
//	decimal          strings and decimal types: compared by value, 1.0 equals 1.00
//	json             strings and byte slices: compared as JSON documents; the default for json.RawMessage
//	within=1ms       time.Time, time.Duration, and pointers to them, lists and maps of them
//	within=0.01      integers, floats; strings and decimal types together with decimal; pointers to them, lists and maps of them
//	unordered        slices: the order of elements does not count
//	unordered,by=ID  the same, matching elements by this exported, comparable field; by without unordered is an error
//	func=SameName    compared by func SameName(served, other T) bool in the package of the struct; excludes all but safe
//
// # Defaults
//
// Times are compared as instants, and less than a microsecond apart they are equal, since PostgreSQL keeps microseconds.
// NaN equals NaN, and -0 equals 0. A nil slice, map or pointer differs from an empty one. Types with a method
// Equal(T) bool are compared by it.
//
// # Redaction
//
// Of a value that is not marked safe, a Diff shows the type, the length, and a hash keyed with a secret: equal values
// can be recognised, nothing can be read. Lengths of lists, types, nil and absence are shown. Keys of maps are hashed
// in paths. Keys of rows stay as they are in Record.Key, since a repair needs them; sinks that write to logs hash them.
//
// # Numbers
//
// Counters keep five numbers per operation, so that rates have honest denominators: what was ignored is not matched,
// and what was dropped was not compared. See Counts.
package compare
