package flags

import "fmt"

// FlagError says that an OpenFeature client gave no stage to act on: the flag,
// the value where there was one, what is wrong and what to do about it. There
// is never a default in its place.
type FlagError struct {
	Flag    string
	Value   string // empty when the provider gave none
	Problem string
	Cause   error // what the client or the ctx reported, or nil
}

func (e *FlagError) Error() string {
	text := fmt.Sprintf("flag %q", e.Flag)
	if e.Value != "" {
		text += fmt.Sprintf(" = %q", e.Value)
	}
	text += ": " + e.Problem
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap returns the cause, such as [context.DeadlineExceeded] of a provider
// that hangs.
func (e *FlagError) Unwrap() error { return e.Cause }
