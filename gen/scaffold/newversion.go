package scaffold

import (
	"errors"
	"fmt"
	"go/token"
	"path"
	"slices"
	"strings"

	"github.com/crossfade-db/crossfade/gen/config"
	"github.com/crossfade-db/crossfade/gen/internal/yamllist"
)

// What a version can be over.
const (
	SQLC = "sqlc"
	GORM = "gorm"
	Hand = "hand"
)

// InputError says that what was asked for cannot be, and what to ask instead.
type InputError struct{ Text string }

func (e *InputError) Error() string { return e.Text }

func inputf(format string, args ...any) error { return &InputError{fmt.Sprintf(format, args...)} }

// addition is a version that is being added, or completed.
type addition struct {
	mod     *module
	config  *config.Config
	plan    *Plan
	entity  *Entity // its interface
	over    string
	version config.NewVersion
	listed  bool // crossfade.yaml has it
	second  bool // it is not the entity's first
	methods []method
	table   table
}

// NewVersion plans a version of an entity in the module that a folder belongs
// to: the entry of crossfade.yaml, the package's folder and what it begins
// with. over is what the version is over, [SQLC] if it is empty, or what
// crossfade.yaml says of a version that is there already.
//
// Names that cannot be, and an entity that is nowhere, are an [*InputError].
func NewVersion(dir, entity, version, over string) (*Plan, error) {
	if err := config.ValidName(version); err != nil {
		return nil, inputf("version: %v", err)
	}
	if token.IsKeyword(version) || slices.Contains(passedOver, version) || version == "internal" || version == "main" {
		return nil, inputf("version: %s cannot be the name of a package here: write v2, say", version)
	}
	if !slices.Contains([]string{"", SQLC, GORM, Hand}, over) {
		return nil, inputf("a version is over %s, %s or %s, not %q", SQLC, GORM, Hand, over)
	}
	m, err := readModule(dir)
	if err != nil {
		return nil, err
	}
	a := &addition{mod: m, plan: &Plan{Root: m.root}, over: over}
	if err := a.read(); err != nil {
		return nil, err
	}
	before := a.config.Source()
	if err := a.find(entity); err != nil {
		return nil, err
	}
	if err := a.decide(version); err != nil {
		return nil, err
	}
	if !a.second {
		a.table.name = a.entity.Name // it is there
	}
	if err := a.files(); err != nil {
		return nil, err
	}
	after := a.config.Source()
	if !a.listed {
		if after, err = a.config.AddVersion(entity, a.version); err != nil {
			return nil, err
		}
		if a.config, err = config.Parse(a.config.Path, after); err != nil {
			return nil, err
		}
	}
	a.plan.change(config.FileName, before, after)
	a.plan.Next = a.next(entity)
	return a.plan, nil
}

// read reads crossfade.yaml.
func (a *addition) read() (err error) {
	if a.mod.config == "" {
		return inputf("there is no %s yet: run `crossfade init` first", config.FileName)
	}
	a.config, err = load(a.mod.config)
	return err
}

// find finds the entity's interface, and puts the entity into crossfade.yaml
// where it is missing there.
func (a *addition) find(name string) error {
	entities := a.mod.entities()
	listed, there := a.config.Entity(name)
	if !there {
		at := slices.IndexFunc(entities, func(e *Entity) bool { return e.Name == name })
		if at < 0 {
			return a.unknown(name, entities)
		}
		if err := config.ValidName(name); err != nil {
			return inputf("entity: %v", err)
		}
		a.entity = entities[at]
		text, err := a.config.AddEntity(config.NewEntity{Name: name, Package: a.entity.Package, Interface: a.entity.Interface})
		if err != nil {
			return err
		}
		if a.config, err = config.Parse(a.config.Path, text); err != nil {
			return err
		}
		if !a.entity.named {
			a.plan.Notes = append(a.plan.Notes, fmt.Sprintf("%s: add name=%s to the directive above %s, which is what %s calls it", a.entity.At, name, a.entity.Interface, config.FileName))
		}
		return nil
	}
	var names []string
	for _, e := range entities {
		if e.Package == dotted(listed.Package.Value) {
			names = append(names, e.Interface)
			if !listed.Interface.Set() || listed.Interface.Value == e.Interface {
				a.entity = e
			}
		}
	}
	switch {
	case a.entity != nil:
		return nil
	case names != nil:
		return inputf("%s: expected an annotated interface %s in %s, which has %s", listed.Interface.Pos, listed.Interface, listed.Package, strings.Join(names, ", "))
	}
	return inputf("%s: no interface in %s has a %sentity directive: write it above the repository's interface", listed.Package.Pos, listed.Package, marker)
}

