// Package archtest holds the rules that the module's packages follow, and the test that enforces them: which package
// may import which, where drivers, GORM, OpenFeature and test libraries may appear, that sqlc's types stay inside, and
// that packages are commented, have examples and consist of small files.
//
// Every rule is a function over a Graph, so that each is tested on a small graph that breaks it. The package never
// changes anything and is imported by nothing.
package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// File is one Go file of a package.
type File struct {
	Name       string // without a folder
	Test       bool   // its name ends in _test.go
	Imports    []string
	Lines      int
	Generated  bool // it carries the comment that generators write
	Commented  bool // it has a package comment
	HasExample bool // it declares a function Example...
}

// Package is one package of the module.
type Package struct {
	Path  string // relative to the module: "repo/postgres"; "." for the module's own folder
	Name  string
	Files []File
}

// Graph holds every package of one module.
type Graph struct {
	Module   string
	Packages []Package
}

// inner returns the path relative to the module, if the import is one of ours.
func (g *Graph) inner(importPath string) (string, bool) {
	return strings.CutPrefix(importPath, g.Module+"/")
}

// imports returns what the package's files import, without those of tests, each once.
func (p *Package) imports() []string {
	var all []string
	seen := map[string]bool{}
	for _, file := range p.Files {
		if file.Test {
			continue
		}
		for _, path := range file.Imports {
			if !seen[path] {
				seen[path] = true
				all = append(all, path)
			}
		}
	}
	return all
}

// generated tells whether a package consists of generated files for the most part, tests apart.
func (p *Package) generated() bool {
	written, made := 0, 0
	for _, f := range p.Files {
		switch {
		case f.Test:
		case f.Generated:
			made++
		default:
			written++
		}
	}
	return written <= made/2
}

// Load reads the graph of the module in a folder with the go command. Files that this platform leaves out count too.
func Load(dir string) (*Graph, error) {
	cmd := exec.Command("go", "list", "-json=Dir,ImportPath,Name,Module,GoFiles,CgoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles", "./...")
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, stderr.String())
	}
	graph := &Graph{}
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var listed listedPackage
		if err := decoder.Decode(&listed); errors.Is(err, io.EOF) {
			return graph, nil
		} else if err != nil {
			return nil, fmt.Errorf("read go list's output: %w", err)
		}
		graph.Module = listed.Module.Path
		p, err := listed.read()
		if err != nil {
			return nil, err
		}
		graph.Packages = append(graph.Packages, p)
	}
}

type listedPackage struct {
	Dir, ImportPath, Name                                        string
	Module                                                       struct{ Path string }
	GoFiles, CgoFiles, IgnoredGoFiles, TestGoFiles, XTestGoFiles []string
}

func (l *listedPackage) read() (Package, error) {
	p := Package{Path: ".", Name: l.Name}
	if inner, below := strings.CutPrefix(l.ImportPath, l.Module.Path+"/"); below {
		p.Path = inner
	}
	for _, names := range [][]string{l.GoFiles, l.CgoFiles, l.IgnoredGoFiles, l.TestGoFiles, l.XTestGoFiles} {
		for _, name := range names {
			content, err := os.ReadFile(filepath.Join(l.Dir, name))
			if err != nil {
				return p, fmt.Errorf("read file of package %s: %w", p.Path, err)
			}
			file, err := readFile(name, content)
			if err != nil {
				return p, fmt.Errorf("read file of package %s: %w", p.Path, err)
			}
			p.Files = append(p.Files, file)
		}
	}
	return p, nil
}

func readFile(name string, content []byte) (File, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), name, content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return File{}, err
	}
	file := File{
		Name:      name,
		Test:      strings.HasSuffix(name, "_test.go"),
		Lines:     bytes.Count(content, []byte("\n")),
		Generated: ast.IsGenerated(parsed),
		Commented: parsed.Doc != nil && strings.TrimSpace(parsed.Doc.Text()) != "",
	}
	for _, spec := range parsed.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return File{}, err
		}
		file.Imports = append(file.Imports, path)
	}
	for _, declaration := range parsed.Decls {
		if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Example") {
			file.HasExample = true
		}
	}
	return file, nil
}
