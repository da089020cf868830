package gen

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	slashpath "path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/crossfade-db/crossfade/gen/config"
)

// version is one version of an entity, as crossfade.yaml names it.
type version struct {
	config.Version
	entity *entity
	dir    string
	pkg    *pkg
	hand   handwritten
	where  string // in problems, "customers v2"
}

// selection says which packages a run is about: those that its patterns match.
// Others are read because versions need them.
type selection struct {
	all      bool
	dirs     []string // those that patterns name
	trees    []string // those that patterns name with /...
	patterns []string // import paths
}

func (g *generator) selection(patterns []string) selection {
	if len(patterns) == 0 && g.config != nil && g.config.Dir() == g.loader.dir {
		return selection{all: true} // the folder of crossfade.yaml stands for all that it names
	}
	s := selection{}
	for _, pattern := range (Config{Patterns: patterns}).patterns() {
		tree, rest := strings.CutSuffix(pattern, "...")
		local := tree == "." || strings.HasPrefix(tree, "./") || strings.HasPrefix(tree, "../") || tree == ".." || filepath.IsAbs(tree)
		dir := tree
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(g.loader.dir, filepath.FromSlash(tree))
		}
		switch {
		case local && rest:
			s.trees = append(s.trees, filepath.Clean(dir))
		case local:
			s.dirs = append(s.dirs, filepath.Clean(dir))
		default:
			s.patterns = append(s.patterns, pattern)
		}
	}
	return s
}

func (s *selection) has(dir, path string) bool {
	if s.all || slices.Contains(s.dirs, dir) {
		return true
	}
	for _, tree := range s.trees {
		if dir == tree || strings.HasPrefix(dir, tree+string(filepath.Separator)) {
			return true
		}
	}
	for _, pattern := range s.patterns {
		tree, rest := strings.CutSuffix(pattern, "...")
		if path == pattern || pattern == "all" || rest && (strings.HasPrefix(path, tree) || path == strings.TrimSuffix(tree, "/")) {
			return true
		}
	}
	return false
}

// readConfig reads crossfade.yaml, if there is one.
func (g *generator) readConfig() error {
	path, found, err := config.Find(g.loader.dir)
	if err != nil || !found {
		return err
	}
	g.config, err = config.Load(path)
	var wrong *config.ProblemsError
	if errors.As(err, &wrong) {
		for _, p := range wrong.Problems {
			g.ps.add(p.Pos, p.Where, "%s", p.Text)
		}
		return g.ps.err()
	}
	return err
}

// configured returns the folders that crossfade.yaml names and that this run
// needs: those of the entities of which the selection has any part.
func (g *generator) configured(s *selection) []string {
	if g.config == nil {
		return nil
	}
	var dirs []string
	for _, e := range g.config.Entities {
		own := []string{g.config.Folder(e.Package)}
		for _, v := range e.Versions {
			own = append(own, g.config.Folder(v.Package))
		}
		if len(s.patterns) == 0 && !slices.ContainsFunc(own, func(dir string) bool { return s.has(dir, "") }) {
			continue
		}
		for _, v := range e.Versions {
			if v.SQLC != nil {
				own = append(own, g.config.Folder(v.SQLC.Package))
			}
		}
		for _, dir := range own {
			if hasGoFiles(dir) {
				dirs = append(dirs, dir)
			}
		}
	}
	return dirs
}

// withoutEmpty leaves out the folders of versions that have no Go file yet: the
// go command knows no package there.
func (g *generator) withoutEmpty(patterns []string) []string {
	if g.config == nil {
		return patterns
	}
	empty := map[string]bool{}
	for _, e := range g.config.Entities {
		for _, v := range e.Versions {
			dir := g.config.Folder(v.Package)
			empty[dir] = !hasGoFiles(dir)
		}
	}
	return slices.DeleteFunc(slices.Clone(patterns), func(pattern string) bool {
		dir := filepath.FromSlash(pattern)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(g.loader.dir, dir)
		}
		return empty[filepath.Clean(dir)]
	})
}

