package main

import (
	"encoding/json"
	"fmt"
	"io"
)

// printf prints a part of the result for people.
func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.out, format, args...) }

// document prints a result as one JSON document.
func (a *app) document(v any) error {
	encoder := json.NewEncoder(a.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	return nil
}

// event prints one line of JSON.
func (a *app) event(v any) { writeLine(a.out, v) }

func writeLine(w io.Writer, v any) {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // our own types marshal, and who closed the output does not read
}

// note says something beside the result: to standard error, or as an event.
func (a *app) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if a.json {
		writeLine(a.err, map[string]string{"note": text})
		return
	}
	fmt.Fprintf(a.err, "note: %s\n", printable(text))
}
