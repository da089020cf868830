package scaffold

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Change says what becomes of a file.
type Change string

// What a plan does with a file.
const (
	Written   Change = "written"   // it was not there
	Changed   Change = "changed"   // something is added to it
	Unchanged Change = "unchanged" // it is as it has to be, or the user's own
)

// File is one file of a plan.
type File struct {
	// Path is relative to the module's root, with slashes.
	Path   string `json:"path"`
	Change Change `json:"change"`
	// Content is what the file will hold; nil for one that stays as it is.
	Content []byte `json:"-"`

	before []byte // of one that is changed
}

// Step is something to do next: a command, and what it does.
type Step struct {
	Command string `json:"command"`
	Text    string `json:"text"`
}

// Plan is what is to be done to a module.
type Plan struct {
	// Root is the module's folder.
	Root string
	// Files are in the order in which they are written.
	Files []File
	// Notes say what the user should know or do by hand.
	Notes []string
	// Next are the next steps.
	Next []Step
}

// Nothing tells whether there is nothing to do.
func (p *Plan) Nothing() bool {
	for _, f := range p.Files {
		if f.Change != Unchanged {
			return false
		}
	}
	return true
}

// create plans a file that may be there already.
func (p *Plan) create(path, content string) error {
	_, err := os.Lstat(p.abs(path))
	switch {
	case err == nil:
		p.Files = append(p.Files, File{Path: path, Change: Unchanged})
	case errors.Is(err, fs.ErrNotExist):
		p.Files = append(p.Files, File{Path: path, Change: Written, Content: []byte(content)})
	default:
		return fmt.Errorf("look for %s: %w", path, err)
	}
	return nil
}

// change plans another content for a file that is there.
func (p *Plan) change(path string, before, after []byte) {
	f := File{Path: path, Change: Unchanged}
	if !bytes.Equal(before, after) {
		f = File{Path: path, Change: Changed, Content: after, before: before}
	}
	p.Files = append(p.Files, f)
}

func (p *Plan) abs(path string) string { return filepath.Join(p.Root, filepath.FromSlash(path)) }

// Apply writes the files, each whole or not at all, in their order. A file that
// appeared or changed since the plan was made is left alone, which is an error.
// After an error, or where ctx ends, the files before it are written; the same
// plan made again has the rest.
func (p *Plan) Apply(ctx context.Context) error {
	for _, f := range p.Files {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("write %s: %w", f.Path, err)
		}
		var err error
		switch f.Change {
		case Written:
			err = makeFile(p.abs(f.Path), f.Content)
		case Changed:
			err = replaceFile(p.abs(f.Path), f.before, f.Content)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w; what came before it is written: mend that, and run the command again for the rest", f.Path, err)
		}
	}
	return nil
}

var errMoved = errors.New("it was changed in the meantime, and is left alone")

// makeFile makes a file that is not there, and its folder.
func makeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp, err := temporary(path, content, 0o644)
	if err != nil {
		return err
	}
	defer os.Remove(tmp) //nolint:errcheck // it may be gone
	if _, err := os.Lstat(path); err == nil {
		return errMoved
	}
	if err := os.Link(tmp, path); err == nil || errors.Is(err, fs.ErrExist) {
		if err != nil {
			return errMoved
		}
		return nil
	}
	return os.Rename(tmp, path) // the file system has no links
}

// replaceFile puts another content into a file that still has the old one.
func replaceFile(path string, before, after []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	have, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(have, before) {
		return errMoved
	}
	tmp, err := temporary(path, after, info.Mode().Perm())
	if err != nil {
		return err
	}
	defer os.Remove(tmp) //nolint:errcheck // it is gone after the rename
	return os.Rename(tmp, path)
}

// temporary writes a file beside another one, and returns its path.
func temporary(path string, content []byte, mode fs.FileMode) (string, error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return "", err
	}
	_, err = tmp.Write(content)
	err = errors.Join(err, tmp.Chmod(mode), tmp.Sync(), tmp.Close())
	if err != nil {
		return "", errors.Join(err, os.Remove(tmp.Name()))
	}
	return tmp.Name(), nil
}
