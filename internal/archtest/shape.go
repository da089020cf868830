package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// maxLines is where a file hides two things.
const maxLines = 500

// Commented reports packages without a package comment. One that consists of generated files is its generator's affair.
func Commented(g *Graph) (broken []string) {
	for _, p := range g.Packages {
		commented := slices.ContainsFunc(p.Files, func(f File) bool { return f.Commented && !f.Test })
		if !commented && !p.generated() && !isVersion(p.Path) {
			broken = append(broken, p.Path+" has no package comment: say what it is for and what it never does")
		}
	}
	return broken
}

// isVersion tells whether a package is one version of a shape, of which the shape's own comment speaks.
func isVersion(path string) bool {
	below, isShape := strings.CutPrefix(path, "examples/shapes/")
	return isShape && strings.Contains(below, "/v")
}

// Exemplified reports public packages without an Example.
func Exemplified(g *Graph) (broken []string) {
	for _, p := range g.Packages {
		if p.Name == "main" || !isPublic(p.Path) || goldenOutput(p.Path) {
			continue
		}
		if !slices.ContainsFunc(p.Files, func(f File) bool { return f.Test && f.HasExample }) {
			broken = append(broken, p.Path+" has no Example: show in example_test.go how it is used")
		}
	}
	return broken
}

// isPublic tells whether others may import a package to build on it.
func isPublic(path string) bool {
	parts := strings.Split(path, "/")
	return parts[0] != "examples" && !slices.Contains(parts, "internal")
}

// SmallFiles reports hand-written files of more than 500 lines.
func SmallFiles(g *Graph) (broken []string) {
	for _, p := range g.Packages {
		for _, f := range p.Files {
			if f.Lines > maxLines && !f.Generated {
				broken = append(broken, fmt.Sprintf("%s/%s has %d lines, more than %d: it hides two things", p.Path, f.Name, f.Lines, maxLines))
			}
		}
	}
	return broken
}