func (a *addition) unknown(name string, entities []*Entity) error {
	var known []string
	for _, e := range a.config.Entities {
		known = append(known, e.Name.Value)
	}
	for _, e := range entities {
		if !slices.Contains(known, e.Name) {
			known = append(known, e.Name)
		}
	}
	if len(known) == 0 {
		return inputf("no entity %q: there is none yet: write `%sentity name=customers ...` above a repository's interface", name, marker)
	}
	if near := config.Nearest(name, known); near != "" {
		return inputf("no entity %q: did you mean %s?", name, near)
	}
	return inputf("no entity %q: there are %s", name, strings.Join(known, ", "))
}

// decide says what the version is over, and where.
func (a *addition) decide(version string) error {
	e := a.config.Entities[slices.IndexFunc(a.config.Entities, func(e config.Entity) bool { return sameEntity(e, a.entity) })]
	a.methods, _ = a.entity.methods()
	a.table = a.entity.table(version, a.methods)
	v, there := e.Version(version)
	if !there {
		return a.fresh(e, version)
	}
	a.listed, a.second = true, e.Versions[0].Name.Value != version
	a.version = config.NewVersion{Name: version, Package: dotted(v.Package.Value)}
	is := Hand
	switch {
	case v.SQLC != nil:
		is, a.version.Queries = SQLC, dotted(v.SQLC.Package.Value)
	case v.GORM != nil:
		is, a.version.Model = GORM, v.GORM.Model.Value
	}
	if a.over != "" && a.over != is {
		return inputf("%s: %s %s is over %s there: leave --over out, or change it there first", v.Pos, e.Name, version, is)
	}
	a.over = is
	return nil
}

func sameEntity(e config.Entity, of *Entity) bool {
	return dotted(e.Package.Value) == of.Package && (!e.Interface.Set() || e.Interface.Value == of.Interface)
}

// fresh places a version that crossfade.yaml does not have.
func (a *addition) fresh(e config.Entity, version string) error {
	if a.over == "" {
		a.over = SQLC
	}
	a.second = len(e.Versions) > 0
	a.version = config.NewVersion{Name: version, Package: dotted(path.Join(e.Package.Value, version))}
	for _, other := range a.config.Entities {
		for _, v := range other.Versions {
			if dotted(v.Package.Value) == a.version.Package {
				return inputf("%s: the folder %s is the version %s of %s: choose another name", v.Package.Pos, a.version.Package, v.Name, other.Name)
			}
		}
	}
	switch a.over {
	case SQLC:
		a.version.Queries = a.version.Package + "/queries"
		if out := a.mod.sqlc.below(a.version.Package); out != "" {
			a.version.Queries = out
		}
	case GORM:
		a.version.Model = exportedName(a.entity.rowName(&a.table))
		if f := a.mod.folders[a.version.Package]; f != nil {
			if models := a.mod.parse(f).models(); len(models) > 0 {
				a.version.Model = modelOf(a.entity, models)
			}
		}
	}
	return nil
}

// rowName is what a model is called.
func (e *Entity) rowName(t *table) string {
	if t.noun != "" {
		return t.noun + "Row"
	}
	return strings.TrimSuffix(e.Interface, "s") + "Row"
}

