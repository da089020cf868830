package compare_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/stretchr/testify/assert"
)

var (
	errNoRowV1 = errors.New("record not found")
	errTaken   = errors.New("e-mail taken by " + secretText)
)

// sliceError cannot be compared by ==.
type sliceError []string

func (sliceError) Error() string { return "slice" }

type panickyError struct{}

func (panickyError) Error() string      { panic("no text") }
func (panickyError) Is(error) bool      { panic("no") }
func (panickyError) Unwrap() error      { panic("no") }
func wrap(text string, err error) error { return fmt.Errorf(text+": %w", err) }
func classifiers() []compare.Classifier {
	return []compare.Classifier{compare.NotFound(errNoRowV1, sql.ErrNoRows, nil)}
}

func verdictOf(served, other error) string {
	return compare.Judge(compare.Errors(served, other, classifiers()...)).String()
}

type loopError struct{}

func (e *loopError) Error() string { return "loop" }
func (e *loopError) Unwrap() error { return e }

func TestClassesOfErrors(t *testing.T) {
	mine := func(err error) (compare.ErrorClass, bool) { return "mine", errors.Is(err, errTaken) }
	broken := func(error) (compare.ErrorClass, bool) { panic("no") }
	for _, test := range []struct {
		promise string
		err     error
		want    compare.ErrorClass
	}{
		{"nil", nil, compare.ClassNone},
		{"a sentinel", errNoRowV1, compare.ClassNotFound},
		{"a wrapped sentinel", wrap("customers", sql.ErrNoRows), compare.ClassNotFound},
		{"a class of one's own", wrap("save", errTaken), "mine"},
		{"canceled", wrap("read", context.Canceled), compare.ClassCanceled},
		{"timed out", wrap("read", context.DeadlineExceeded), compare.ClassTimeout},
		{"unknown", io.EOF, compare.ClassOther},
		{"an error whose methods panic", panickyError{}, compare.ClassOther},
	} {
		t.Run(test.promise, func(t *testing.T) {
			assert.Equal(t, test.want, compare.Classify(test.err, append(classifiers(), nil, broken, mine)...))
		})
	}
	assert.Equal(t, compare.ClassNotFound, compare.Classify(errNoRowV1, compare.NotFound(errNoRowV1), compare.Sentinels("other", errNoRowV1)),
		"the first classifier that knows it decides")
}

func TestErrorsOfTheTwoSidesAreComparedByWhatTheyMean(t *testing.T) {
	for _, test := range []struct {
		promise       string
		served, other error
		want          string
	}{
		{"no errors", nil, nil, "matched"},
		{"not found equals not found", errNoRowV1, wrap("v2", sql.ErrNoRows), "matched"},
		{"success and an error is a mismatch", nil, io.EOF, "mismatched"},
		{"success and not found is a mismatch", nil, sql.ErrNoRows, "mismatched"},
		{"an error and success is a mismatch", sql.ErrNoRows, nil, "mismatched"},
		{"errors of two classes are a mismatch", sql.ErrNoRows, io.EOF, "mismatched"},
		{"one error, wrapped in two ways", wrap("v1", errTaken), wrap("v2", errTaken), "matched"},
		{"one error among joined ones", errors.Join(io.EOF, errTaken), wrap("v2", errTaken), "matched"},
		{"two errors of one text", errors.New("a"), errors.New("a"), "matched"},
		{"unknown errors prove nothing", io.EOF, errTaken, "inconclusive"},
		{"a timeout of one side proves nothing", nil, context.DeadlineExceeded, "inconclusive"},
		{"nor does a canceled call", sql.ErrNoRows, wrap("v2", context.Canceled), "inconclusive"},
		{"both timed out", context.DeadlineExceeded, wrap("v2", context.DeadlineExceeded), "matched"},
		{"errors that == cannot compare", sliceError{"a"}, sliceError{"b"}, "matched"},
		{"errors whose methods panic", panickyError{}, io.EOF, "inconclusive"},
		{"errors whose methods panic, and success", nil, panickyError{}, "mismatched"},
	} {
		t.Run(test.promise, func(t *testing.T) { assert.Equal(t, test.want, verdictOf(test.served, test.other)) })
	}
	looping := func(err error) (compare.ErrorClass, bool) { return compare.ClassOther, true }
	assert.Equal(t, compare.Inconclusive, compare.Judge(compare.Errors(&loopError{}, io.EOF, looping)), "a chain that contains itself ends")
}

func TestTextsOfErrorsAreHashedUnlessSafe(t *testing.T) {
	diffs := compare.Errors(wrap("save", errTaken), nil)
	assert.Equal(t, "error", diffs[0].Path)
	assert.Regexp(t, `^other: \*fmt.wrapError#[0-9a-f]{12}$`, diffs[0].Served)
	assert.Equal(t, "no error", diffs[0].Other)
	rules := &compare.Rules{Safe: []string{"error"}}
	assert.Equal(t, `other: *fmt.wrapError: "save: e-mail taken by ada@example.org"`, rules.Apply(diffs)[0].Served)
	assert.Equal(t, "other: compare_test.panickyError", compare.Errors(panickyError{}, nil)[0].Served)
	ignoring := &compare.Rules{Ignore: []string{"error"}}
	assert.Equal(t, compare.Ignored, compare.Judge(ignoring.Apply(diffs)))
}
