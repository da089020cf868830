package gen

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/tools/go/packages"
)

// pkg is a package read from source, without its generated files and without
// the bodies of its functions.
type pkg struct {
	*packages.Package
	dir        string
	directives directives
}

// loader reads packages. Those that were asked for and those that are needed
// for embedded interfaces are read once.
type loader struct {
	ctx  context.Context // a loader lives as long as one Run
	dir  string
	read map[string]*pkg // by import path
	ps   *problems

	byDir     map[string]*pkg
	mu        sync.Mutex                 // files are parsed by several goroutines
	unwritten map[string]map[string]bool // by file, the methods that gen wrote and nobody filled in
}

func newLoader(ctx context.Context, dir string, ps *problems) *loader {
	return &loader{ctx: ctx, dir: dir, ps: ps, read: map[string]*pkg{}, byDir: map[string]*pkg{}, unwritten: map[string]map[string]bool{}}
}

// NeedDeps is left out on purpose: imports come from export data, which takes
// 0.2 s and not 14.
const loadMode = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
	packages.NeedExportFile | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo

// load reads the packages that the patterns match. A package that does not
// compile, as its own generated code is missing, has no export data: where it
// is imported, the loader falls back to its source.
func (l *loader) load(patterns ...string) ([]*pkg, error) {
	loaded, err := packages.Load(&packages.Config{Context: l.ctx, Dir: l.dir, Mode: loadMode, ParseFile: l.parseFile}, patterns...)
	if err != nil {
		return nil, fmt.Errorf("read packages: %w", err)
	}
	if len(loaded) == 0 {
		if err := l.unlisted(patterns); err != nil {
			return nil, err
		}
	}
	var found []*pkg
	for _, p := range loaded {
		known := l.read[p.PkgPath]
		if known == nil {
			known = l.add(p)
		}
		if known != nil {
			found = append(found, known)
		}
	}
	return found, nil
}

// unlisted asks the go command why it lists no packages. Of a go.mod that lacks
// what generated code imports, the loader says nothing.
func (l *loader) unlisted(patterns []string) error {
	cmd := exec.CommandContext(l.ctx, "go", append([]string{"list", "--"}, patterns...)...)
	cmd.Dir = l.dir
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("read packages: %s", strings.TrimSpace(string(output)))
	}
	return nil
}

// add takes a package in, or reports what keeps it from being read.
func (l *loader) add(p *packages.Package) *pkg {
	empty := p.Types == nil || len(p.Syntax) == 0
	for _, e := range p.Errors {
		// That a package does not compile, as generated code is missing, is no
		// obstacle: what an interface names is looked at where it names it.
		if e.Kind == packages.ParseError || e.Kind == packages.ListError && empty {
			l.ps.add(position(e.Pos), "", "%s", strings.TrimSpace(e.Msg))
		}
	}
	if empty {
		return nil
	}
	known := &pkg{Package: p, directives: directives{}}
	if len(p.GoFiles) > 0 {
		known.dir = filepath.Dir(p.GoFiles[0])
		l.byDir[known.dir] = known
	}
	for _, file := range p.Syntax {
		known.directives.scan(p.Fset, file, l.ps)
	}
	l.read[p.PkgPath] = known
	return known
}

// spec returns the declaration of a type in its package's source.
func (l *loader) spec(path, name string) (*pkg, *ast.TypeSpec, error) {
	p := l.read[path]
	if p == nil {
		loaded, err := l.load(path)
		if err != nil {
			return nil, nil, err
		}
		if len(loaded) != 1 {
			return nil, nil, fmt.Errorf("package %s cannot be read", path)
		}
		p = loaded[0]
	}
	for _, file := range p.Syntax {
		for _, decl := range file.Decls {
			g, ok := decl.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				continue
			}
			for _, s := range g.Specs {
				if ts, ok := s.(*ast.TypeSpec); ok && ts.Name.Name == name {
					return p, ts, nil
				}
			}
		}
	}
	return nil, nil, errors.New("its declaration cannot be found")
}

// parseFile parses a file as far as it matters here: function bodies are left
// out, and of our own output everything but the package clause, so that code
// generated earlier never stands in the way.
func (l *loader) parseFile(fset *token.FileSet, filename string, src []byte) (*ast.File, error) {
	if isGenerated(src) {
		return parser.ParseFile(fset, filename, src, parser.PackageClauseOnly)
	}
	file, err := parser.ParseFile(fset, filename, src, parser.ParseComments|parser.AllErrors|parser.SkipObjectResolution)
	if file != nil {
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				l.noteStub(fset, f, src)
				f.Body = nil
			}
		}
	}
	return file, err // the loader adds the position
}

// noteStub remembers a method of mapping.go that nobody filled in.
func (l *loader) noteStub(fset *token.FileSet, f *ast.FuncDecl, src []byte) {
	if f.Recv == nil || f.Body == nil {
		return
	}
	from, to := fset.Position(f.Body.Pos()), fset.Position(f.Body.End())
	if to.Offset > len(src) || !bytes.Contains(src[from.Offset:to.Offset], []byte(notWritten+`"`)) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unwritten[from.Filename] == nil {
		l.unwritten[from.Filename] = map[string]bool{}
	}
	l.unwritten[from.Filename][f.Name.Name] = true
}

// newPackage is a package that has no file yet.
func newPackage(path, name string) *packages.Package {
	return &packages.Package{PkgPath: path, Name: name, Fset: token.NewFileSet(), Types: types.NewPackage(path, name)}
}

// headerStart begins every file that we write, and none that we did not.
const headerStart = "// Code generated by crossfade gen from "

func isGenerated(src []byte) bool { return bytes.HasPrefix(src, []byte(headerStart)) }

// typeErrors returns the type checker's complaints between two positions.
func (p *pkg) typeErrors(from, to token.Pos) []types.Error {
	var found []types.Error
	for _, e := range p.TypeErrors {
		if e.Pos >= from && e.Pos <= to {
			found = append(found, e)
		}
	}
	return found
}

// position reads "file:line:column" as the go command prints it.
func position(text string) token.Position {
	var pos token.Position
	parts := strings.Split(text, ":")
	if len(parts) < 2 {
		return pos
	}
	pos.Filename = parts[0]
	_, _ = fmt.Sscan(parts[1], &pos.Line)
	if len(parts) > 2 {
		_, _ = fmt.Sscan(parts[2], &pos.Column)
	}
	return pos
}
