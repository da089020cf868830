package scaffold

import (
	"bytes"
	"cmp"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/crossfade-db/crossfade/gen/config"
)

// Version is a version that was recognised in the module.
type Version struct {
	// Name is the folder's.
	Name string `json:"name"`
	// Package is its folder, as crossfade.yaml names it.
	Package string `json:"package"`
	// Model is the GORM model that it is over, if it is.
	Model string `json:"gorm_model,omitempty"`
	// Queries is the folder of the queries that it is over, if it is.
	Queries string `json:"sqlc_package,omitempty"`
	// Remark says what else it could be over.
	Remark string `json:"remark,omitempty"`
}

// over says in words what the version is over.
func (v Version) over() string {
	switch {
	case v.Model != "":
		return "GORM model " + v.Model
	case v.Queries != "":
		return "sqlc"
	}
	return "by hand"
}

var versionFolder = regexp.MustCompile(`^v[0-9]+[a-z0-9_]*$`)

// versions recognises those folders directly below an entity's that keep it.
func (m *module) versions(e *Entity) []Version {
	entries, err := os.ReadDir(filepath.Join(m.root, filepath.FromSlash(e.Package)))
	if err != nil {
		return []Version{}
	}
	found := []Version{}
	for _, entry := range entries {
		if !entry.IsDir() || config.ValidName(entry.Name()) != nil {
			continue
		}
		if v, ok := m.version(e, dotted(path.Join(e.Package, entry.Name()))); ok {
			found = append(found, v)
		}
	}
	slices.SortStableFunc(found, func(a, b Version) int {
		return cmp.Or(cmp.Compare(number(a.Name), number(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return found
}

// number returns the first number in a name.
func number(name string) int {
	digits := strings.TrimLeftFunc(name, func(r rune) bool { return r < '0' || r > '9' })
	end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		digits = digits[:end]
	}
	n, _ := strconv.Atoi(digits)
	return n
}

// version tells whether a folder is a version of an entity, and over what. One
// that declares New is written by hand already.
func (m *module) version(e *Entity, at string) (Version, bool) {
	v := Version{Name: path.Base(at), Package: at}
	queries := m.sqlc.below(at)
	f := m.folders[at]
	if f == nil {
		v.Queries = queries
		return v, queries != ""
	}
	p := m.parse(f)
	if p.name == "" || slices.Contains(m.sqlc.outs(), at) {
		return v, false
	}
	models := p.models()
	keepsEntity := p.imports(m.importPath(e.Package))
	switch byHand := p.declares("New"); {
	case !versionFolder.MatchString(v.Name) && !(byHand && keepsEntity):
		return v, false
	case byHand && queries != "":
		v.Remark = "sqlc: {package: " + queries + "} generates it, without New and Repository of its own"
	case byHand && len(models) > 0:
		v.Remark = "gorm: {model: " + modelOf(e, models) + "} generates it, without New and Repository of its own"
	case byHand:
	case queries != "":
		v.Queries = queries
	case len(models) > 0:
		v.Model = modelOf(e, models)
		if len(models) > 1 {
			v.Remark = "one of " + strings.Join(models, ", ")
		}
	}
	return v, true
}

// modelOf returns the model whose name is nearest to the interface's.
func modelOf(e *Entity, models []string) string {
	stem := strings.ToLower(strings.TrimSuffix(e.Interface, "s"))
	for _, name := range models {
		if strings.HasPrefix(strings.ToLower(name), stem) {
			return name
		}
	}
	return models[0]
}

// elsewhere says which models and queries the module has outside of versions.
func (m *module) elsewhere(entities []*Entity) (lines []string) {
	taken := map[string]bool{}
	for _, e := range entities {
		for _, v := range e.Versions {
			taken[v.Package], taken[v.Queries] = true, true
		}
	}
	for _, out := range m.sqlc.outs() {
		if !taken[out] && m.sqlc.below(path.Dir(out)) == out && !taken[dotted(path.Dir(out))] {
			lines = append(lines, "sqlc's queries in "+out)
		}
	}
	var folders []string
	for at := range m.folders {
		folders = append(folders, at)
	}
	slices.Sort(folders)
	for _, at := range folders {
		if f := m.folders[at]; !taken[at] && f.speaksOfGORM() {
			if models := m.parse(f).models(); len(models) > 0 {
				lines = append(lines, "GORM models in "+at+": "+few(models))
			}
		}
	}
	return lines
}

func (f *folder) speaksOfGORM() bool {
	return slices.ContainsFunc(f.files, func(file goFile) bool {
		return bytes.Contains(file.source, []byte(`gorm:"`)) || bytes.Contains(file.source, []byte("gorm.Model"))
	})
}

func few(names []string) string {
	if len(names) > 5 {
		return strings.Join(names[:5], ", ") + " and " + strconv.Itoa(len(names)-5) + " more"
	}
	return strings.Join(names, ", ")
}
