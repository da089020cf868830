package gen

import (
	"context"
	"errors"
	"fmt"
	"go/types"
	"os"
	"path/filepath"
	"slices"

	"github.com/crossfade-db/crossfade/gen/config"
)

// Config says what to generate for. The zero value means the package in the
// current folder, as go:generate runs it.
type Config struct {
	// Dir is the folder from which patterns are read. Empty means the current
	// one.
	Dir string
	// Patterns name packages as the go command does: ".", "./...". None means ".".
	Patterns []string
	// Check compares and writes nothing.
	Check bool
}

// Result lists the files of a run, each list sorted. Paths are relative to
// Config.Dir where they lie below it.
type Result struct {
	// Unchanged files were as they had to be.
	Unchanged []string
	// Written files were new or changed. Always empty with Check.
	Written []string
	// Removed files carried our first line, and no interface asks for them any
	// more. Always empty with Check.
	Removed []string
	// OutOfDate files would have been written or removed. Only with Check.
	OutOfDate []string
	// Unwritten are the methods of mapping.go that are left to write, or to
	// change: what was generated does not work before. Paths are as in problems.
	Unwritten []Problem
}

// ErrNoEntity says that the patterns matched packages, and that none of them
// has an annotated interface or an old generated file.
var ErrNoEntity = errors.New("no interface with a //crossfade:entity directive was found")

// generator is one run.
type generator struct {
	loader *loader
	ps     *problems
	config *config.Config  // nil without a crossfade.yaml
	broken map[string]bool // folders of packages in which an annotated interface has problems
}

// Run reads the packages and writes the routed repositories and comparators of
// their annotated interfaces. What is wrong with them comes back as one
// [*ProblemsError], and then nothing is written. Packages need not compile, as
// long as the types that the interfaces name are there.
//
// The same input gives the same output, byte by byte. Runs over the same
// folders must not overlap.
func Run(ctx context.Context, cfg Config) (Result, error) {
	dir, err := absolute(cfg.Dir)
	if err != nil {
		return Result{}, err
	}
	ps := &problems{dir: dir}
	g := &generator{ps: ps, broken: map[string]bool{}, loader: newLoader(ctx, dir, ps)}
	if err := g.readConfig(); err != nil {
		return Result{}, err
	}
	p, err := g.plan(cfg.Patterns)
	if err != nil {
		return Result{}, err
	}
	s, err := p.compare()
	if err != nil {
		return Result{}, err
	}
	if len(p.content) == 0 && len(s.leftover) == 0 {
		return Result{}, fmt.Errorf("%w in %v: write it into the comment above a repository's interface", ErrNoEntity, cfg.patterns())
	}
	return p.apply(ctx, s, cfg.Check, dir)
}

// absolute resolves symbolic links too, since the go command reports paths
// without them.
func absolute(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return "", fmt.Errorf("find the folder: %w", err)
	}
	return dir, nil
}

// patterns are those of the configuration, or the one that stands for none.
func (cfg Config) patterns() []string {
	if len(cfg.Patterns) == 0 {
		return []string{"."}
	}
	return cfg.Patterns
}

// plan reads all packages at once, since types of two readings are never the
// same: those that the patterns match, and those that versions need.
func (g *generator) plan(patterns []string) (*plan, error) {
	selected := g.selection(patterns)
	dirs := g.configured(&selected)
	if len(patterns) == 0 && len(dirs) == 0 || len(patterns) == 0 && hasGoFiles(g.loader.dir) {
		patterns = Config{}.patterns()
	}
	found, err := g.loader.load(slices.Concat(g.withoutEmpty(patterns), dirs)...)
	if err != nil {
		return nil, err
	}
	p := &plan{content: map[string][]byte{}, scaffold: map[string][]byte{}, versions: g.config != nil}
	var entities []*entity
	for _, pkg := range found {
		before := len(g.ps.list)
		own := g.entities(pkg)
		g.broken[pkg.dir] = len(g.ps.list) > before
		entities = append(entities, own...)
		if !selected.has(pkg.dir, pkg.PkgPath) && len(dirs) > 0 {
			continue // a version needs it
		}
		if pkg.dir != "" {
			p.dirs = append(p.dirs, pkg.dir)
		}
		if err := g.pkg(p, pkg, own); err != nil {
			return nil, err
		}
	}
	for _, pkg := range found {
		pkg.directives.strays(g.ps)
	}
	if err := g.versions(p, &selected, entities); err != nil {
		return nil, err
	}
	return p, g.ps.err()
}

func (p *plan) apply(ctx context.Context, s state, check bool, dir string) (Result, error) {
	result := Result{Unchanged: relative(dir, s.same), Unwritten: p.unwritten}
	stale := slices.Sorted(slices.Values(slices.Concat(s.missing, s.differing)))
	if check {
		result.OutOfDate = relative(dir, slices.Sorted(slices.Values(slices.Concat(stale, s.leftover))))
		return result, nil
	}
	if err := ctx.Err(); err != nil {
		return Result{}, fmt.Errorf("write generated code: %w", err)
	}
	for _, path := range stale {
		content := p.content[path]
		if content == nil {
			content = p.scaffold[path]
		}
		if err := write(path, content); err != nil {
			return Result{}, err
		}
	}
	for _, path := range s.leftover {
		if err := os.Remove(path); err != nil {
			return Result{}, fmt.Errorf("remove old generated code: %w", err)
		}
	}
	result.Written, result.Removed = relative(dir, stale), relative(dir, s.leftover)
	return result, nil
}

func relative(dir string, paths []string) []string {
	short := make([]string, len(paths))
	for i, path := range paths {
		short[i] = path
		if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
			short[i] = rel
		}
	}
	return short
}

// qualifier names types in problems by their packages' names.
func (g *generator) qualifier(m *method) types.Qualifier {
	return func(p *types.Package) string {
		if p == m.entity.pkg.Types {
			return ""
		}
		return p.Name()
	}
}

func (g *generator) show(m *method, t types.Type) string { return types.TypeString(t, g.qualifier(m)) }
