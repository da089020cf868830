package gen

import (
	"cmp"
	"fmt"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// Problem is one thing that keeps an interface from being generated for.
type Problem struct {
	// Pos is where to look. Its file name is relative to the folder of the run
	// where it lies below it.
	Pos token.Position
	// Where names the interface or the method, such as "Customers.Get".
	Where string
	// Text says what is wrong, and what to do about it.
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

// ProblemsError holds everything that was wrong with a run's input, in the
// order of files and lines. Nothing was written.
type ProblemsError struct{ Problems []Problem }

// Error returns one problem per line.
func (e *ProblemsError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// problems collects what is wrong.
type problems struct {
	dir  string // file names are shown relative to it
	list []Problem
}

func (p *problems) add(pos token.Position, where, format string, args ...any) {
	if rel, err := filepath.Rel(p.dir, pos.Filename); err == nil && filepath.IsLocal(rel) {
		pos.Filename = filepath.ToSlash(rel)
	}
	p.list = append(p.list, Problem{Pos: pos, Where: where, Text: fmt.Sprintf(format, args...)})
}

// err returns everything that was collected, each once, or nil.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Pos.Filename, b.Pos.Filename),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column),
			cmp.Compare(a.String(), b.String()),
		)
	})
	return &ProblemsError{Problems: slices.Compact(p.list)}
}
