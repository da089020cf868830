// Package shapes_test writes docs/shapes.md from the shapes beside it, and fails
// when that page is no longer what they are:
//
//	go test ./examples/shapes -update
package shapes_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/shapes.md")

const page = "../../docs/shapes.md"

// shape is one folder.
type shape struct {
	name  string
	doc   string // of the package
	hand  []file // written by hand, besides the domain and SQL
	lines int
	sql   int // lines of SQL in the new version
	diff  string
}

type file struct{ name, text string }

func TestThePageShowsTheShapes(t *testing.T) {
	folders, err := filepath.Glob("*/v2")
	require.NoError(t, err)
	require.NotEmpty(t, folders)
	var shapes []shape
	for _, folder := range folders {
		shapes = append(shapes, read(t, filepath.Dir(folder)))
	}
	text := written(shapes)
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(text), 0o644))
	}
	is, err := os.ReadFile(page)
	require.NoError(t, err)
	assert.Equal(t, text, string(is), "the page is out of date: go test ./examples/shapes -update")
}

// The goal that the project sets itself for a column that is split.
func TestASplitColumnTakesFewLinesByHand(t *testing.T) {
	assert.Less(t, read(t, "splitcolumn").lines, 40)
}

func read(t *testing.T, name string) shape {
	s := shape{name: name}
	for _, source := range sources(t, name) {
		if parsed, err := parser.ParseFile(token.NewFileSet(), source.name, source.text, parser.ParseComments); err == nil && parsed.Doc != nil {
			s.doc = strings.TrimSpace(parsed.Doc.Text())
		}
	}
	require.NotEmpty(t, s.doc, "%s: its package comment says what changes", name)
	for _, version := range []string{"v1", "v2"} {
		for _, source := range sources(t, filepath.Join(name, version)) {
			if n := codeLines(source.text); n > 0 {
				s.hand = append(s.hand, source)
				s.lines += n
			}
		}
	}
	s.sql = len(sqlLines(t, name, "v2", "schema.sql")) + len(sqlLines(t, name, "v2", "queries.sql"))
	s.diff = diffed(sqlLines(t, name, "v1", "schema.sql"), sqlLines(t, name, "v2", "schema.sql"))
	return s
}

// sources are the files of a folder that are neither generated nor tests.
func sources(t *testing.T, folder string) (found []file) {
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		parsed, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments|parser.PackageClauseOnly)
		require.NoError(t, err)
		if !ast.IsGenerated(parsed) {
			found = append(found, file{filepath.ToSlash(name), string(text)})
		}
	}
	return found
}

// codeLines counts the lines that hold anything but comments, the package clause
// and imports.
func codeLines(text string) int {
	set := token.NewFileSet()
	f := set.AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(f, []byte(text), nil, 0)
	parsed, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ImportsOnly)
	if err != nil {
		return 0
	}
	body := int(parsed.Name.End())
	for _, d := range parsed.Decls {
		body = max(body, int(d.End()))
	}
	lines := map[int]bool{}
	for {
		pos, tok, literal := s.Scan()
		if tok == token.EOF {
			return len(lines)
		}
		if f.Offset(pos)+1 < body || tok == token.SEMICOLON && literal == "\n" {
			continue
		}
		first := f.Line(pos)
		for n := range strings.Count(literal, "\n") + 1 {
			lines[first+n] = true
		}
	}
}

func sqlLines(t *testing.T, parts ...string) []string {
	text, err := os.ReadFile(filepath.Join(parts...))
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	return slices.DeleteFunc(strings.SplitAfter(string(text), "\n"), func(line string) bool { return strings.TrimSpace(line) == "" })
}

// diffed shows what two texts have in common, and what only one of them has, by a
// longest common subsequence of their lines.
func diffed(before, after []string) string {
	common := make([][]int, len(before)+1)
	for i := range common {
		common[i] = make([]int, len(after)+1)
	}
	for i := len(before) - 1; i >= 0; i-- {
		for j := len(after) - 1; j >= 0; j-- {
			if common[i][j] = max(common[i+1][j], common[i][j+1]); before[i] == after[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	var b strings.Builder
	for i, j := 0, 0; i < len(before) || j < len(after); {
		switch {
		case i < len(before) && j < len(after) && before[i] == after[j]:
			b.WriteString("  " + before[i])
			i, j = i+1, j+1
		case j == len(after) || i < len(before) && common[i+1][j] >= common[i][j+1]:
			b.WriteString("- " + before[i])
			i++
		default:
			b.WriteString("+ " + after[j])
			j++
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

func written(shapes []shape) string {
	var b bytes.Buffer
	b.WriteString(`# Shapes of change

Each shape is a package below [examples/shapes](../examples/shapes): a domain, two versions of its tables, and what a user
writes by hand to move from one to the other. The rest is generated. Each goes through the whole ladder in the tests, at
every stage and with two processes at neighbouring ones, and both versions give the same answers to the same random operations.

This page is made from them by ` + "`go test ./examples/shapes -update`" + `. Lines by hand are those of both versions that hold code,
without the package clause and imports; SQL is the new version's schema and queries.

| shape | lines by hand | lines of SQL |
|---|--:|--:|
`)
	for _, s := range shapes {
		fmt.Fprintf(&b, "| [%s](#%s) | %d | %d |\n", s.name, s.name, s.lines, s.sql)
	}
	for _, s := range shapes {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", s.name, body(s.doc))
		if s.diff != "" {
			fmt.Fprintf(&b, "\n```diff\n%s\n```\n", s.diff)
		}
		if s.lines == 0 {
			b.WriteString("\nNothing is written by hand.\n")
		}
		for _, f := range s.hand {
			_, code, _ := strings.Cut(f.text, "package ")
			_, code, _ = strings.Cut(code, "\n")
			fmt.Fprintf(&b, "\n[%s](../examples/shapes/%s):\n\n```go\n%s\n```\n", f.name, f.name, strings.TrimSpace(code))
		}
	}
	return b.String()
}

// body is a package comment without its first words, "Package x".
func body(doc string) string {
	words := strings.SplitN(doc, " ", 3)
	if len(words) == 3 && words[0] == "Package" {
		return strings.ToUpper(words[2][:1]) + words[2][1:]
	}
	return doc
}
