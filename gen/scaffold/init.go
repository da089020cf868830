package scaffold

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/crossfade-db/crossfade/gen/config"
)

// Found is what a module was recognised by.
type Found struct {
	// Module is its import path.
	Module string `json:"module"`
	// GORM and PGX tell whether the module uses them.
	GORM bool `json:"gorm"`
	PGX  bool `json:"pgx"`
	// SQLC is sqlc's configuration, such as sqlc.yaml; empty where there is none.
	SQLC string `json:"sqlc,omitempty"`
	// Entities are the annotated interfaces.
	Entities []*Entity `json:"entities"`
	// Elsewhere are models and queries that belong to no version yet.
	Elsewhere []string `json:"elsewhere,omitempty"`
}

// String lists what was recognised: "GORM, sqlc (sqlc.yaml)".
func (f Found) String() string {
	var parts []string
	if f.GORM {
		parts = append(parts, "GORM")
	}
	if f.SQLC != "" {
		parts = append(parts, "sqlc ("+f.SQLC+")")
	}
	if f.PGX {
		parts = append(parts, "pgx")
	}
	if parts == nil {
		return "neither GORM nor sqlc nor pgx"
	}
	return strings.Join(parts, ", ")
}

// String is the entity in a line: "customers  internal/customers/customers.go:12  v1 (GORM model CustomerRow)".
func (e *Entity) String() string {
	versions := make([]string, len(e.Versions))
	for i, v := range e.Versions {
		versions[i] = fmt.Sprintf("%s (%s)", v.Name, v.over())
	}
	if len(versions) == 0 {
		versions = []string{"no version yet"}
	}
	return fmt.Sprintf("%s  %s  %s", e.Name, e.At, strings.Join(versions, ", "))
}

// Init plans a crossfade.yaml for the module that a folder belongs to. Where
// there is one already, nothing is planned. A folder outside of any module is
// [ErrNoModule]; a crossfade.yaml that cannot be read is a
// [*config.ProblemsError].
func Init(dir string) (*Plan, Found, error) {
	m, err := readModule(dir)
	if err != nil {
		return nil, Found{}, err
	}
	entities := m.entities()
	found := Found{
		Module: m.path, GORM: m.uses(gormPath), PGX: m.uses(pgxPath), SQLC: m.sqlc.name,
		Entities: entities, Elsewhere: m.elsewhere(entities),
	}
	if found.Entities == nil {
		found.Entities = []*Entity{}
	}
	p := &Plan{Root: m.root}
	path := filepath.Join(m.root, config.FileName)
	text := configText(found)
	if err := p.create(config.FileName, text); err != nil {
		return nil, found, err
	}
	source := []byte(text)
	if p.Nothing() {
		if source, err = os.ReadFile(path); err != nil {
			return nil, found, fmt.Errorf("read the configuration: %w", err)
		}
	}
	c, err := config.Parse(path, source)
	if err != nil {
		return nil, found, err
	}
	p.Notes = notes(c, found)
	p.Next = nextOfInit(c, found)
	if !m.requires[crossfadePath] && m.path != crossfadePath {
		p.Next = append([]Step{{"go get " + postgresPath, "generated code imports it"}}, p.Next[:2]...)
	}
	return p, found, nil
}

// notes say what of the code does not fit the file yet.
func notes(c *config.Config, found Found) (notes []string) {
	for _, e := range found.Entities {
		if err := config.ValidName(e.Name); err != nil {
			notes = append(notes, fmt.Sprintf("%s: name= of %s: %v", e.At, e.Interface, err))
			continue
		}
		if _, listed := c.Entity(e.Name); !listed {
			notes = append(notes, fmt.Sprintf("%s: %s is not in %s: `crossfade new-version %s v1` adds it", e.At, e.Interface, config.FileName, e.Name))
		}
		if !e.named {
			notes = append(notes, fmt.Sprintf("%s: add name=%s to the directive above %s, which is what %s calls it", e.At, e.Name, e.Interface, config.FileName))
		}
	}
	return notes
}