func hasGoFiles(dir string) bool {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	return err == nil && slices.ContainsFunc(files, func(file string) bool { return !strings.HasSuffix(file, "_test.go") })
}

// versions plans the files of all versions of which this run writes any.
func (g *generator) versions(p *plan, s *selection, entities []*entity) error {
	if g.config == nil {
		return nil
	}
	for _, ce := range g.config.Entities {
		e := g.configuredEntity(s, ce, entities)
		if e == nil {
			continue
		}
		for _, cv := range ce.Versions {
			v := &version{Version: cv, entity: e, dir: g.config.Folder(cv.Package), where: ce.Name.Value + " " + cv.Name.Value}
			if v.pkg = g.versionPackage(v); v.pkg == nil || !s.has(e.pkg.dir, e.pkg.PkgPath) && !s.has(v.dir, v.pkg.PkgPath) {
				continue
			}
			if err := g.version(p, v, ce.Name.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

// configuredEntity finds the annotated interface of an entity, or reports why
// there is none.
func (g *generator) configuredEntity(s *selection, ce config.Entity, entities []*entity) *entity {
	dir := g.config.Folder(ce.Package)
	own := g.loader.byDir[dir]
	touched := func(dir string, p *pkg) bool { return s.has(dir, "") || p != nil && s.has(dir, p.PkgPath) }
	if !touched(dir, own) && !slices.ContainsFunc(ce.Versions, func(v config.Version) bool {
		return touched(g.config.Folder(v.Package), g.loader.byDir[g.config.Folder(v.Package)])
	}) {
		return nil
	}
	var found []*entity
	var names []string
	for _, e := range entities {
		if e.pkg.dir == dir {
			names = append(names, e.iface)
			if !ce.Interface.Set() || ce.Interface.Value == e.iface {
				found = append(found, e)
			}
		}
	}
	switch {
	case g.broken[dir]:
	case len(found) == 0 && len(names) > 0:
		g.ps.add(ce.Interface.Pos, ce.Name.Value, "interface: expected an annotated interface of %s, which has %s: write %s", ce.Package, strings.Join(names, ", "), names[0])
	case len(found) == 0:
		g.ps.add(ce.Package.Pos, ce.Name.Value, "package: expected an interface with a %s%s directive in %s, and there is none: write it above the repository's interface", marker, verbEntity, ce.Package)
	case len(found) > 1:
		g.ps.add(ce.Pos, ce.Name.Value, "%s has several annotated interfaces (%s): name one, such as `interface: %s`", ce.Package, strings.Join(names, ", "), names[0])
	case found[0].name != ce.Name.Value:
		g.ps.add(found[0].dir.pos, found[0].iface, "it is called %s, and crossfade.yaml calls it %s: add name=%s to the directive", found[0].name, ce.Name, ce.Name)
	case !found[0].bad:
		return found[0]
	}
	return nil
}

// versionPackage returns the package of a version, which may be empty yet.
func (g *generator) versionPackage(v *version) *pkg {
	if p := g.loader.byDir[v.dir]; p != nil {
		v.hand = handwrittenIn(p)
		return p
	}
	if hasGoFiles(v.dir) {
		return nil // the loader has said what is wrong
	}
	rel, err := filepath.Rel(v.entity.pkg.dir, v.dir)
	if err != nil {
		g.ps.add(v.Package.Pos, v.where, "package: %v", err)
		return nil
	}
	path := slashpath.Join(v.entity.pkg.PkgPath, filepath.ToSlash(rel))
	name := packageName(slashpath.Base(path))
	p := &pkg{dir: v.dir, directives: directives{}, Package: newPackage(path, name)}
	return p
}

// packageName makes a package's name of its folder's.
func packageName(folder string) string {
	name := strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(folder))
	if !token.IsIdentifier(name) {
		name = "version" + name
	}
	return name
}

// handwritten is what the user declares in a version's package beside the
// generated file.
type handwritten struct {
	methods map[string]*ast.FuncDecl // of Repository
	mapping map[string]*ast.FuncDecl // of mapping
	byPtr   bool                     // some of mapping's have a pointer for their receiver
}

func handwrittenIn(p *pkg) handwritten {
	h := handwritten{methods: map[string]*ast.FuncDecl{}, mapping: map[string]*ast.FuncDecl{}}
	for _, file := range p.Syntax {
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || len(fn.Recv.List) != 1 {
				continue
			}
			expr := fn.Recv.List[0].Type
			star, ptr := expr.(*ast.StarExpr)
			if ptr {
				expr = star.X
			}
			switch name, _ := expr.(*ast.Ident); {
			case name == nil:
			case name.Name == "Repository":
				h.methods[fn.Name.Name] = fn
			case name.Name == "mapping":
				h.mapping[fn.Name.Name] = fn
				h.byPtr = h.byPtr || ptr
			}
		}
	}
	return h
}

// object returns a declaration of the version's package.
func (v *version) object(name string) types.Object { return v.pkg.Types.Scope().Lookup(name) }

// version plans the file of one version.
func (g *generator) version(p *plan, v *version, entityName string) error {
	p.dirs = append(p.dirs, v.dir)
	before := len(g.ps.list)
	if v.SQLC == nil && v.GORM == nil {
		g.handwrittenVersion(v)
		return nil
	}
	for _, name := range []string{"Repository", "Mapper"} {
		if obj := v.object(name); obj != nil {
			g.ps.add(v.pkg.Fset.Position(obj.Pos()), v.where, "%s is generated here: rename yours, or delete %s from crossfade.yaml to write the version by hand", name, v.kind())
		}
	}
	c := newVersionCode(g, v)
	if v.SQLC != nil {
		c.sqlc()
	} else {
		c.gorm()
	}
	if len(g.ps.list) > before {
		return nil
	}
	return c.plan(p, filepath.Join(v.dir, fileName(entityName)+versionSuffixGo))
}

func (v *version) kind() string {
	if v.SQLC != nil {
		return "sqlc:"
	}
	return "gorm:"
}

// fileName makes the beginning of a file's name of an entity's.
func fileName(entity string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || r == ' ' || r == '/' {
			return '_'
		}
		return r
	}, strings.ToLower(entity))
}

