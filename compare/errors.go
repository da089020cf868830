package compare

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// ErrorClass is what an error means to a caller, whichever side made it: the two sides' texts and types differ by
// nature, their meaning should not.
type ErrorClass string

// The classes that this package knows. Others are free to choose.
const (
	ClassNone     ErrorClass = ""          // no error
	ClassNotFound ErrorClass = "not found" // given by classifiers: NotFound(sql.ErrNoRows, gorm.ErrRecordNotFound)
	ClassCanceled ErrorClass = "canceled"  // context.Canceled
	ClassTimeout  ErrorClass = "timeout"   // context.DeadlineExceeded
	ClassOther    ErrorClass = "other"     // an error that no classifier knows
)

// Classifier returns the class of an error, and false for errors that it does not know. It may be called concurrently.
// One that panics knows nothing.
type Classifier = func(error) (ErrorClass, bool)

// Sentinels returns a classifier that gives this class to every error for which errors.Is finds one of the sentinels.
func Sentinels(class ErrorClass, sentinels ...error) Classifier {
	return func(err error) (ErrorClass, bool) {
		for _, sentinel := range sentinels {
			if sentinel != nil && errors.Is(err, sentinel) {
				return class, true
			}
		}
		return "", false
	}
}

// NotFound is Sentinels with ClassNotFound: the errors by which each side says that there is no such row.
func NotFound(sentinels ...error) Classifier { return Sentinels(ClassNotFound, sentinels...) }

// Classify returns the class that the first classifier knowing err gives to it; ClassNone for nil, and for what no
// classifier knows ClassCanceled, ClassTimeout or ClassOther.
func Classify(err error, classifiers ...func(error) (ErrorClass, bool)) ErrorClass {
	if err == nil {
		return ClassNone
	}
	for _, classifier := range classifiers {
		if class, ok := classifyWith(classifier, err); ok {
			return class
		}
	}
	switch {
	case is(err, context.Canceled):
		return ClassCanceled
	case is(err, context.DeadlineExceeded):
		return ClassTimeout
	}
	return ClassOther
}

func classifyWith(classifier Classifier, err error) (class ErrorClass, ok bool) {
	defer func() {
		if recover() != nil {
			class, ok = "", false
		}
	}()
	if classifier == nil {
		return "", false
	}
	return classifier(err)
}

// is is errors.Is for errors whose own methods may panic.
func is(err, target error) bool {
	class, ok := classifyWith(Sentinels(ClassOther, target), err)
	return ok && class == ClassOther
}

// Errors compares the errors of the two sides; nil means that they mean the same to a caller. Errors of one class are
// equal, whatever their texts. Two errors that no classifier knows are equal if they share an error in their chains or
// have the same text, and uncomparable otherwise. A call that was canceled or timed out on one side only is
// uncomparable too: it says nothing about the data. The path of the difference is "error". The texts of errors are hashed
// unless rules say that "error" is safe; classes and types are shown.
func Errors(served, other error, classifiers ...func(error) (ErrorClass, bool)) []Diff {
	servedClass, otherClass := Classify(served, classifiers...), Classify(other, classifiers...)
	kind := KindError
	switch {
	case servedClass != otherClass:
		if servedClass.interrupted() || otherClass.interrupted() {
			kind = KindUncomparable
		}
	case servedClass != ClassOther || related(served, other):
		return nil
	default:
		kind = KindUncomparable
	}
	d := Diff{Path: "error", Kind: kind, raw: &rawPair{failure{served, servedClass}, failure{other, otherClass}}}
	d.show(redactDefault)
	return []Diff{d}
}

func (c ErrorClass) interrupted() bool { return c == ClassCanceled || c == ClassTimeout }

// related reports whether two errors have an error in common, or the same text.
func related(served, other error) bool {
	for _, s := range chain(served) {
		if slices.Contains(chain(other), s) {
			return true
		}
	}
	servedText, ok := errorText(served)
	otherText, ok2 := errorText(other)
	return ok && ok2 && servedText == otherText
}

// chain lists the errors in err's tree, breadth first, that == can compare. It looks at 64 errors at most, and ends
// where a method panics.
func chain(err error) (have []error) {
	defer func() { _ = recover() }()
	queue := []error{err}
	for seen := 0; len(queue) > 0 && seen < 64; seen++ {
		next := queue[0]
		queue = queue[1:]
		if next == nil {
			continue
		}
		if reflect.ValueOf(next).Comparable() {
			have = append(have, next)
		}
		switch next := next.(type) { //nolint:errorlint // this walks the tree itself
		case interface{ Unwrap() error }:
			queue = append(queue, next.Unwrap())
		case interface{ Unwrap() []error }:
			queue = append(queue, next.Unwrap()...)
		}
	}
	return have
}

func errorText(err error) (text string, ok bool) {
	defer func() {
		if recover() != nil {
			text, ok = "", false
		}
	}()
	return err.Error(), true
}

// failure is an error as a value that differs.
type failure struct {
	err   error
	class ErrorClass
}

// text returns the error's class and type, and its text, or a keyed hash of it unless it is safe.
func (f failure) text(safe bool) string {
	if f.err == nil {
		return "no error"
	}
	text, ok := errorText(f.err)
	switch {
	case !ok:
		return fmt.Sprintf("%s: %T", f.class, f.err)
	case safe:
		return fmt.Sprintf("%s: %T: %s", f.class, f.err, display(text))
	}
	return fmt.Sprintf("%s: %T%s", f.class, f.err, RedactKey(nil, text))
}
