package scaffold

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// sqlcFile is sqlc's configuration, as far as it matters here.
type sqlcFile struct {
	name   string // "" where there is none
	source []byte
	format string // of the file: "1", "2"
	blocks []sqlcBlock
}

// sqlcBlock is what one package of queries is generated from.
type sqlcBlock struct {
	out             string // as crossfade.yaml names it
	schema, queries []string
}

var sqlcNames = []string{"sqlc.yaml", "sqlc.yml", "sqlc.json"}

// readSQLC reads sqlc's configuration, if there is one at the module's root.
func readSQLC(root string) (f sqlcFile, err error) {
	for _, name := range sqlcNames {
		f.source, err = os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return f, fmt.Errorf("read sqlc's configuration: %w", err)
		}
		f.name = name
		return f, f.read()
	}
	return sqlcFile{}, nil
}

// several is one text or a list of them.
type several []string

func (s *several) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.SequenceNode {
		return n.Decode((*[]string)(s))
	}
	var one string
	err := n.Decode(&one)
	*s = several{one}
	return err
}

func (f *sqlcFile) read() error {
	var file struct {
		Version string `yaml:"version"`
		SQL     []struct {
			Schema  several `yaml:"schema"`
			Queries several `yaml:"queries"`
			Gen     struct {
				Go struct {
					Out string `yaml:"out"`
				} `yaml:"go"`
			} `yaml:"gen"`
		} `yaml:"sql"`
		Packages []struct {
			Path    string  `yaml:"path"`
			Schema  several `yaml:"schema"`
			Queries several `yaml:"queries"`
		} `yaml:"packages"`
	}
	if err := yaml.Unmarshal(f.source, &file); err != nil {
		return fmt.Errorf("%s cannot be read, and sqlc could not read it either: %w", f.name, err)
	}
	f.format = file.Version
	for _, b := range file.SQL {
		if b.Gen.Go.Out != "" {
			f.blocks = append(f.blocks, sqlcBlock{dotted(b.Gen.Go.Out), b.Schema, b.Queries})
		}
	}
	for _, b := range file.Packages {
		f.blocks = append(f.blocks, sqlcBlock{dotted(b.Path), b.Schema, b.Queries})
	}
	return nil
}

// outs are the folders that sqlc writes.
func (f *sqlcFile) outs() (outs []string) {
	for _, b := range f.blocks {
		outs = append(outs, b.out)
	}
	return outs
}

// below returns the folder that sqlc writes directly below another.
func (f *sqlcFile) below(at string) string {
	for _, out := range f.outs() {
		if dotted(path.Dir(out)) == dotted(at) && out != "." {
			return out
		}
	}
	return ""
}

// block returns what a folder is generated from.
func (f *sqlcFile) block(out string) (sqlcBlock, bool) {
	at := slices.IndexFunc(f.blocks, func(b sqlcBlock) bool { return b.out == dotted(out) })
	if at < 0 {
		return sqlcBlock{}, false
	}
	return f.blocks[at], true
}

// Overrides that give what sqlc generates the types that Go code has.
var sqlcOverrides = []struct{ uses, text string }{
	{"github.com/google/uuid", `          - db_type: uuid
            go_type: github.com/google/uuid.UUID
          - db_type: uuid
            nullable: true
            go_type: {import: github.com/google/uuid, type: UUID, pointer: true}
`},
	{"github.com/shopspring/decimal", `          - db_type: pg_catalog.numeric
            go_type: github.com/shopspring/decimal.Decimal
          - db_type: pg_catalog.numeric
            nullable: true
            go_type: {import: github.com/shopspring/decimal, type: Decimal, pointer: true}
`},
	{"", `          - db_type: pg_catalog.timestamptz
            go_type: time.Time
          - db_type: pg_catalog.timestamptz
            nullable: true
            go_type: {import: time, type: Time, pointer: true}
          - db_type: timestamptz
            go_type: time.Time
          - db_type: timestamptz
            nullable: true
            go_type: {import: time, type: Time, pointer: true}
`},
}

// sqlcText is the block of a version, as it stands in a list without indent.
func (m *module) sqlcText(name, folder, out string) string {
	folder, out = strings.TrimPrefix(folder, "./"), strings.TrimPrefix(out, "./")
	var text strings.Builder
	fmt.Fprintf(&text, `- name: %s
  engine: postgresql
  schema: %s/schema.sql
  queries: %s/queries.sql
  gen:
    go:
      package: %s
      out: %s
      sql_package: pgx/v5
      emit_pointers_for_null_types: true
      overrides:
`, name, folder, folder, path.Base(out), out)
	for _, o := range sqlcOverrides {
		if o.uses == "" || m.requires[o.uses] {
			text.WriteString(strings.ReplaceAll("\n"+o.text, "\n  ", "\n")[1:])
		}
	}
	return text.String()
}
