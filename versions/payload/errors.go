package payload

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Kind is what went wrong.
type Kind string

// The kinds of errors.
const (
	KindSchema     Kind = "schema"     // the schema itself: a mistake in the program
	KindMalformed  Kind = "malformed"  // not an object in JSON, or not one that can be kept as it is
	KindVersion    Kind = "version"    // no version, or none that can be written
	KindUnreadable Kind = "unreadable" // a member that the struct cannot take
	KindUnwritable Kind = "unwritable" // a struct that cannot be written as JSON
	KindUp         Kind = "up"         // a function to the next version
	KindDown       Kind = "down"       // a function to the version before
	KindLoss       Kind = "loss"       // something unknown would be lost
)

// Error says what is wrong with a payload, without its values.
type Error struct {
	Payload string
	Kind    Kind
	Version int // stored, or to be written; 0 where it is not known
	Problem string
	// Cause is the error of a function of the application or of encoding/json. It
	// may show values, and is not part of the text.
	Cause error
}

func (e *Error) Error() string {
	text := "payload " + e.Payload
	if e.Version > 0 {
		text += fmt.Sprintf(" of version %d", e.Version)
	}
	return text + ": " + e.Problem
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// unread explains why a struct could not take an object.
func (s *Schema[T]) unread(version int, err error) error {
	problem := "a member cannot be read"
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		kind, _, _ := strings.Cut(wrong.Value, " ") // a number's text comes behind it
		problem = fmt.Sprintf("member %q: %s cannot hold %s", wrong.Field, wrong.Type, kind)
	}
	return s.failed(KindUnreadable, version, err, "%s", problem)
}
