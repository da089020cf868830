package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// kind says what a unit is for.
type kind int

const (
	library  kind = iota // what applications link
	forTests             // what only tests and the demonstration link
	command              // a program
	example              // a complete application of a user's
	internal             // nobody outside may use it, and it imports none of ours
)

// unit is a package, with the packages below its folder that are no units of their own, and the floor on which it
// stands. A unit may import units on lower floors only.
type unit struct {
	path  string
	floor int
	kind  kind
}

// units is the figure in the architecture. A package that no unit covers breaks a rule, so that a new one is placed.
var units = []unit{
	{"flags", 1, library},
	{"compare", 1, library},
	{"versions", 1, library},
	{"repo", 2, library},
	{"repo/postgres", 3, library},
	{"ledger", 3, library},
	{"repo/postgres/gormtx", 4, library},
	{"backfill", 4, library},
	{"control", 5, library},
	{"schema", 5, library},
	{"console", 6, library},
	{"crossfadetest", 6, forTests},
	{"cmd/crossfade", 7, command},
	{"examples", 8, example},
	{"gen", 0, library}, // stands alone: it writes import paths as strings
	{"internal/pgtest", 0, forTests},
	{"internal/archtest", 0, forTests},
	{"internal/readmetest", 0, forTests},
	{"internal/accounts", 6, forTests}, // the application of two tests
	{"internal/guard", 6, forTests},    // an entity, and what it may cost
	{"internal", 0, internal},
}

// unitOf returns the unit with the longest path that covers a package.
func unitOf(path string) (unit, bool) {
	var found unit
	for _, u := range units {
		if (path == u.path || strings.HasPrefix(path, u.path+"/")) && len(u.path) > len(found.path) {
			found = u
		}
	}
	return found, found.path != ""
}

// Placed reports packages that the figure does not show.
func Placed(g *Graph) (broken []string) {
	for _, p := range g.Packages {
		if _, known := unitOf(p.Path); !known {
			broken = append(broken, p.Path+" has no place among the packages: give it one in the architecture and in archtest's units")
		}
	}
	return broken
}

// Downward reports imports that do not go to a lower floor, and runtime code that imports what is for tests, programs or
// examples. Floor 0 imports none of ours.
func Downward(g *Graph) (broken []string) {
	for _, p := range g.Packages {
		from, known := unitOf(p.Path)
		if !known {
			continue // Placed reports it
		}
		for _, path := range p.imports() {
			inner, ours := g.inner(path)
			if !ours {
				continue
			}
			to, known := unitOf(inner)
			switch {
			case !known || to.path == from.path && from.kind != internal:
			case goldenOutput(p.Path) && (to.kind == library || to.path == "crossfadetest"): // what gen writes for its own tests
			case to.kind == command || to.kind == example:
				broken = append(broken, fmt.Sprintf("%s imports %s, which is a program", p.Path, inner))
			case to.kind == forTests && from.kind != forTests && from.kind != example:
				broken = append(broken, fmt.Sprintf("%s imports %s, which is for tests", p.Path, inner))
			case to.floor >= from.floor:
				broken = append(broken, fmt.Sprintf("%s imports %s: arrows run only downward, and %s does not stand below %s", p.Path, inner, to.path, from.path))
			}
		}
	}
	return broken
}

// goldenOutput tells whether a package is an expected output of gen's, which imports what users' generated code does.
func goldenOutput(path string) bool {
	below, isGen := strings.CutPrefix(path, "gen/")
	return isGen && slices.ContainsFunc(strings.Split(below, "/"), func(part string) bool {
		return part == "testdata" || strings.HasPrefix(part, "golden")
	})
}
