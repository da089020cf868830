package config

import (
	"bytes"
	"errors"
	"go/token"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

func start(path string) token.Position { return token.Position{Filename: path, Line: 1, Column: 1} }

// before tells which of two positions in the file comes first.
func before(a, b token.Position) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
}

var (
	placeInError  = regexp.MustCompile(`^(yaml: )?(line \d+(, column \d+)?: )?`)
	indentedByTab = regexp.MustCompile(`^ *\t`)
)

// syntax reports what keeps a text from being YAML. The parser says one thing
// at a time, and its line is where it began to read what it did not finish:
// the line that is wrong is the one after the last that ends a right text.
func (r *reader) syntax(source []byte, err error) {
	lines := bytes.SplitAfter(source, []byte("\n"))
	wrong := len(lines)
	for wrong > 1 && !isYAML(bytes.Join(lines[:wrong-1], nil)) {
		wrong--
	}
	line := string(lines[wrong-1])
	at := start(r.path)
	at.Line, at.Column = wrong, len(line)-len(strings.TrimLeft(line, " -"))+1
	if indentedByTab.MatchString(line) {
		at.Column = strings.Index(line, "\t") + 1
		r.problem(at, "", "a tab indents the line, and YAML indents by spaces: replace the tab by spaces")
		return
	}
	text := strings.TrimPrefix(err.Error(), placeInError.FindString(err.Error()))
	r.problem(at, "", "from here on this is no YAML: %s; expected `key: value`, indented by spaces like its neighbours", text)
}

func isYAML(source []byte) bool {
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// consistent reports what no part of the file says alone.
func (r *reader) consistent(c *Config) {
	names, interfaces, packages := seen{r: r}, seen{r: r}, seen{r: r}
	for _, e := range c.Entities {
		names.add(e.Name, e.Name.Value, e.Name.Value, "the entity "+e.Name.Value+" is there twice", "rename one or delete it")
		if e.Package.Set() {
			interfaces.add(e.Package, folderKey(e.Package)+" "+e.Interface.Value, e.Name.Value,
				"another entity has the same package and interface", "name each entity's interface")
		}
		versions := seen{r: r}
		for _, v := range e.Versions {
			where := join(e.Name.Value, v.Name.Value)
			versions.add(v.Name, v.Name.Value, where, "the version "+v.Name.Value+" is there twice", "rename one or delete it")
			packages.add(v.Package, folderKey(v.Package), where, "another version has the package "+v.Package.Value, "give each version a folder of its own")
			r.apart(e, v, where)
		}
	}
}

// apart reports packages that must not be the same.
func (r *reader) apart(e Entity, v Version, where string) {
	own := folderKey(v.Package)
	if v.Package.Set() && e.Package.Set() && own == folderKey(e.Package) {
		r.problem(v.Package.Pos, where, "package: the interface is in %s too: give the version a folder of its own, such as %s",
			v.Package, strings.TrimSuffix(e.Package.Value, "/")+"/"+v.Name.Value)
	}
	if v.SQLC != nil && v.Package.Set() && v.SQLC.Package.Set() && own == folderKey(v.SQLC.Package) {
		r.problem(v.SQLC.Package.Pos, where, "sqlc: package: it is the version's own, where New would be declared twice: let sqlc write to %s (out in sqlc.yaml)",
			strings.TrimSuffix(v.Package.Value, "/")+"/queries")
	}
}

// folderKey is the same for all ways of writing a folder.
func folderKey(t Text) string { return path.Clean(t.Value) }

// seen finds what is there twice.
type seen struct {
	r     *reader
	lines map[string]int
}

func (s *seen) add(at Text, key, where, problem, fix string) {
	if !at.Set() {
		return
	}
	if line, twice := s.lines[key]; twice {
		s.r.problem(at.Pos, where, "%s, first in line %d: %s", problem, line, fix)
		return
	}
	if s.lines == nil {
		s.lines = map[string]int{}
	}
	s.lines[key] = at.Pos.Line
}

// folders reports packages whose folder is not there.
func (r *reader) folders(c *Config) {
	for _, e := range c.Entities {
		r.folder(c, e.Package, e.Name.Value, "name the folder with the annotated interface")
		for _, v := range e.Versions {
			where := join(e.Name.Value, v.Name.Value)
			if !r.folder(c, v.Package, where, "make it, as `crossfade new-version "+e.Name.Value+" "+v.Name.Value+"` does") {
				continue
			}
			if v.SQLC != nil {
				r.folder(c, v.SQLC.Package, where, "run `sqlc generate`, whose out in sqlc.yaml must be "+strings.TrimPrefix(v.SQLC.Package.Value, "./"))
			}
		}
	}
}

// folder tells whether a package's folder is there.
func (r *reader) folder(c *Config, pkg Text, where, fix string) bool {
	if !pkg.Set() || checkFolder(pkg.Value) != nil {
		return false // reported, as far as it is a problem
	}
	info, err := os.Stat(c.Folder(pkg))
	if err == nil && info.IsDir() {
		return true
	}
	if near := r.neighbour(c, pkg); near != "" {
		fix = "write " + near
	}
	r.problem(pkg.Pos, where, "the folder %s does not exist: %s", pkg, fix)
	return false
}

// neighbour returns a folder beside the missing one that was probably meant.
func (r *reader) neighbour(c *Config, pkg Text) string {
	parent := path.Dir(folderKey(pkg))
	entries, err := os.ReadDir(filepath.Join(c.Dir(), filepath.FromSlash(parent)))
	if err != nil {
		return ""
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	base := path.Base(folderKey(pkg))
	if len(base) < 4 { // v1 and v2 are near each other, and not meant
		return ""
	}
	if near := Nearest(base, names); near != "" {
		return "./" + path.Join(parent, near)
	}
	return ""
}