// files plans what the version's folder begins with.
func (a *addition) files() error {
	folder := strings.TrimPrefix(a.version.Package, "./")
	if a.over == SQLC {
		if err := a.sqlcFiles(folder); err != nil {
			return err
		}
	}
	if a.begun() {
		return nil // the package is the user's
	}
	switch a.over {
	case SQLC:
		err := a.plan.create(folder+"/doc.go", a.docText())
		if err != nil || !slices.ContainsFunc(a.methods, a.byHand) {
			return err
		}
		return a.plan.create(folder+"/repository.go", a.restText("", a.byHand))
	case GORM:
		if err := a.plan.create(folder+"/model.go", a.modelText()); err != nil || !slices.ContainsFunc(a.methods, a.noRole) {
			return err
		}
		return a.plan.create(folder+"/repository.go", a.restText(" over GORM", a.noRole))
	}
	return a.plan.create(folder+"/repository.go", a.repositoryText())
}

// begun tells whether the version's package has Go files that are not made here.
func (a *addition) begun() bool {
	f := a.mod.folders[a.version.Package]
	return f != nil && slices.ContainsFunc(f.files, func(file goFile) bool {
		return !slices.Contains([]string{"doc.go", "model.go", "repository.go"}, file.name)
	})
}

// byHand tells whether no query can answer a method.
func (a *addition) byHand(m method) bool { return a.entity.byHand(&a.table, m) }

// noRole tells whether a method is none of those that are generated over GORM.
func (a *addition) noRole(m method) bool {
	for _, role := range []string{"get", "put", "delete", "keys"} {
		if a.entity.roles[role] == m.name {
			return false
		}
	}
	return true
}

// sqlcFiles plans the SQL and the entry of sqlc.yaml. An entry that is there
// says by itself where its SQL is.
func (a *addition) sqlcFiles(folder string) error {
	block, there := a.mod.sqlc.block(a.version.Queries)
	for _, file := range []struct {
		of   []string
		path string
		text func() string
	}{
		{block.schema, folder + "/schema.sql", a.schemaText},
		{block.queries, folder + "/queries.sql", a.queriesText},
	} {
		if there && !slices.ContainsFunc(file.of, func(of string) bool { return path.Clean(of) == file.path }) {
			continue
		}
		if err := a.plan.create(file.path, file.text()); err != nil {
			return err
		}
	}
	if there {
		return nil
	}
	element := a.mod.sqlcText(a.entity.Name+"-"+a.version.Name, folder, a.version.Queries)
	f := a.mod.sqlc
	if f.name == "" {
		return a.plan.create("sqlc.yaml", "version: \"2\"\nsql:\n"+indent(element, "  "))
	}
	after, err := yamllist.Append(f.source, element, "sql")
	if f.format != "2" || strings.HasSuffix(f.name, ".json") || errors.Is(err, yamllist.ErrForm) {
		a.plan.Notes = append(a.plan.Notes, fmt.Sprintf("%s is written in a form that is not added to: add this to its list of packages, in its form:\n\n%s", f.name, element))
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	a.plan.change(f.name, f.source, after)
	return nil
}

// next says how to go on.
func (a *addition) next(entity string) []Step {
	folder := strings.TrimPrefix(a.version.Package, "./")
	first := map[string]Step{
		SQLC: {"sqlc generate", "once " + folder + "/schema.sql and queries.sql say what you want"},
		GORM: {"go vet ./" + folder, "once its GORM model says which tables there are"},
		Hand: {"go vet ./" + folder, "once its repository does what the interface asks for"},
	}[a.over]
	generated := "write the version's repository, and mapping.go where it is missing; then go mod tidy"
	if a.over == Hand {
		generated = "check that New fits"
	}
	steps := []Step{first, {"crossfade gen ./...", generated}}
	e, _ := a.config.Entity(entity)
	if n := len(e.Versions); n > 1 {
		return append(steps, register(entity, e.Versions[n-2].Name.Value, e.Versions[n-1].Name.Value))
	}
	return append(steps, Step{"crossfade new-version " + entity + " " + following(e), "add the version that comes"})
}
