package gen

import (
	"context"
	"errors"
	"fmt"
	"go/types"
	"os"
	"path/filepath"
	"slices"
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
}

// ErrNoEntity says that the patterns matched packages, and that none of them
// has an annotated interface or an old generated file.
var ErrNoEntity = errors.New("no interface with a //crossfade:entity directive was found")

// generator is one run.
type generator struct {
	loader *loader
	ps     *problems
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
	patterns := cfg.Patterns
	if len(patterns) == 0 {
		patterns = []string{"."}
	}
	ps := &problems{dir: dir}
	g := &generator{ps: ps, loader: &loader{ctx: ctx, dir: dir, read: map[string]*pkg{}, ps: ps}}
	p, err := g.plan(patterns)
	if err != nil {
		return Result{}, err
	}
	s, err := p.compare()
	if err != nil {
		return Result{}, err
	}
	if len(p.content) == 0 && len(s.leftover) == 0 {
		return Result{}, fmt.Errorf("%w in %v: write it into the comment above a repository's interface", ErrNoEntity, patterns)
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

func (g *generator) plan(patterns []string) (*plan, error) {
	found, err := g.loader.load(patterns...)
	if err != nil {
		return nil, err
	}
	p := &plan{content: map[string][]byte{}}
	for _, pkg := range found {
		if pkg.dir != "" {
			p.dirs = append(p.dirs, pkg.dir)
		}
		entities := g.entities(pkg)
		if err := g.pkg(p, pkg, entities); err != nil {
			return nil, err
		}
	}
	for _, pkg := range found {
		pkg.directives.strays(g.ps)
	}
	return p, g.ps.err()
}

func (p *plan) apply(ctx context.Context, s state, check bool, dir string) (Result, error) {
	result := Result{Unchanged: relative(dir, s.same)}
	stale := slices.Sorted(slices.Values(slices.Concat(s.missing, s.differing)))
	if check {
		result.OutOfDate = relative(dir, slices.Sorted(slices.Values(slices.Concat(stale, s.leftover))))
		return result, nil
	}
	if err := ctx.Err(); err != nil {
		return Result{}, fmt.Errorf("write generated code: %w", err)
	}
	for _, path := range stale {
		if err := write(path, p.content[path]); err != nil {
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
