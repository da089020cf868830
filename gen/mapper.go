package gen

import (
	"bytes"
	"fmt"
	"go/format"
	"go/token"
	"go/types"
	"strings"
)

// mapperMethod is one method of the generated Mapper.
type mapperMethod struct {
	name    string
	doc     string
	params  []target
	results []target // without the error
	bare    bool     // it returns the error alone, as its result
}

// mapperMethod asks for a method of Mapper. Results are named after the fields.
func (c *versionCode) mapperMethod(name string, params, results []target, doc string) *mapperMethod {
	m := &mapperMethod{name: c.mapperNames.unique(name), doc: doc}
	used := map[string]bool{"err": true, "r": true, "m": true}
	fresh := func(name, suffix string) string {
		name = lowerFirst(name[strings.LastIndex(name, ".")+1:])
		if name == "" || name == "_" {
			name = "value"
		}
		if c.reserved(name) || used[name] {
			name += suffix
		}
		free := name
		for i := 2; used[free] || c.reserved(free); i++ {
			free = fmt.Sprint(name, i)
		}
		used[free] = true
		return free
	}
	for _, p := range params {
		m.params = append(m.params, target{fresh(p.name, "Arg"), p.typ})
	}
	for _, r := range results {
		m.results = append(m.results, target{fresh(r.name, "Value"), r.typ})
	}
	c.mapper = append(c.mapper, m)
	return m
}

// reserved reports whether a name means something else in the package, in the
// generated file or in mapping.go.
func (c *versionCode) reserved(name string) bool {
	if c.names.taken(name) {
		return true
	}
	for _, p := range []string{"errors", "context", "pgx", "gorm", "clause", "postgres", "gormtx", c.v.entity.pkg.Name} {
		if name == p {
			return true
		}
	}
	return c.queries != nil && name == c.queries.Name || c.importNames[name]
}

// signature is what stands behind the method's name, in the interface and in
// mapping.go.
func (m *mapperMethod) signature(f *file) string {
	if m.bare {
		return "(" + grouped(f, m.params) + ") error"
	}
	return fmt.Sprintf("(%s) (%s, err error)", grouped(f, m.params), grouped(f, m.results))
}

// grouped writes names and types as Go does: a, b string, c int.
func grouped(f *file, list []target) string {
	var out strings.Builder
	for i, t := range list {
		if i > 0 {
			out.WriteString(", ")
		}
		out.WriteString(t.name)
		if i+1 == len(list) || !types.Identical(t.typ, list[i+1].typ) || f.show(t.typ) != f.show(list[i+1].typ) {
			out.WriteString(" " + f.show(t.typ))
		}
	}
	return out.String()
}

// mapperCode writes the interface.
func (c *versionCode) mapperCode() string {
	if len(c.mapper) == 0 {
		return ""
	}
	var out strings.Builder
	fmt.Fprintf(&out, "\n// Mapper converts what %s and version %s write differently. Each field that agrees\n"+
		"// in name and type is copied by the code below; each of the others is one result\n"+
		"// here, so that a field which is added does not compile before it is mapped.\n"+
		"// Type mapping implements it, in mapping.go.\ntype Mapper interface {\n", c.say(c.domain()), c.v.Name)
	for i, m := range c.mapper {
		if i > 0 {
			out.WriteString("\n")
		}
		fmt.Fprintf(&out, "%s%s%s\n", comment(m.doc), m.name, m.signature(c.file))
	}
	out.WriteString("}\n")
	return out.String()
}

// comment wraps a sentence into lines of a comment.
func comment(text string) string {
	const width = 90
	var out strings.Builder
	line := "//"
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > width {
			out.WriteString(line + "\n")
			line = "//"
		}
		line += " " + word
	}
	out.WriteString(line + "\n")
	return out.String()
}

// notWritten is how a stub of mapping.go is known.
const notWritten = " is not written yet"