func configText(found Found) string {
	var text strings.Builder
	fmt.Fprintf(&text, "# yaml-language-server: $schema=%s\n", config.SchemaURL)
	text.WriteString(`# The entities of this module and the versions of each; crossfade gen reads it.
version: 1
entities:
`)
	for _, e := range found.Entities {
		if config.ValidName(e.Name) != nil {
			continue // a note says so
		}
		text.WriteString(indent(config.NewEntity{Name: e.Name, Package: e.Package, Interface: e.Interface}.Element(), "  "))
		for _, v := range e.Versions {
			element := config.NewVersion{Name: v.Name, Package: v.Package, Model: v.Model, Queries: v.Queries}.Element()
			if v.Remark != "" {
				first, rest, _ := strings.Cut(element, "\n")
				element = first + " # " + v.Remark + "\n" + rest
			}
			text.WriteString(indent(element, "      "))
		}
	}
	if !strings.Contains(text.String(), "- name:") {
		text.WriteString(skeleton)
	}
	for _, line := range found.Elsewhere {
		fmt.Fprintf(&text, "  # Found: %s\n", line)
	}
	return text.String()
}

// skeleton stands where no interface is annotated yet.
const skeleton = `  # - name: customers                      # what the ledger calls it: name= of //crossfade:entity
  #   package: ./internal/customers        # the folder of the annotated interface
  #   interface: Customers                 # may be left out where the package has one
  #   versions:                            # oldest first
  #     - name: v1
  #       package: ./internal/customers/v1
  #       gorm: {model: CustomerRow}       # over a GORM model of that package
  #     - name: v2
  #       package: ./internal/customers/v2
  #       sqlc: {package: ./internal/customers/v2/queries}
  #       methods: {Get: GetCustomerByID}  # only where names differ
  #     - name: v3
  #       package: ./internal/customers/v3 # neither gorm nor sqlc: written by hand
`

func indent(text, by string) string {
	return by + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+by) + "\n"
}

// nextOfInit says how to go on: annotate, add versions, generate.
func nextOfInit(c *config.Config, found Found) []Step {
	generate := Step{"crossfade gen ./...", "write the routed repositories and the versions; then go mod tidy"}
	over := ""
	if found.GORM && found.SQLC == "" {
		over = " --over gorm"
	}
	named := slices.DeleteFunc(slices.Clone(found.Entities), func(e *Entity) bool { return config.ValidName(e.Name) != nil })
	switch {
	case len(named) == 0 && len(c.Entities) == 0:
		return []Step{
			{"//crossfade:entity name=customers notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys", "goes above a repository's interface (README, \"In an application\")"},
			{"crossfade new-version customers v1" + over, "add it to crossfade.yaml, with a package for the tables that there are"},
			generate,
		}
	case len(c.Entities) == 0:
		e := named[0]
		return []Step{{"crossfade new-version " + e.Name + " v1" + over, "add it to crossfade.yaml, with a package for the tables that there are"}, generate, register(e.Name, "v1", "v2")}
	}
	e := c.Entities[0]
	switch n := len(e.Versions); n {
	case 0:
		return []Step{
			{"crossfade new-version " + e.Name.Value + " v1" + over, "a package for the tables that there are"},
			{"crossfade new-version " + e.Name.Value + " v2", "a package for those that come"},
			generate,
		}
	case 1:
		next := following(e)
		return []Step{
			{"crossfade new-version " + e.Name.Value + " " + next, "the package, the SQL and sqlc.yaml's entry of the next version"},
			{"sqlc generate", "once its schema.sql and queries.sql say what you want"},
			generate,
		}
	default:
		return []Step{generate, {"go build ./...", "a field without a place does not compile"}, register(e.Name.Value, e.Versions[n-2].Name.Value, e.Versions[n-1].Name.Value)}
	}
}

func register(entity, from, to string) Step {
	return Step{fmt.Sprintf("crossfade init --entity %s --from %s --to %s", entity, from, to), "register the migration in the ledger"}
}

// following is the name of the version after an entity's last.
func following(e config.Entity) string {
	if len(e.Versions) == 0 {
		return "v1"
	}
	last := 0
	for _, v := range e.Versions {
		last = max(last, number(v.Name.Value))
	}
	return fmt.Sprintf("v%d", last+1)
}
