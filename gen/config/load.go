package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// Load reads a file and looks whether the folders that it names are there.
// Everything that is wrong with it comes back as one [*ProblemsError]; another
// error means that the file could not be read.
func Load(path string) (*Config, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	r := &reader{path: path}
	c := r.parse(source)
	r.folders(c)
	if err := r.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// Parse is [Load] for a text that is, or would be, in the file at path. It
// looks at no folder.
func Parse(path string, source []byte) (*Config, error) {
	r := &reader{path: path}
	c := r.parse(source)
	if err := r.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// Find looks for the file in a folder and those above it, up to the root of the
// module, which has go.mod. An empty folder is the current one. The path that
// it returns is absolute.
func Find(folder string) (path string, found bool, err error) {
	folder, err = filepath.Abs(folder)
	if err != nil {
		return "", false, fmt.Errorf("find the configuration: %w", err)
	}
	for {
		path := filepath.Join(folder, FileName)
		switch there, err := isFile(path); {
		case err != nil:
			return "", false, fmt.Errorf("find the configuration: %w", err)
		case there:
			return path, true, nil
		}
		other := filepath.Join(folder, "crossfade.yml")
		if there, err := isFile(other); err == nil && there {
			return "", false, fmt.Errorf("%s is not read: rename it to %s", other, FileName)
		}
		if there, err := isFile(filepath.Join(folder, "go.mod")); err == nil && there {
			return "", false, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", false, nil
		}
		folder = parent
	}
}

// isFile tells whether there is a file and not a folder.
func isFile(path string) (bool, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	return !info.IsDir(), nil
}

// parse reads everything but folders. What it returns is complete only if
// nothing was reported.
func (r *reader) parse(source []byte) *Config {
	c := &Config{Path: r.path, source: source}
	document, ok := r.document(source)
	if !ok {
		return c
	}
	found := r.mapping(document.Content[0], "", &fileKeys)
	if e, there := found["version"]; there {
		c.Version = r.format(e)
	}
	if e, there := found["entities"]; there {
		for _, n := range r.list(e, "", entityKeys.keys[0].example) {
			c.Entities = append(c.Entities, r.entity(n))
		}
	}
	r.consistent(c)
	return c
}

// document returns the only document of the file.
func (r *reader) document(source []byte) (*yaml.Node, bool) {
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		r.problem(start(r.path), "", "the file is empty: begin with the line `version: 1`")
		return nil, false
	case err != nil:
		r.syntax(source, err)
		return nil, false
	}
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
		return &document, true
	case err != nil:
		r.syntax(source, err)
	default:
		r.problem(r.pos(&second), "", "a second document begins: %s holds one; delete the line --- above it", FileName)
	}
	return nil, false
}

// format reads the version of the format.
func (r *reader) format(e entry) int {
	content := resolved(e.value)
	if content.Kind != yaml.ScalarNode || content.Tag != "!!int" || content.Value != "1" {
		r.problem(r.pos(e.value), "", "version: expected 1, the only format that this program reads, found %s: write `version: 1`, or update crossfade", shown(content))
		return 0
	}
	return 1
}

func (r *reader) entity(n *yaml.Node) Entity {
	e := Entity{Pos: r.pos(n)}
	where := nameIn(n)
	found := r.mapping(n, where, &entityKeys)
	r.texts(found, where, &entityKeys, map[string]*Text{"name": &e.Name, "package": &e.Package, "interface": &e.Interface})
	if list, there := found["versions"]; there {
		for _, n := range r.list(list, where, versionKeys.keys[0].example) {
			e.Versions = append(e.Versions, r.version(n, where))
		}
	}
	return e
}

func (r *reader) version(n *yaml.Node, where string) Version {
	v := Version{Pos: r.pos(n)}
	if name := nameIn(n); name != "" {
		where = join(where, name)
	}
	found := r.mapping(n, where, &versionKeys)
	r.texts(found, where, &versionKeys, map[string]*Text{"name": &v.Name, "package": &v.Package})
	if e, there := found["gorm"]; there {
		v.GORM = &GORM{Pos: r.pos(e.key)}
		r.texts(r.mapping(e.value, where, &gormKeys), where, &gormKeys, map[string]*Text{"model": &v.GORM.Model})
	}
	if e, there := found["sqlc"]; there {
		v.SQLC = &SQLC{Pos: r.pos(e.key)}
		r.texts(r.mapping(e.value, where, &sqlcKeys), where, &sqlcKeys, map[string]*Text{"package": &v.SQLC.Package})
	}
	if e, there := found["methods"]; there {
		v.Methods = r.pairs(e, where)
		if v.SQLC == nil {
			r.problem(r.pos(e.key), where, "methods are paired with queries of sqlc, and this version has none: delete methods, or say which queries, as in `%s`", sqlcExample)
		}
	}
	if v.GORM != nil && v.SQLC != nil {
		later := v.GORM.Pos
		if before(later, v.SQLC.Pos) {
			later = v.SQLC.Pos
		}
		r.problem(later, where, "a version is over gorm or over sqlc, not both: delete one of the two keys")
	}
	return v
}

var sqlcExample = versionKeys.keys[3].example

// texts fills values by their keys.
func (r *reader) texts(found map[string]entry, where string, o *object, into map[string]*Text) {
	for _, k := range o.keys {
		if e, there := found[k.name]; there && k.value.form != nil {
			*into[k.name] = r.text(e.value, k.name, where, k.value.form)
		}
	}
}

// pairs reads which query answers which method.
func (r *reader) pairs(e entry, where string) (pairs []Pair) {
	content := resolved(e.value)
	if content.Kind != yaml.MappingNode {
		r.problem(r.pos(e.value), where, "methods: expected a mapping from methods to queries, found %s: write `methods: {Get: GetCustomerByID}`", shown(content))
		return nil
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(content.Content); i += 2 {
		method := r.text(content.Content[i], "methods", where, &goForm)
		query := r.text(content.Content[i+1], "methods: "+resolved(content.Content[i]).Value, where, &goForm)
		if line := lines[method.Value]; line > 0 && method.Set() {
			r.problem(method.Pos, where, "the method %s is there twice, first in line %d: delete one of them", method, line)
			continue
		}
		lines[method.Value] = method.Pos.Line
		pairs = append(pairs, Pair{method, query})
	}
	return pairs
}

// nameIn returns the name of an entity or version whatever else is wrong.
func nameIn(n *yaml.Node) string {
	n = resolved(n)
	if n.Kind != yaml.MappingNode {
		return ""
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "name" && resolved(n.Content[i+1]).Kind == yaml.ScalarNode {
			return resolved(n.Content[i+1]).Value
		}
	}
	return ""
}

func join(where, name string) string {
	if where == "" {
		return name
	}
	return where + " " + name
}