// handwrittenVersion checks that a version which is written by hand has what
// wires it: New, from a handle to the entity's interface.
func (g *generator) handwrittenVersion(v *version) {
	want := fmt.Sprintf("func New(db postgres.DBTX) %s.%s", v.entity.pkg.Name, v.entity.iface)
	fn, ok := v.object("New").(*types.Func)
	if !ok {
		g.ps.add(v.Package.Pos, v.where, "expected %s in %s, which is written by hand: declare it, or say what to generate from: sqlc: {package: %s/queries}", want, v.Package, v.Package)
		return
	}
	sig := fn.Signature()
	iface := v.entity.pkg.Types.Scope().Lookup(v.entity.iface).Type()
	right := sig.Params().Len() == 1 && sig.Results().Len() == 1 && sig.TypeParams() == nil && types.Identical(sig.Results().At(0).Type(), iface)
	if !right {
		g.ps.add(v.pkg.Fset.Position(fn.Pos()), v.where, "New is %s; expected %s, the factory of a side", types.TypeString(sig, (*types.Package).Name), want)
	}
}

// tested reports whether crossfade.yaml lists an entity, so that its tests are
// given a description of it.
func (g *generator) tested(e *entity) bool {
	if g.config == nil {
		return false
	}
	for _, ce := range g.config.Entities {
		if g.config.Folder(ce.Package) == e.pkg.dir && (!ce.Interface.Set() || ce.Interface.Value == e.iface) {
			return true
		}
	}
	return false
}
