package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// Prefixes of the import paths that rules are about.
var (
	driverPaths      = []string{"github.com/jackc/", "github.com/lib/pq", "gorm.io/", "database/sql/driver"}
	gormPaths        = []string{"gorm.io/"}
	openFeaturePaths = []string{"github.com/open-feature/"}
	testPaths        = []string{
		"testing", "net/http/httptest", "github.com/stretchr/testify", "pgregory.net/rapid", "go.uber.org/goleak",
		"github.com/anishathalye/porcupine",
	}
)

// driverFree are the units that know no database.
var driverFree = []string{"repo", "flags", "compare", "versions", "gen"}

// openFeatureFiles are the files that translate to and from OpenFeature.
var openFeatureFiles = []string{"flags/openfeature.go", "flags/provider.go"}

const gormUnit = "repo/postgres/gormtx"

func isOneOf(path string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool {
		prefix = strings.TrimSuffix(prefix, "/")
		return path == prefix || strings.HasPrefix(path, prefix+"/")
	})
}

// DriverFree reports database drivers that the runtime's upper half or the ground floor would link, directly or through
// another package of ours.
func DriverFree(g *Graph) (broken []string) {
	for _, p := range g.Packages {
		u, _ := unitOf(p.Path)
		if !slices.Contains(driverFree, u.path) || goldenOutput(p.Path) {
			continue
		}
		for _, chain := range g.reach(p, driverPaths) {
			broken = append(broken, fmt.Sprintf("%s knows a database driver: %s", p.Path, chain))
		}
	}
	return broken
}

// GormOnly reports library packages and programs that link GORM, but for the one that is there for it.
func GormOnly(g *Graph) (broken []string) {
	for _, p := range g.Packages {
		u, known := unitOf(p.Path)
		if !known || u.kind == example || u.path == gormUnit || goldenOutput(p.Path) {
			continue
		}
		for _, chain := range g.reach(p, gormPaths) {
			broken = append(broken, fmt.Sprintf("%s links GORM for users who have none: %s", p.Path, chain))
		}
	}
	return broken
}

// OpenFeatureOnly reports files that import OpenFeature, but for the two that translate, tests and examples.
func OpenFeatureOnly(g *Graph) (broken []string) {
	for _, p := range g.Packages {
		if u, _ := unitOf(p.Path); u.kind == example {
			continue
		}
		for _, file := range p.Files {
			name := p.Path + "/" + file.Name
			if file.Test || slices.Contains(openFeatureFiles, name) {
				continue
			}
			for _, path := range file.Imports {
				if isOneOf(path, openFeaturePaths) {
					broken = append(broken, fmt.Sprintf("%s imports %s: only %s may", name, path, strings.Join(openFeatureFiles, " and ")))
				}
			}
		}
	}
	return broken
}

// TestFree reports test libraries that applications and programs would link.
func TestFree(g *Graph) (broken []string) {
	for _, p := range g.Packages {
		if u, _ := unitOf(p.Path); u.kind == forTests || goldenOutput(p.Path) || g.testSupport(p) {
			continue
		}
		for _, path := range p.imports() {
			if isOneOf(path, testPaths) {
				broken = append(broken, fmt.Sprintf("%s imports the test library %s outside its tests", p.Path, path))
			}
		}
	}
	return broken
}

// testSupport tells whether a package is what gen writes beside an entity for the application's tests.
func (g *Graph) testSupport(p Package) bool {
	return p.generated() && strings.HasSuffix(p.Name, "test") && slices.Contains(p.imports(), g.Module+"/crossfadetest")
}

// reach returns, for every import with one of the prefixes that the package gets at through ours, the way to it.
func (g *Graph) reach(from Package, prefixes []string) (chains []string) {
	byPath := map[string]Package{}
	for _, p := range g.Packages {
		byPath[p.Path] = p
	}
	seen := map[string]bool{}
	var walk func(p Package, chain string)
	walk = func(p Package, chain string) {
		if seen[p.Path] {
			return
		}
		seen[p.Path] = true
		for _, path := range p.imports() {
			if isOneOf(path, prefixes) {
				chains = append(chains, chain+" -> "+path)
			} else if inner, ours := g.inner(path); ours {
				walk(byPath[inner], chain+" -> "+inner)
			}
		}
	}
	walk(from, from.Path)
	return chains
}
