package main

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/crossfade-db/crossfade/gen"
)

// watchedFile is what a change of a file is known by.
type watchedFile struct {
	modified time.Time
	size     int64
}

// snapshot are the files that a run of gen depends on, by their paths.
type snapshot map[string]watchedFile

// genWatch runs gen now, and again whenever a file has changed, until the user
// interrupts, which is no error. What is wrong is shown and does not end it.
func (a *app) genWatch(ctx context.Context, config gen.Config) error {
	root := moduleRoot(config.Dir)
	var changed []string
	for ctx.Err() == nil {
		began := a.now()
		seen := look(root)
		every := max(a.glance, 10*a.now().Sub(began)) // a large module is not read all the time
		a.genOnce(ctx, config, changed, seen)
		changed = settled(ctx, root, seen, every)
	}
	return nil
}

// settled waits until files have changed, and then until nothing changes any
// more, since editors and sqlc write several. It returns what has changed.
func settled(ctx context.Context, root string, seen snapshot, every time.Duration) (changed []string) {
	for last := seen; pause(ctx, every) == nil; {
		now := look(root)
		if changed = seen.differs(now); len(changed) > 0 && len(last.differs(now)) == 0 {
			return changed
		}
		last = now
	}
	return nil
}

// genOnce runs gen and prints one line. What gen itself wrote is no change.
func (a *app) genOnce(ctx context.Context, config gen.Config, changed []string, seen snapshot) {
	began := a.now()
	result, err := gen.Run(ctx, config)
	if ctx.Err() != nil {
		return
	}
	base, _ := filepath.Abs(config.Dir)
	for _, file := range slices.Concat(result.Written, result.Removed) {
		if !filepath.IsAbs(file) {
			file = filepath.Join(base, file)
		}
		seen.update(file)
	}
	if a.json {
		a.event(genEvent(result, changed, err))
		return
	}
	for _, p := range problemsIn(err) {
		a.printf("%s\n", printable(p.String()))
	}
	a.printf("%s  %s: %s\n", began.Format("15:04:05"), ranFor(changed), inLine(outcomeOf(result, err))+" ("+short(a.now().Sub(began))+")")
}

// ranFor says why gen ran.
func ranFor(changed []string) string {
	if len(changed) == 0 {
		return "first run"
	}
	return inLine(some(changed, 2)) + " changed"
}

func outcomeOf(r gen.Result, err error) string {
	if problems := problemsIn(err); len(problems) > 0 {
		return plural(len(problems), "problem") + ", nothing was written"
	}
	if err != nil {
		return err.Error()
	}
	parts := []string{plural(len(r.Written), "file") + " written"}
	if len(r.Removed) > 0 {
		parts = append(parts, fmt.Sprintf("%d removed", len(r.Removed)))
	}
	return strings.Join(append(parts, fmt.Sprintf("%d unchanged", len(r.Unchanged))), ", ")
}

// genEvent is a run in JSON.
func genEvent(r gen.Result, changed []string, err error) any {
	event := struct {
		Event     string        `json:"event"`
		Changed   []string      `json:"changed"`
		Written   []string      `json:"written"`
		Removed   []string      `json:"removed"`
		Unchanged []string      `json:"unchanged"`
		Error     string        `json:"error,omitempty"`
		Problems  []problemJSON `json:"problems,omitempty"`
	}{"generated", list(changed), list(r.Written), list(r.Removed), list(r.Unchanged), "", toProblems(err)}
	if err != nil {
		event.Event, event.Error = "failed", printable(err.Error())
	}
	return event
}

// moduleRoot is the folder of go.mod, or the folder itself.
func moduleRoot(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "."
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

// look takes a snapshot of a module: its Go files but tests, what sqlc
// generates among them, and its YAML files. What cannot be read is not there.
func look(root string) snapshot {
	s := snapshot{}
	_ = filepath.WalkDir(root, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			if entry != nil && entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		name := entry.Name()
		if entry.IsDir() {
			hidden := strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "vendor" || name == "node_modules" || name == "testdata"
			if hidden && at != root {
				return fs.SkipDir
			}
			return nil
		}
		if watched(name) {
			s.update(at)
		}
		return nil
	})
	return s
}

// watched tells whether gen reads a file of that name, or what decides on it.
func watched(name string) bool {
	switch filepath.Ext(name) {
	case ".go":
		return !strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(name, ".")
	case ".yaml", ".yml":
		return !strings.HasPrefix(name, ".")
	}
	return name == "go.mod" || name == "go.work"
}

// update takes in a file as it is now.
func (s snapshot) update(path string) {
	info, err := os.Stat(path)
	if err != nil {
		delete(s, path)
		return
	}
	s[path] = watchedFile{info.ModTime(), info.Size()}
}

// differs lists the names of the files that are new, gone or changed in another
// snapshot.
func (s snapshot) differs(other snapshot) []string {
	changed := map[string]bool{}
	for path, file := range s {
		if other[path] != file {
			changed[filepath.Base(path)] = true
		}
	}
	for path := range other {
		if _, there := s[path]; !there {
			changed[filepath.Base(path)] = true
		}
	}
	return slices.Sorted(maps.Keys(changed))
}
