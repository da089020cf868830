package scaffold

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestApplyNeverOverwritesWhatAppearedInTheMeantime(t *testing.T) {
	p := &Plan{Root: t.TempDir()}
	require.NoError(t, p.create("a/b.txt", "ours"))
	require.NoError(t, os.Mkdir(p.abs("a"), 0o755))
	require.NoError(t, os.WriteFile(p.abs("a/b.txt"), []byte("the user's"), 0o600))
	require.ErrorIs(t, p.Apply(t.Context()), errMoved)
	assert.Equal(t, []string{"a/b.txt"}, filesIn(t, p.Root), "no temporary file is left")

	require.NoError(t, os.WriteFile(p.abs("c.txt"), []byte("edited again"), 0o600))
	p = &Plan{Root: p.Root}
	p.change("c.txt", []byte("read"), []byte("changed"))
	require.ErrorIs(t, p.Apply(t.Context()), errMoved)
	assert.Equal(t, "edited again", read(t, p.abs("c.txt")))
	assert.Equal(t, []string{"a/b.txt", "c.txt"}, filesIn(t, p.Root))
}

func TestApplyKeepsModesAndLinks(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	require.NoError(t, os.WriteFile(target, []byte("before"), 0o640))
	require.NoError(t, os.Symlink(target, link))
	p := &Plan{Root: dir}
	p.change("link", []byte("before"), []byte("after"))
	require.NoError(t, p.Apply(t.Context()))
	assert.Equal(t, "after", read(t, target))
	info, err := os.Lstat(target)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o640), info.Mode())
	info, err = os.Lstat(link)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&fs.ModeSymlink)
}

func TestApplyStopsWhereTheUserInterrupts(t *testing.T) {
	p := &Plan{Root: t.TempDir()}
	require.NoError(t, p.create("a.txt", "a"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, p.Apply(ctx), context.Canceled)
	assert.Empty(t, filesIn(t, p.Root))
	require.NoError(t, p.Apply(t.Context()), "and goes on when it runs again")
	assert.Equal(t, "a", read(t, p.abs("a.txt")))
	info, err := os.Stat(p.abs("a.txt"))
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o644), info.Mode())
}

// filesIn lists the files below a folder.
func filesIn(t *testing.T, dir string) (files []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(at string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			rel, err := filepath.Rel(dir, at)
			require.NoError(t, err)
			files = append(files, filepath.ToSlash(rel))
		}
		return err
	}))
	return files
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}