// mappingFile writes mapping.go for the first and only time.
func (c *versionCode) mappingFile() ([]byte, error) {
	f := &file{pkg: c.v.pkg, names: c.names}
	body := func() string {
		var out strings.Builder
		fmt.Fprintf(&out, "// mapping converts what %s and version %s write differently. This file was\n"+
			"// written once by crossfade gen, and is yours.\ntype mapping struct{}\n", c.say(c.domain()), c.v.Name)
		for _, m := range c.mapper {
			out.WriteString("\n" + comment(m.doc) + "func (mapping) " + m.stub(f))
		}
		return out.String()
	}
	f.imports = newImports(c.names, c.v.pkg.Types, c.v.entity.file)
	body()
	text := body()
	var out bytes.Buffer
	fmt.Fprintf(&out, "%spackage %s\n\n%s\n%s", buildTag(c.v.entity.file), c.v.pkg.Name, f.imports.block(), text)
	code, err := format.Source(out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("format mapping.go: %w", err)
	}
	return code, nil
}

// stub is a method that says that it is not written yet.
func (m *mapperMethod) stub(f *file) string {
	var values []string
	for _, r := range m.results {
		values = append(values, r.name)
	}
	values = append(values, fmt.Sprintf("%s.New(%q)", f.imports.std("errors"), "mapping: "+m.name+notWritten))
	if m.bare {
		values = values[len(values)-1:]
	}
	return fmt.Sprintf("%s%s {\nreturn %s\n}\n", m.name, m.signature(f), strings.Join(values, ", "))
}

// unwritten reports what is left to do in mapping.go.
func (c *versionCode) unwritten() []Problem {
	var list problems
	list.dir = c.g.ps.dir
	obj, ok := c.v.object("mapping").(*types.TypeName)
	if !ok {
		return nil
	}
	f := &file{pkg: c.v.pkg, names: c.names, imports: newImports(c.names, c.v.pkg.Types, c.v.entity.file)}
	for _, m := range c.mapper {
		fn, there := c.v.hand.mapping[m.name]
		switch {
		case !there:
			list.add(c.v.pkg.Fset.Position(obj.Pos()), c.v.where, "mapping lacks %s: add func (mapping) %s%s", m.name, m.name, m.signature(f))
		case !m.matches(obj):
			list.add(c.v.pkg.Fset.Position(fn.Pos()), c.v.where, "%s has another signature now: func (mapping) %s%s", m.name, m.name, m.signature(f))
		case c.g.loader.unwritten[c.v.pkg.Fset.Position(fn.Pos()).Filename][m.name]:
			list.add(c.v.pkg.Fset.Position(fn.Pos()), c.v.where, "%s is still to be written", m.name)
		}
	}
	return list.list
}

// matches reports whether the method that mapping declares has the types asked
// for.
func (m *mapperMethod) matches(mapping *types.TypeName) bool {
	sig := methodOf(types.NewPointer(mapping.Type()), m.name)
	if sig == nil || sig.Variadic() || sig.Params().Len() != len(m.params) {
		return false
	}
	for i, p := range m.params {
		if !types.Identical(sig.Params().At(i).Type(), p.typ) {
			return false
		}
	}
	results := m.results
	if sig.Results().Len() != len(results)+1 || !isError(sig.Results().At(len(results)).Type()) {
		return false
	}
	for i, r := range results {
		if !types.Identical(sig.Results().At(i).Type(), r.typ) {
			return false
		}
	}
	return true
}

// scaffoldProblem names a method of a mapping.go that is written now.
func scaffoldProblem(dir, path string, text []byte, where string, m *mapperMethod) Problem {
	pos := token.Position{Filename: path}
	if before, _, ok := bytes.Cut(text, []byte("func (mapping) "+m.name+"(")); ok {
		pos.Line, pos.Column = 1+bytes.Count(before, []byte("\n")), 1
	}
	list := problems{dir: dir}
	list.add(pos, where, "%s is still to be written", m.name)
	return list.list[0]
}
