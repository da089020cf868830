package config

import (
	"cmp"
	"fmt"
	"go/token"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with the file. It has the fields of
// gen.Problem.
type Problem struct {
	// Pos is where to look.
	Pos token.Position
	// Where names the entity, and the version where it is about one:
	// "customers", "customers v2". Empty where neither has a name.
	Where string
	// Text says what is wrong, what was expected, and the smallest fix.
	Text string
}

// String returns "file:line:column: where: text".
func (p Problem) String() string {
	text := p.Text
	if p.Where != "" {
		text = p.Where + ": " + text
	}
	if p.Pos.IsValid() {
		text = p.Pos.String() + ": " + text
	}
	return text
}

// ProblemsError holds everything that is wrong with the file, in the order of
// its lines.
type ProblemsError struct{ Problems []Problem }

// Error returns one problem per line.
func (e *ProblemsError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

func (r *reader) problem(pos token.Position, where, format string, args ...any) {
	r.problems = append(r.problems, Problem{Pos: pos, Where: where, Text: fmt.Sprintf(format, args...)})
}

// err returns all problems, or nil.
func (r *reader) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return &ProblemsError{Problems: slices.Compact(r.problems)}
}
