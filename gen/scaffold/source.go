package scaffold

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Entity is an annotated interface.
type Entity struct {
	// Name is what its directive calls it, or, where it does not, what
	// crossfade.yaml could.
	Name string `json:"name"`
	// Interface is its name in Go.
	Interface string `json:"interface"`
	// Package is its folder, as crossfade.yaml names it.
	Package string `json:"package"`
	// At is where it is declared: "internal/customers/customers.go:12".
	At string `json:"at"`
	// Versions are those that were recognised, oldest first.
	Versions []Version `json:"versions"`

	named  bool // by the directive
	tenant string
	roles  map[string]string // get, put, delete, keys by their methods
	source *packageSource
	iface  *ast.InterfaceType
	file   *ast.File
}

const marker = "//crossfade:"

// packageSource is a package that was parsed, without its tests.
type packageSource struct {
	mod    *module
	folder *folder
	name   string
	fset   *token.FileSet
	files  []*ast.File
}

// parse parses a folder. Files that do not parse are taken as far as they do.
func (m *module) parse(f *folder) *packageSource {
	p := &packageSource{mod: m, folder: f, fset: token.NewFileSet()}
	for _, file := range f.files {
		parsed, _ := parser.ParseFile(p.fset, path.Join(f.path, file.name), file.source, parser.ParseComments|parser.SkipObjectResolution)
		if parsed != nil && parsed.Name != nil && parsed.Name.Name != "main" {
			p.files = append(p.files, parsed)
			p.name = parsed.Name.Name
		}
	}
	return p
}

// entities finds the annotated interfaces of the module.
func (m *module) entities() []*Entity {
	var found []*Entity
	for _, f := range m.folders {
		if slices.ContainsFunc(f.files, func(file goFile) bool { return bytes.Contains(file.source, []byte(marker+"entity")) }) {
			found = append(found, m.parse(f).entities()...)
		}
	}
	slices.SortFunc(found, func(a, b *Entity) int {
		return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.Interface, b.Interface))
	})
	for _, e := range found {
		e.Versions = m.versions(e)
	}
	return found
}

func (p *packageSource) entities() (found []*Entity) {
	for _, file := range p.files {
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.TYPE {
				continue
			}
			for _, spec := range group.Specs {
				if e := p.entity(file, group, spec.(*ast.TypeSpec)); e != nil { // type declarations hold nothing else
					found = append(found, e)
				}
			}
		}
	}
	return found
}

func (p *packageSource) entity(file *ast.File, group *ast.GenDecl, spec *ast.TypeSpec) *Entity {
	doc := spec.Doc
	if doc == nil && !group.Lparen.IsValid() {
		doc = group.Doc
	}
	verb, words := directive(doc)
	iface, ok := spec.Type.(*ast.InterfaceType)
	if !ok || verb != "entity" {
		return nil
	}
	e := &Entity{
		Name: words["name"], Interface: spec.Name.Name, Package: p.folder.path, named: words["name"] != "",
		tenant: words["tenant"], roles: words, source: p, iface: iface, file: file,
	}
	if !e.named {
		e.Name = snake(e.Interface)
	}
	pos := p.fset.Position(spec.Pos())
	e.At = fmt.Sprintf("%s:%d", pos.Filename, pos.Line)
	return e
}

// directive returns the verb and the words of the first directive in a comment.
func directive(doc *ast.CommentGroup) (verb string, words map[string]string) {
	words = map[string]string{}
	if doc == nil {
		return "", words
	}
	for _, c := range doc.List {
		text, ok := strings.CutPrefix(c.Text, marker)
		if !ok {
			continue
		}
		text, _, _ = strings.Cut(text, " //")
		for i, word := range strings.Fields(text) {
			if i == 0 {
				verb = word
				continue
			}
			name, value, _ := strings.Cut(word, "=")
			if words[name] == "" {
				words[name] = value
			}
			words["has "+name] = "yes"
		}
		return verb, words
	}
	return "", words
}

// structure returns a struct type of the package by its name.
func (p *packageSource) structure(name string) (*ast.StructType, *ast.File) {
	for _, file := range p.files {
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range group.Specs {
				if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.Name == name {
					if s, ok := ts.Type.(*ast.StructType); ok {
						return s, file
					}
				}
			}
		}
	}
	return nil, nil
}

// underlying returns what a type of the package is declared as.
func (p *packageSource) underlying(name string) ast.Expr {
	for _, file := range p.files {
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range group.Specs {
				if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.Name == name {
					return ts.Type
				}
			}
		}
	}
	return nil
}

// declares tells whether the package declares a function.
func (p *packageSource) declares(function string) bool {
	for _, file := range p.files {
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == function {
				return true
			}
		}
	}
	return false
}

// imports tells whether the package imports another.
func (p *packageSource) imports(path string) bool {
	for _, file := range p.files {
		for _, spec := range file.Imports {
			if unquoted(spec.Path.Value) == path {
				return true
			}
		}
	}
	return false
}

// models returns the exported GORM models of the package.
func (p *packageSource) models() (names []string) {
	for _, file := range p.files {
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range group.Specs {
				ts, ok := spec.(*ast.TypeSpec)
				if !ok || !ts.Name.IsExported() {
					continue
				}
				if s, ok := ts.Type.(*ast.StructType); ok && isModel(s) {
					names = append(names, ts.Name.Name)
				}
			}
		}
	}
	slices.Sort(names)
	return names
}

// isModel tells whether a struct speaks of GORM.
func isModel(s *ast.StructType) bool {
	return slices.ContainsFunc(s.Fields.List, func(f *ast.Field) bool {
		if f.Tag != nil && strings.Contains(f.Tag.Value, `gorm:"`) {
			return true
		}
		selector, ok := f.Type.(*ast.SelectorExpr)
		if !ok || len(f.Names) > 0 || selector.Sel.Name != "Model" {
			return false
		}
		from, ok := selector.X.(*ast.Ident)
		return ok && from.Name == "gorm"
	})
}

var wordBreak = regexp.MustCompile(`([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])`)

// snake writes a Go name as SQL does: TenantID is tenant_id.
func snake(name string) string {
	name = wordBreak.ReplaceAllString(name, "${1}${3}_${2}${4}")
	return strings.ToLower(wordBreak.ReplaceAllString(name, "${1}${3}_${2}${4}"))
}

// exportedName writes the first letter large.
func exportedName(name string) string {
	for i, r := range name {
		return string(unicode.ToUpper(r)) + name[i+len(string(r)):]
	}
	return name
}
