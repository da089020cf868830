package gen

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	slashpath "path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Import paths that generated code uses. They are strings: package gen imports
// none of them.
const (
	repoPath    = "github.com/crossfade-db/crossfade/repo"
	comparePath = "github.com/crossfade-db/crossfade/compare"
)

// usualLocals are the names that generated functions give to their variables.
// No import takes one of them.
var usualLocals = []string{
	"r", "ctx", "side", "args", "cfg", "route", "tx", "err", "out", "result",
	"key", "text", "texts", "parts", "tenant", "value", "after", "limit", "found",
	"c", "served", "other", "v",
}

// names are the identifiers of one package.
type names struct {
	user      map[string]bool // declared by hand
	generated map[string]bool
}

func newNames(p *types.Package) *names {
	n := &names{user: map[string]bool{}, generated: map[string]bool{}}
	for _, name := range p.Scope().Names() {
		n.user[name] = true
	}
	return n
}

func (n *names) taken(name string) bool {
	return n.user[name] || n.generated[name] || types.Universe.Lookup(name) != nil || token.IsKeyword(name)
}

// unique declares name, with a number behind it where it is taken.
func (n *names) unique(name string) string {
	free := name
	for i := 2; n.taken(free); i++ {
		free = name + strconv.Itoa(i)
	}
	n.generated[free] = true
	return free
}

// imports are the imports of one generated file.
type imports struct {
	names  *names
	self   *types.Package
	wish   map[string]string // names that the source file gives to paths
	byPath map[string]string
	byName map[string]bool
	real   map[string]string // the packages' own names
}

func newImports(n *names, self *types.Package, source *ast.File) *imports {
	im := &imports{
		names: n, self: self,
		wish: map[string]string{}, byPath: map[string]string{}, byName: map[string]bool{}, real: map[string]string{},
	}
	if source != nil {
		for _, spec := range source.Imports {
			if p, err := strconv.Unquote(spec.Path.Value); err == nil && spec.Name != nil && spec.Name.Name != "_" && spec.Name.Name != "." {
				im.wish[p] = spec.Name.Name
			}
		}
	}
	return im
}

// qualifier is a types.Qualifier that imports what it names.
func (im *imports) qualifier(p *types.Package) string {
	if p == im.self || p.Path() == im.self.Path() {
		return ""
	}
	return im.named(p.Path(), p.Name())
}

// std returns the name of a package whose name is the end of its path.
func (im *imports) std(importPath string) string {
	return im.named(importPath, slashpath.Base(importPath))
}

func (im *imports) named(importPath, name string) string {
	if known, ok := im.byPath[importPath]; ok {
		return known
	}
	base := name
	if wish, ok := im.wish[importPath]; ok {
		base = wish
	}
	free := base
	if im.blocked(free) {
		free = parentName(importPath) + base
	}
	for i := 2; im.blocked(free); i++ {
		free = base + strconv.Itoa(i)
	}
	im.byPath[importPath], im.byName[free], im.real[importPath] = free, true, name
	return free
}

func (im *imports) blocked(name string) bool {
	return !token.IsIdentifier(name) || im.byName[name] || im.names.taken(name) || slices.Contains(usualLocals, name)
}

// parentName is the folder above a package, as far as it is fit for a name.
func parentName(importPath string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToLower(r)
		}
		return -1
	}, slashpath.Base(slashpath.Dir(importPath)))
}

var versionSuffix = regexp.MustCompile(`^v[0-9]+$`)

// block returns the import declaration: the standard library first.
func (im *imports) block() string {
	var std, others []string
	for _, p := range slices.Sorted(maps.Keys(im.byPath)) {
		line := "\t" + strconv.Quote(p)
		if name := im.byPath[p]; name != im.real[p] || name != assumedName(p) {
			line = "\t" + name + " " + strconv.Quote(p)
		}
		if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") {
			others = append(others, line)
		} else {
			std = append(std, line)
		}
	}
	if len(std) > 0 && len(others) > 0 {
		std = append(std, "")
	}
	return "import (\n" + strings.Join(append(std, others...), "\n") + "\n)\n"
}

// assumedName is the name that a reader takes a package to have from its path.
func assumedName(importPath string) string {
	base := slashpath.Base(importPath)
	if versionSuffix.MatchString(base) && slashpath.Dir(importPath) != "." {
		parent := slashpath.Base(slashpath.Dir(importPath))
		if strings.Contains(slashpath.Dir(importPath), ".") && base != "v0" && base != "v1" {
			return parent
		}
	}
	return base
}

// scope gives names to the variables of one generated function.
type scope struct {
	im   *imports
	used map[string]bool
}

func newScope(im *imports) *scope { return &scope{im: im, used: map[string]bool{}} }

// inner returns the scope of a closure.
func (s *scope) inner() *scope { return &scope{im: s.im, used: maps.Clone(s.used)} }

// local returns name, with a number behind it where something else has it.
func (s *scope) local(name string) string {
	free := name
	for i := 2; s.blocked(free); i++ {
		free = name + strconv.Itoa(i)
	}
	s.used[free] = true
	return free
}

// param does the same for a parameter of the user's.
func (s *scope) param(name string) string {
	if s.blocked(name) {
		name += "Arg"
	}
	return s.local(name)
}

func (s *scope) blocked(name string) bool {
	return s.used[name] || s.im.byName[name] || s.im.names.taken(name)
}

var initialisms = map[string]string{
	"id": "ID", "ids": "IDs", "url": "URL", "uri": "URI", "sql": "SQL", "json": "JSON", "uuid": "UUID", "ip": "IP",
}

// fieldName makes an exported field of a parameter's name: reflection, and so
// the runtime's deep copy, reaches exported fields only.
func fieldName(name string) string {
	if known, ok := initialisms[name]; ok {
		return known
	}
	for short, long := range map[string]string{"Id": "ID", "Ids": "IDs"} {
		if rest, ok := strings.CutSuffix(name, short); ok && rest != "" {
			name = rest + long
		}
	}
	if title := upperFirst(name); token.IsExported(title) {
		return title
	}
	return "Arg" + name
}

func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// lowerFirst makes an unexported name: Customers is customers, APIKeys is apiKeys.
func lowerFirst(s string) string {
	runes := []rune(s)
	for i := range runes {
		if !unicode.IsUpper(runes[i]) || i > 0 && i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			break
		}
		runes[i] = unicode.ToLower(runes[i])
	}
	return string(runes)
}

// words spells a name out in small letters: OrderLine is "order line".
func words(s string) string {
	var out []rune
	runes := []rune(s)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			out = append(out, ' ')
		}
		out = append(out, unicode.ToLower(r))
	}
	return string(out)
}
