package compare

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Rules decide about differences after they were found, by their paths: what does not count, what may be shown. They
// hold what is known only where the program is put together; what is known about a field for good belongs into its
// struct tag. The zero value and nil are rules that change nothing. Rules do not change once in use and are safe for
// concurrent use.
//
// A pattern is a path in which [*] stands for any index or key: "UpdatedAt", "Lines[*].Cents". It names the value and
// everything beneath it. It holds for lists of the entity as well: "UpdatedAt" names "[3].UpdatedAt" too. The pattern
// "error" names a difference between the two sides' errors, and "*" names everything. Patterns made by NewRules are known
// to be well formed; in a literal of this type a malformed pattern names nothing.
type Rules struct {
	Ignore   []string // differences that do not count
	Safe     []string // values that may be shown
	MaxDiffs int      // how many differences to keep; zero means MaxDiffs of this package, which is the most
	// Redactor makes the texts of values that are not safe. Nil means type, length and a hash keyed with this process's
	// own secret, as NewRedactor(nil) does.
	Redactor Redactor
	// OnPanic is told when Redactor panics, to count it. Nil means nobody. The value may hold data: do not log it.
	OnPanic func(recovered any)
}

// NewRules returns a copy of r, or an error that names the first pattern that is empty, malformed, or, if types are
// given, names a field that none of them has. Give the types of the answers: reflect.TypeFor[Customer]().
func NewRules(r Rules, types ...reflect.Type) (*Rules, error) {
	r.Ignore, r.Safe = slices.Clone(r.Ignore), slices.Clone(r.Safe)
	if r.MaxDiffs < 0 || r.MaxDiffs > MaxDiffs {
		return nil, fmt.Errorf("compare: rules: MaxDiffs is %d: give 1 to %d, or 0 for %d", r.MaxDiffs, MaxDiffs, MaxDiffs)
	}
	for _, list := range []struct {
		name     string
		patterns []string
	}{{"Ignore", r.Ignore}, {"Safe", r.Safe}} {
		for _, pattern := range list.patterns {
			if err := checkPattern(pattern, types); err != nil {
				return nil, fmt.Errorf("compare: rules: %s pattern %q: %w", list.name, pattern, err)
			}
		}
	}
	return &r, nil
}

// Apply returns the differences as the rules see them: ignored ones marked, values shown or redacted, no more than
// MaxDiffs of them, so that the verdict stays the same. It changes nothing in diffs, and the result no longer holds the
// values themselves. Nil in, nil out.
func (r *Rules) Apply(diffs []Diff) []Diff {
	if len(diffs) == 0 {
		return nil
	}
	if r == nil {
		r = &Rules{}
	}
	applied := make([]Diff, len(diffs))
	for i, d := range diffs {
		applied[i] = r.settle(d)
	}
	return r.cut(applied)
}

func (r *Rules) settle(d Diff) Diff {
	d.Ignored = d.Ignored || named(r.Ignore, d.Path)
	d.Safe = d.Safe || named(r.Safe, d.Path)
	switch {
	case d.Safe:
		d.show(nil)
	case r.Redactor != nil:
		d.show(r.carefully)
	}
	d.raw = nil
	return d
}

// carefully calls the user's redactor.
func (r *Rules) carefully(path string, value any) (text string) {
	defer func() {
		if recovered := recover(); recovered != nil {
			text = "redactor panicked"
			tell(r.OnPanic, recovered)
		}
	}()
	return r.Redactor(path, value)
}

// cut keeps MaxDiffs differences, those that matter to the verdict before the others. A marker of KindTruncated always
// stays.
func (r *Rules) cut(diffs []Diff) []Diff {
	most := r.MaxDiffs
	if most <= 0 || most > MaxDiffs {
		most = MaxDiffs
	}
	if len(diffs) <= most {
		return diffs
	}
	kept := make([]Diff, 0, most+1)
	for weight := 2; weight >= 0; weight-- {
		for _, d := range diffs {
			if d.weight() == weight && (len(kept) < most || d.Kind == KindTruncated) {
				kept = append(kept, d)
			}
		}
	}
	return kept
}

func named(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, path) })
}

func checkPattern(pattern string, types []reflect.Type) error {
	if pattern == "*" || pattern == "error" {
		return nil
	}
	if pattern == "" {
		return errors.New("it is empty: name a field, or * for everything")
	}
	segments := split(pattern)
	if err := wellFormed(segments); err != nil {
		return err
	}
	if len(types) == 0 {
		return nil
	}
	var errs []error
	for _, t := range types {
		if t == nil {
			continue
		}
		err := checkPath(entity(t, segments), segments)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// checkPath reports where the segments leave what the type has.
func checkPath(t reflect.Type, segments []string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if len(segments) == 0 || t.Kind() == reflect.Interface {
		return nil
	}
	element := t.Kind() == reflect.Slice || t.Kind() == reflect.Array || t.Kind() == reflect.Map
	switch {
	case segments[0] == "[*]" && element:
		return checkPath(t.Elem(), segments[1:])
	case segments[0] == "[*]":
		return fmt.Errorf("%s has no elements", t)
	case element:
		return fmt.Errorf("%s has elements: write [*] before %s", t, segments[0])
	case t.Kind() != reflect.Struct:
		return fmt.Errorf("%s has no field %s", t, segments[0])
	}
	for i := range t.NumField() {
		if field := t.Field(i); field.Name == segments[0] {
			return checkPath(field.Type, segments[1:])
		}
	}
	return fmt.Errorf("%s has no field %s; it has %s", t, segments[0], strings.Join(fieldNames(t), ", "))
}

// entity returns what a list or map at the top holds, where the pattern leaves its [*] out.
func entity(t reflect.Type, segments []string) reflect.Type {
	for segments[0] != "[*]" {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			t = t.Elem()
		default:
			return t
		}
	}
	return t
}

func fieldNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() {
			names = append(names, f.Name)
		}
	}
	return names
}
