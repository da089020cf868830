package gen

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// plan is what a run would do to the folders of its packages.
type plan struct {
	content   map[string][]byte // by path
	scaffold  map[string][]byte // the same, of files that are written once
	dirs      []string
	versions  bool // there is a crossfade.yaml, so that version files are known to be asked for or not
	unwritten []Problem
}

// state compares the plan with what is there.
type state struct {
	missing, differing, same, leftover []string
}

func (p *plan) compare() (state, error) {
	var s state
	for path, want := range p.content {
		have, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			s.missing = append(s.missing, path)
		case err != nil:
			return s, fmt.Errorf("read generated code: %w", err)
		case !isGenerated(have):
			return s, fmt.Errorf("%s is not generated, or its first line was changed: nothing was written; rename the file or delete it", path)
		case bytes.Equal(have, want):
			s.same = append(s.same, path)
		default:
			s.differing = append(s.differing, path)
		}
	}
	for path := range p.scaffold {
		s.missing = append(s.missing, path)
	}
	slices.Sort(p.dirs)
	for _, dir := range slices.Compact(p.dirs) {
		leftover, err := p.leftovers(dir)
		if err != nil {
			return s, err
		}
		s.leftover = append(s.leftover, leftover...)
	}
	for _, list := range [][]string{s.missing, s.differing, s.same, s.leftover} {
		slices.Sort(list)
	}
	return s, nil
}

// leftovers are files of ours in a folder that nothing asks for any more. Only
// files that carry our first line are ours.
func (p *plan) leftovers(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("look for old generated code: %w", err)
	}
	var found []string
	for _, entry := range entries {
		name := entry.Name()
		path := filepath.Join(dir, name)
		if p.content[path] != nil || !entry.Type().IsRegular() ||
			!strings.HasSuffix(name, routedSuffix) && !strings.HasSuffix(name, compareSuffix) &&
				!(p.versions && strings.HasSuffix(name, versionSuffixGo)) {
			continue
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("look for old generated code: %w", err)
		}
		if isGenerated(src) {
			found = append(found, path)
		}
	}
	return found, nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// write puts one file in place, whole or not at all.
func write(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write generated code: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write generated code: %w", err)
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // it is gone after the rename
	_, err = tmp.Write(content)
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write generated code: %w", err)
	}
	return nil
}
